"""The command as a user meets it, and the files it writes."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.command import main
from mnist_exp.config import bridge
from mnist_exp.explain import __main__ as command
from tests.explain.conftest import add, value


def test_the_command(study: FakeRuns, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run([]) == 0
    assert "From the blog's CNN" in capsys.readouterr().out
    lines = pd.read_csv("explain.csv")
    assert len(lines) == 27 + 9  # with both CNNs and the gap
    gap = lines[lines["difference"] == "gap"]
    ends = lines["difference"].isin(["blog's CNN", "notebook's CNN"])
    parts = lines[~ends & (lines["difference"] != "gap")]
    assert np.allclose(gap["shapley"], parts.groupby("seed")["shapley"].sum())
    assert np.allclose(parts["mean"], parts.groupby("difference")["shapley"].transform("mean"))
    assert np.allclose(lines["shapley"], (lines["forwards"] + lines["backwards"]) / 2)
    text = Path("explain.html").read_text()
    assert "http" not in text
    assert "nan" not in text
    answer = Path("explain.md").read_text()
    assert "`python -m mnist_exp.explain --study bridge`. From the blog's CNN (" in answer
    assert "| `model.kernel_size` | 3 → 5 | +0.0011 | +0.0011 | **+0.0011** |" in answer
    assert "**shown**, less than 0.002 |" in answer
    assert "nan" not in answer
    runs = pd.read_csv("runs.csv")
    assert len(runs) == 54
    assert runs["program"].value_counts()["blog's CNN"] == 3
    assert (runs["page"] == "explain.md").all()
    assert Path("explain.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--study", "brigde"], "--study brigde: no such study; did you mean bridge?"),
        (["--study", "other"], "study other: is no bridge between the tutorials, its runs have no"),
        (
            ["--study", "between"],
            "study between: is no bridge between the tutorials, its runs have other settings\n",
        ),
        (["x"], "unrecognized arguments: x\nusage: python -m mnist_exp.explain "),
        (["--output", "nowhere"], "--output nowhere: no such folder"),
        (["--margin", "2"], "--margin 2: expected a difference in test/accuracy between 0 and 1"),
    ],
)
def test_mistakes(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    runs = FakeRuns(workdir)
    runs.study("bridge")
    runs.add(0, 0.9, tags=trial("other", 0, "seed"))
    keys = [difference.key for difference in bridge.differences(1, None)]
    every = dict.fromkeys(keys, "neither") | {"bridge.epochs": "1"}
    runs.add(0, 0.9, settings=every, tags=trial("between", 0, "seed"))
    some = {key: text for key, text in every.items() if key != keys[0]}
    runs.add(1, 0.9, settings=some, tags=trial("between", 1, "seed"))
    monkeypatch.setattr(sys, "argv", ["explain", *arguments])
    with pytest.raises(SystemExit) as raised:
        main(command.run)
    assert str(raised.value.code).startswith(f"mnist_exp: {message}")


@pytest.mark.slow
def test_the_page_greys_what_is_not_shown_and_writes_values_as_a_config_file(
    study: FakeRuns,
) -> None:
    command.run([])
    text = Path("explain.html").read_text()
    rows = re.findall(r'<div class="row (\w+)">\s*<div class="name"><b>([^<]+)', text)
    colors = {name: color for color, name in rows}
    assert colors["steps"] == "s1"
    assert colors["learning rate"] == "s2"
    assert colors["dropout"] == "other"  # its effect is zero
    assert "null → 1024" in text
    assert "false → true" in text
    assert text.count('class="dot"') == 27  # nine differences, three seeds
    lines = pd.read_csv("explain.csv", keep_default_na=False)
    assert set(lines["blog"]) >= {"null", "false"}


@pytest.mark.slow
def test_a_seed_without_all_its_runs_is_told_by_the_exit_code(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 2)[:-1]):
        add(runs, point, number, value(point))
    assert command.run([]) == 1
    assert "Seed 1 is left out: " in Path("explain.md").read_text()
