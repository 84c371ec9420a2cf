"""The workers are told of the first signal, a second one interrupts; a block can hold it back."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from mnist_exp.sweeper import interruption
from mnist_exp.sweeper.interruption import held, interrupt_main_thread, stoppable
from tests.support.waiting import LIMIT


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Shorten the times, and set Python's handler of SIGINT, which background processes lack."""
    monkeypatch.setattr(interruption, "_TELL_SECONDS", 0.1)
    monkeypatch.setattr(interruption, "_WAIT_SECONDS", 0.3)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_workers_are_told_and_waited_for(signum: int) -> None:
    are_told = threading.Event()
    with stoppable(are_told.set, at_once=False) as stop:
        stop.check()
        signal.raise_signal(signum)
        assert are_told.wait(LIMIT)
        with pytest.raises(KeyboardInterrupt):
            stop.check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_workers_that_stop_by_themselves_are_not_told() -> None:
    are_told = threading.Event()
    with stoppable(are_told.set, at_once=False):
        signal.raise_signal(signal.SIGINT)
    assert not are_told.is_set()


def test_workers_that_do_not_stop_are_not_waited_for_long() -> None:
    with pytest.raises(KeyboardInterrupt), stoppable(lambda: None, at_once=False):
        signal.raise_signal(signal.SIGINT)
        time.sleep(LIMIT)


def test_a_database_out_of_reach_does_not_keep_it() -> None:
    def fail() -> None:
        raise OSError("no database")

    with pytest.raises(KeyboardInterrupt), stoppable(fail, at_once=False):
        signal.raise_signal(signal.SIGINT)
        time.sleep(LIMIT)


def test_a_second_signal_interrupts() -> None:
    with stoppable(lambda: None, at_once=False) as stop:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert stop.signum == signal.SIGINT


def test_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), stoppable(lambda: None, at_once=True):
        signal.raise_signal(signal.SIGTERM)


def test_a_thread_can_interrupt_a_sleep() -> None:
    threading.Timer(0.1, interrupt_main_thread).start()
    with pytest.raises(KeyboardInterrupt):
        time.sleep(LIMIT)


def test_held_until_the_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held():
        signal.raise_signal(signal.SIGINT)
        done.append("the block")
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_held_until_checked() -> None:
    with held() as hold:
        hold.check()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            hold.check()


def test_held_until_released() -> None:
    with held() as hold:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), hold.released():
            pytest.fail("the block was entered")
        with pytest.raises(KeyboardInterrupt), hold.released():
            signal.raise_signal(signal.SIGINT)
            pytest.fail("the signal was held")


def test_a_second_signal_is_not_held() -> None:
    with held():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_held_in_a_release_of_another() -> None:
    with held() as outer, pytest.raises(KeyboardInterrupt), outer.released(), held():
        signal.raise_signal(signal.SIGINT)


def test_a_signal_that_nobody_handles_is_not_held() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with held():
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    signal.signal(signal.SIGTERM, before)


def test_a_job_of_submitit_whose_time_is_up_is_interrupted() -> None:
    """Its own handler raises an error, for which a trial would count as failed."""

    def requeue(number: int, frame: object) -> None:
        raise ValueError("not requeued")

    def of_the_application(number: int, frame: object) -> None:
        pass

    before = signal.signal(signal.SIGUSR2, requeue), signal.signal(signal.SIGUSR1, requeue)
    try:
        signal.signal(signal.SIGUSR1, of_the_application)
        requeue.__module__ = "submitit.core.job_environment"
        with pytest.raises(KeyboardInterrupt), held() as hold:
            signal.raise_signal(signal.SIGUSR2)
            signal.raise_signal(signal.SIGUSR1)
            with hold.released():
                pytest.fail("the signal was held")
        with held() as hold, hold.released(), contextlib.suppress(KeyboardInterrupt), held():
            signal.raise_signal(signal.SIGUSR2)
        assert signal.getsignal(signal.SIGUSR2) is requeue
        assert signal.getsignal(signal.SIGUSR1) is of_the_application
    finally:
        signal.signal(signal.SIGUSR2, before[0])
        signal.signal(signal.SIGUSR1, before[1])
