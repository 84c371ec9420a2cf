"""The command `python -m mnist_exp.preflight`."""

import subprocess
import sys
from pathlib import Path

import pytest

from mnist_exp.preflight.__main__ import run
from tests.support.waiting import LIMIT


def preflight(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mnist_exp.preflight", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=LIMIT, check=False
    )


def test_a_broken_program_exits_1_and_leaves_nothing(tmp_path: Path) -> None:
    done = preflight("experiment=notebook_softmax_buggy", cwd=tmp_path)
    assert done.returncode == 1
    assert "ERROR LOSS_IGNORES_LABELS" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_good_program_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["experiment=notebook_softmax", "model=softmax"]) == 0
    first, task, last = capsys.readouterr().out.splitlines()
    assert first.startswith("preflight: 0 errors, 0 warnings")
    assert task == "  task: one of 10 classes, logits"
    command = "python -m mnist_exp experiment=notebook_softmax model=softmax"
    assert last == f"To train this program: {command}"


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        *((text, text) for text in ("model=cnn3x4", "schedule.epochs=0", "data.dir=/proc/nope")),
        (
            "data.train_limit=1",
            "preflight is left out: it needs 2 training images or more, found 1",
        ),
        ("--quick", "unrecognized arguments: --quick\nusage: python -m mnist_exp.preflight"),
    ],
)
def test_mistakes_get_a_short_answer(tmp_path: Path, argument: str, answer: str) -> None:
    done = preflight(argument, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"mnist_exp: {answer}")
    assert len(done.stderr.splitlines()) <= 2


def test_help(tmp_path: Path) -> None:
    done = preflight("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "usage: python -m mnist_exp.preflight" in done.stdout
