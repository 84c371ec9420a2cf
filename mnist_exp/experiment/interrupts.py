"""SIGTERM, Ctrl-C and the end of a terminal (SIGHUP), held back until stopping is safe."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mnist_exp.errors import Killed
from mnist_exp.sweeper.interruption import OwnHandler


class Interrupts:
    """Remembers the first signal until `check`; a second one raises at once.

    Between two checks weights and bookkeeping may disagree: no checkpoint must be taken there.
    """

    def __init__(self) -> None:
        self._received: int | None = None

    def check(self) -> None:
        """Raise Killed or KeyboardInterrupt if a signal came since the start."""
        if self._received is not None:
            raise _exception(self._received)

    def receive(self, signum: int, frame: object) -> None:
        """Handle a signal."""
        if self._received is not None:
            raise _exception(signum)
        self._received = signum


@contextmanager
def deferred() -> Iterator[Interrupts]:
    """Let signals in the block wait for `check`, or for the end of the block."""
    interrupts = Interrupts()
    with _handled(interrupts.receive, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)):
        yield interrupts
    interrupts.check()


@contextmanager
def raised() -> Iterator[None]:
    """Let SIGTERM and SIGHUP in the block raise Killed, as Ctrl-C raises KeyboardInterrupt."""

    def handle(signum: int, frame: object) -> None:
        raise _exception(signum)

    with _handled(handle, (signal.SIGTERM, signal.SIGHUP)):
        yield


def _exception(signum: int) -> BaseException:
    return KeyboardInterrupt() if signum == signal.SIGINT else Killed(signum)


@contextmanager
def _handled(
    handler: Callable[[int, object], None], signals: tuple[signal.Signals, ...]
) -> Iterator[None]:
    """Handle these signals in the block. Python lets the main thread alone do so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # `nohup` and schedulers ignore SIGHUP for those they start, which then outlive the terminal.
    handled = [n for n in signals if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    previous = [
        signal.signal(number, OwnHandler(handler, signal.getsignal(number))) for number in handled
    ]
    try:
        yield
    finally:
        for number, before in zip(handled, previous, strict=True):
            signal.signal(number, before)
