"""Mistakes with code and data of one's own: the answers are those of the table beside this file."""

import logging
import shlex
import sys
from pathlib import Path

import pytest

from mnist_exp.__main__ import main
from tests.support.bad_inputs import GIVEN

TABLE = Path(__file__).with_name("own_bad_inputs.txt").read_text()
ROWS = [row.strip("\n").split("\n", 2) for row in TABLE.split("\n# ")[1:]]
SMALL = ["preflight=off", "schedule.epochs=1"]
SMALL_MNIST = ["data.train_limit=100", "data.eval_limit=50"]
SMALL_MODEL = ["model=softmax", "data.validation_size=4"]


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.first_cases(12)
@pytest.mark.parametrize(("given", "answer"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_the_answer_to(
    given: str,
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files, _, typed = given.partition(": ")
    arguments = shlex.split(typed)
    small = SMALL_MODEL if arguments[0].startswith("data.dir") else SMALL_MNIST
    GIVEN[files](tmp_path)
    before = files_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # the command sets it
    monkeypatch.setattr(sys, "argv", ["mnist_exp", *arguments, *SMALL, *small])
    monkeypatch.setattr("mnist_exp.__main__._started", [])  # by tests before
    # Hydra closes all handlers, among them absl's, which closes the stream that pytest captures.
    monkeypatch.setattr(logging, "_handlerList", [])
    with pytest.raises(SystemExit) as ended:
        main()
    said = str(ended.value.code)  # on standard error, with exit code 1
    said = said.replace(str(tmp_path), "{folder}").replace(sys.executable, "{python}")
    if answer.endswith("..."):
        said = f"{said[: len(answer) - 3]}..."
    assert said == answer
    lines = said[said.index("mnist_exp: ") :].splitlines()
    assert len(lines) <= 2
    assert said.startswith(("mnist_exp: ", 'Traceback (most recent call last):\n  File "{folder}/'))
    assert capsys.readouterr().out == ""
    assert files_in(tmp_path) == before  # no store, so no run; no output folder


def test_the_table_tries_all_that_can_be_given() -> None:
    assert {given.partition(":")[0] for _, given, _ in ROWS} == GIVEN.keys()
