"""The children of a task end as they do without a sweep."""

import json
import os
import signal
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from mnist_exp.sweeper.interruption import held, interruptible, stoppable
from tests.support.sweeps import studies
from tests.support.waiting import LIMIT


def ends(folder: Path, *overrides: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.support.sweeps.children", *overrides]
    folder.mkdir()
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=studies.environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads((folder / "ends.json").read_text())
    return seen


@pytest.mark.slow
def test_children_behave_as_without_a_sweep(tmp_path: Path) -> None:
    """They are forked, spawned, of a forkserver, of pools, of joblib or other programs.

    They end at once, later, or by Ctrl-C.
    """
    plain = ends(tmp_path / "plain")
    assert plain["fork, SIGINT"] == 7
    assert plain["fork, terminated at once"] == [-signal.SIGTERM]
    assert ends(tmp_path / "sweep", "x=interval(0.0,1.0)", "hydra.sweeper.n_trials=1") == plain


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_child_has_the_handlers_from_before(signum: int) -> None:
    """Also one that was forked while signals are held, and by a thread."""
    before = signal.signal(signum, signal.SIG_IGN)
    try:
        with (
            stoppable(lambda: None, at_once=True),
            interruptible(),
            held() as hold,
            hold.released(),
            held(),
        ):
            assert signal.getsignal(signum) != signal.SIG_IGN
            pid = os.fork()
            if pid == 0:
                os._exit(signal.getsignal(signum) == signal.SIG_IGN)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
            assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
    finally:
        signal.signal(signum, before)


def test_a_childs_own_handler_may_call_the_one_from_before() -> None:
    """A library keeps the handler that it replaces, and calls it when it is done."""
    context = get_context("fork")
    with stoppable(lambda: None, at_once=True):
        ours = signal.getsignal(signal.SIGTERM)
        assert callable(ours)
        signal.signal(signal.SIGTERM, lambda *arguments: ours(*arguments))
        child = context.Process(target=signal.pause)
        child.start()
        child.terminate()
        child.join(LIMIT)
    assert child.exitcode == -signal.SIGTERM
