"""Ctrl-C and SIGTERM: the parent lets its workers stop before it stops itself, a worker puts its trial back in peace."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_TELL_SECONDS = 2.0  # in which workers that had the signal, too, are left alone
_WAIT_SECONDS = 6.0  # more, in which workers that were told give their trials back


class Stop:
    """`signum` of the first signal that came, None until then."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came."""
        if self.signum is not None:
            raise KeyboardInterrupt


@contextmanager
def stoppable(tell_workers: Callable[[], None], *, at_once: bool) -> Iterator[Stop]:
    """The first Ctrl-C or SIGTERM in the block is told to the workers; it raises KeyboardInterrupt here only later.

    That is when a second one comes, or the block has not ended after some seconds; `at_once`: for the first one.
    """
    stop, came, over = Stop(), threading.Event(), threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield stop
        return

    def handle(signum: int, frame: object) -> None:
        if stop.signum is not None:
            raise KeyboardInterrupt
        stop.signum = signum
        came.set()
        if at_once:
            raise KeyboardInterrupt

    def follow() -> None:
        came.wait()
        if over.wait(_TELL_SECONDS):
            return
        with contextlib.suppress(Exception):  # a database out of reach; its workers end with this process
            tell_workers()
        if not over.wait(_WAIT_SECONDS):
            interrupt_main_thread()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield stop
    finally:
        over.set()
        came.set()
        follower.join()
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def interrupt_main_thread() -> None:
    """As Ctrl-C does: also out of a sleep or a wait."""
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGINT)


@contextmanager
def in_peace() -> Iterator[None]:
    """Ctrl-C does not reach the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
