"""Terminals that cannot show every letter: the commands print everything, with replacements."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnist_exp import run, sync
from mnist_exp.command import main
from mnist_exp.compare.__main__ import run as compare
from mnist_exp.rerun.__main__ import run as rerun

SMALL = [
    "model=softmax",
    "data.train_limit=200",
    "data.eval_limit=100",
    "schedule.epochs=1",
    "preflight=off",
]


@pytest.fixture(
    params=["ascii", *(pytest.param(e, marks=pytest.mark.slow) for e in ("latin-1", "cp1252"))]
)
def said(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[object, str]]:
    """Run a command on a terminal of that encoding; return (exit code, what it printed)."""

    def on_terminal(command: Callable[..., Any], *arguments: str) -> tuple[object, str]:
        out = io.TextIOWrapper(
            io.BytesIO(), encoding=request.param, errors="strict", write_through=True
        )
        code: object = 0
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "argv", ["command", *arguments])
            try:
                main(command)
            except SystemExit as error:
                code = error.code
        return code, out.buffer.getvalue().decode(request.param)

    return on_terminal


@pytest.mark.usefixtures("bare_runs")
def test_every_command_prints_its_result(
    workdir: Path, said: Callable[..., tuple[object, str]]
) -> None:
    name = "run_name='Größe \u65e5\u672c \u2212\ud83d\ude00'".encode(
        "utf-16", "surrogatepass"
    ).decode("utf-16")
    results = []
    code, out = said(lambda _: results.append(run([*SMALL, name])))
    assert (code, "test accuracy" in out) == (0, True)
    code, out = said(rerun, results[0].run_id)
    assert code == 0
    assert out.splitlines()[-1].startswith("identical: ")
    assert r"e \u65e5\u672c -\U0001f600" in out
    code, out = said(compare, "--experiment", "mnist_exp")
    assert code == 0
    assert "nothing to compare it with" in " ".join(out.split())
    assert said(sync.run) == (0, "Nothing waits to be sent.\n")
