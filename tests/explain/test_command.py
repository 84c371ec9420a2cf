"""The command as a user meets it, and the files it writes."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.command import main
from mnist_exp.explain import __main__ as command


def test_the_command(study: FakeRuns, capsys: pytest.CaptureFixture[str]) -> None:
    command.run([])
    assert "From the blog's CNN" in capsys.readouterr().out
    lines = pd.read_csv("explain.csv")
    assert len(lines) == 27
    assert np.allclose(lines["shapley"], (lines["forwards"] + lines["backwards"]) / 2)
    text = Path("explain.html").read_text()
    assert "http" not in text
    assert "nan" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--study", "brigde"], "--study brigde: no such study; did you mean bridge?"),
        (
            ["--study", "other"],
            "--study other: is no bridge between the tutorials, its runs have no",
        ),
        (["x"], "unrecognized arguments: x\nusage: python -m mnist_exp.explain "),
        (["--output", "nowhere"], "--output nowhere: no such folder"),
    ],
)
def test_mistakes(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    runs = FakeRuns(workdir)
    runs.study("bridge")
    runs.add(0, 0.9, tags=trial("other", 0, "seed"))
    monkeypatch.setattr(sys, "argv", ["explain", *arguments])
    with pytest.raises(SystemExit) as raised:
        main(command.run)
    assert str(raised.value.code).startswith(f"mnist_exp: {message}")
