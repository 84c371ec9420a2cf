"""A run goes on when nobody takes its output, and without any standard streams."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_exp.command import require_folder
from mnist_exp.sweeper.lasting_stream import LastingStream
from tests.support.runs import only_run

SMALL = [
    "model=softmax",
    "preflight=off",
    "data.train_limit=200",
    "data.eval_limit=100",
    "schedule.epochs=1",
]


def test_text_arrives_while_it_can() -> None:
    taken = io.StringIO()
    print("words", file=LastingStream(taken))
    assert taken.getvalue() == "words\n"


@pytest.mark.parametrize("how", ["closed pipe", "full disk", "closed stream", "none"])
def test_what_cannot_be_written_is_dropped(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(
        "/dev/full" if how == "full disk" else writer, "w", closefd=how == "full disk"
    ) as target:
        if how == "closed stream":
            target.close()
        monkeypatch.setattr(sys, "stdout", None if how == "none" else target)
        stream = LastingStream()
        for _ in range(3):
            stream.write("x" * 100_000)
            stream.flush()
        assert not stream.isatty()
    os.close(writer)


@pytest.mark.slow
@pytest.mark.parametrize("redirection", ["| head -n 1", ">/dev/full", "<&- >&- 2>&-"])
def test_a_run_outlives_its_output(redirection: str, workdir: Path) -> None:
    command = f'"{sys.executable}" -m mnist_exp {" ".join(SMALL)} {redirection}'
    shell = ["bash", "-c", f"set -o pipefail; {command}"]
    done = subprocess.run(shell, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert only_run(workdir).info.status == "FINISHED"


def test_a_deleted_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(SystemExit, match="current folder was deleted"):
        require_folder()
