"""Contributions of a bridge whose effects are known."""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from compare.conftest import FakeRuns, trial

from mnist_exp import explain
from mnist_exp.config import bridge
from mnist_exp.errors import UserError
from mnist_exp.tracking.runs import Store

EFFECTS = [0.001, 0.002, 0.0, -0.001, 0.0005, 0.0, -0.003, 0.0, 0.004]


def add(runs: FakeRuns, point: Mapping[str, object], number: int, accuracy: float) -> None:
    settings = {
        key: str(value).replace("null", "None") for key, value in point.items() if key != "seed"
    }
    settings |= {"bridge.epochs": "3.0", "data.train_limit": "None"}
    keys = " ".join(point)
    runs.add(
        int(str(point["seed"])), accuracy, settings=settings, tags=trial("bridge", number, keys)
    )


def value(point: Mapping[str, object], interaction: float = 0.0) -> float:
    """Each difference adds its effect; the first and the last together add `interaction`."""
    steps = bridge.differences(3, None)
    bridged = [point[d.key] == d.notebook for d in steps]
    seed = int(str(point["seed"]))
    total = 0.98 + seed / 1000 + (bridged[0] and bridged[-1]) * interaction
    return total + sum(e for e, there in zip(EFFECTS, bridged, strict=True) if there) * (
        1 + seed / 10
    )


@pytest.fixture
def study(workdir: Path) -> FakeRuns:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 3)):
        add(runs, point, number, value(point))
    return runs


def test_effects_that_add_up_are_found_exactly(study: FakeRuns) -> None:
    found = explain.explain(Store(), "bridge")
    assert found.seeds == ("0", "1", "2")
    assert [c.mean for c in found.contributions] == pytest.approx([e * 1.1 for e in EFFECTS])
    assert all(c.forwards == pytest.approx(c.backwards) for c in found.contributions)
    assert sum(c.mean for c in found.contributions) == pytest.approx(found.mean_gap)
    assert found.contributions[8].interval.method == "t"
    told = explain.paragraph(found)
    assert "Of this comes +0.0044 (+0.0034 to +0.0054) with the steps" in told
    assert "No effect is shown of the others: dropout" in told


def test_an_interaction_is_shared_by_its_two_differences(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 1)):
        add(runs, point, number, value(point, interaction=0.01))
    first, *_, last = explain.explain(Store(), "bridge").contributions
    assert (first.forwards[0], first.backwards[0]) == pytest.approx((0.001, 0.011))
    assert (first.mean, last.mean) == pytest.approx((0.006, 0.009))
    assert first.interval.method == "none"


def test_a_seed_with_a_missing_point_is_left_out(study: FakeRuns) -> None:
    point = bridge.configurations(3, None, 4)[-1]
    add(study, point, 99, 0.9)
    found = explain.explain(Store(), "bridge")
    assert found.seeds == ("0", "1", "2")
    assert found.incomplete == {"3": 17}


def test_the_command(study: FakeRuns, capsys: pytest.CaptureFixture[str]) -> None:
    explain.run([])
    assert "From the blog's CNN" in capsys.readouterr().out
    lines = pd.read_csv("explain.csv")
    assert len(lines) == 27
    assert np.allclose(lines["shapley"], (lines["forwards"] + lines["backwards"]) / 2)
    text = Path("explain.html").read_text()
    assert "http" not in text
    assert "nan" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--study", "bridg"], "--study bridg: no such study; did you mean bridge?"),
        (
            ["--study", "other"],
            "--study other: is no bridge between the tutorials, its runs have no",
        ),
        (["x"], "x: expected tracking.uri=URI"),
        (["--output", "nowhere"], "--output nowhere: no such folder"),
    ],
)
def test_mistakes(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    runs = FakeRuns(workdir)
    runs.study("bridge")
    runs.add(0, 0.9, tags=trial("other", 0, "seed"))
    monkeypatch.setattr(sys, "argv", ["explain", *arguments])
    with pytest.raises(SystemExit) as raised:
        explain.main()
    assert str(raised.value.code).startswith(f"mnist_exp: {said}")


def test_no_seed_with_all_points(workdir: Path) -> None:
    add(FakeRuns(workdir), bridge.configurations(3, None, 1)[0], 0, 0.9)
    with pytest.raises(UserError, match="no seed has all 18 points"):
        explain.explain(Store(), "bridge")
