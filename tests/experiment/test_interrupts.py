import os
import signal
import threading
from typing import Any

import pytest

from mnist_exp.errors import Killed
from mnist_exp.experiment import interrupts


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGTERM, Killed), (signal.SIGHUP, Killed), (signal.SIGINT, KeyboardInterrupt)],
)
def test_deferred_waits_for_check(number: signal.Signals, error: type[BaseException]) -> None:
    reached = False
    with pytest.raises(error), interrupts.deferred() as pending:
        os.kill(os.getpid(), number)
        reached = True
        pending.check()
    assert reached


def test_deferred_is_raised_at_the_end_without_a_check() -> None:
    with pytest.raises(Killed), interrupts.deferred():
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_second_signal_does_not_wait() -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        reached = True
    assert not reached


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_raised_at_once(number: signal.Signals) -> None:
    with pytest.raises(Killed, match=number.name) as killed, interrupts.raised():
        os.kill(os.getpid(), number)
    assert killed.value.exit_code == 128 + number


def test_what_nohup_started_outlives_the_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.raised(), interrupts.deferred() as pending:
            os.kill(os.getpid(), signal.SIGHUP)
            pending.check()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with interrupts.raised(), interrupts.deferred():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_other_threads_run_without_handlers() -> None:
    def body() -> None:
        with interrupts.raised(), interrupts.deferred() as pending:
            pending.check()
            finished.append(True)

    finished: list[bool] = []
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert finished == [True]


@pytest.mark.parametrize("block", [interrupts.raised, interrupts.deferred])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_forked_child_ends_by_the_signal(block: Any, number: signal.Signals) -> None:
    """It was no run: it would go on, or raise what nobody in it expects."""
    with block():
        child = os.fork()
        if child == 0:
            signal.raise_signal(number)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -number
