"""The benchmark itself, a small run of it; nothing here judges a time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import steps
from mnist_exp.errors import UserError


@pytest.mark.slow
def test_a_small_run(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.steps",
        "--models",
        "softmax",
        "--competitors",
        "ours,tutorial,keras50",
    ]
    options = ["--rounds", "2", "--seconds", "0.05", "--output", str(tmp_path)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    found = json.loads((tmp_path / "steps.json").read_text())["models"]["softmax"]
    assert list(found["competitors"]) == ["ours", "tutorial", "keras50"]
    assert found["competitors"]["ours"]["ratio"] == 1
    assert all(len(times) == 2 and min(times) > 0 for times in found["seconds_per_step"].values())
    assert done.stdout == (tmp_path / "steps.md").read_text()
    assert "| Keras fit, steps_per_execution=50 |" in done.stdout
    assert (tmp_path / "steps.png").stat().st_size > 5000


def test_shares_and_ratios_are_of_the_same_run() -> None:
    """A step of 1 MFLOP in 1 ms is 1 GFLOP/s: a tenth of a machine whose best product gives 10."""
    product = 2 * 2048**3 / 10e9
    seconds = {
        "ours": [1e-3, 1e-3, 3e-3],
        "keras": [2e-3, 4e-3, 6e-3],
        "gemm2048": [product] * 3,
        "gemm4096": [1e3] * 3,
    }
    measured = steps.Measured(batch_size=50, flop_per_step=10**6, seconds=seconds)
    assert measured.peak == pytest.approx(10e9)
    ours, keras = measured.row("ours"), measured.row("keras")
    assert ours["share_of_peak"] == pytest.approx(0.1)
    assert ours["images_per_second"] == pytest.approx(50_000)
    assert (ours["ratio"], keras["ratio"]) == (1, 2)
    assert measured.competitors == ["ours", "keras"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--models", "resnet"], "--models resnet: expected some of softmax, cnn3x3"),
        (["--competitors", "theirs"], "--competitors theirs: expected some of ours"),
        (["--rounds", "0"], "--rounds 0: expected a number > 0"),
    ],
)
def test_mistakes(arguments: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        steps.run(arguments)
