"""The line on the screen of a long check, and its time."""

import sys
import time

import pytest

from mnist_exp.preflight.progress import Progress


def test_a_long_check_says_what_it_looks_at_to_a_person_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = time.perf_counter() - 3
    Progress(long_ago).show("the loss")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    Progress(time.perf_counter() + 60).show("the loss")
    assert capsys.readouterr().err == ""
    progress = Progress(long_ago)
    progress.show("the loss")
    progress.close()
    line, cleared = capsys.readouterr().err.split("\r")[1:3]
    assert line == "preflight: 3 s, looks at the loss"
    assert cleared == " " * len(line)


def test_the_time_is_up_after_the_budget() -> None:
    assert Progress(time.perf_counter() - 3, budget=2).over
    assert not Progress(time.perf_counter() - 3, budget=60).over
    assert not Progress(time.perf_counter() - 3).over
