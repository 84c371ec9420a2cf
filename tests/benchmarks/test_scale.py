"""A small run of the benchmark; nothing here judges a time."""

import json
from pathlib import Path

import pytest

from benchmarks import scale
from mnist_exp.errors import UserError


@pytest.mark.slow
def test_a_small_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = [
        "--images",
        "200",
        "--times",
        "1,2",
        "--runs",
        "2,12",
        "--repeats",
        "1",
        "--output",
        str(tmp_path),
    ]
    scale.run(small)
    epochs, compared = json.loads((tmp_path / "scale.json").read_text())["tables"].values()
    assert [row["size"] for row in epochs] == [200, 400]
    assert [row["size"] for row in compared] == [2, 12]
    assert all(row["seconds"] > 0 and row["peak_mb"] > 50 for row in [*epochs, *compared])
    assert capsys.readouterr().out == (tmp_path / "scale.md").read_text()


def test_growth_is_a_power_of_the_size() -> None:
    rows = [
        {"size": 1, "s": 9.0},
        {"size": 10, "s": 2.0},
        {"size": 100, "s": 20.0},
        {"size": 400, "s": 320.0},
    ]
    assert scale.growth(rows[:3], "s") == pytest.approx(1)
    assert scale.growth(rows, "s") == pytest.approx(2)


@pytest.mark.parametrize("arguments", [["--times", "4"], ["--runs", "x,y"], ["--repeats", "0"]])
def test_mistakes(arguments: list[str]) -> None:
    with pytest.raises(UserError, match=f"{arguments[0]}"):
        scale.run(arguments)
