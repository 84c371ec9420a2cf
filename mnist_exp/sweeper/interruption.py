"""Ctrl-C, SIGTERM and SIGHUP: the parent lets its workers stop before it stops itself; a worker hears of it between two steps."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_TELL_SECONDS = 2.0  # in which workers that had the signal, too, are left alone
_WAIT_SECONDS = 6.0  # more, in which workers that were told give their trials back
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class OwnHandler:
    """A handler of ours. In a child that was forked, a signal does what it did in this process without us."""

    def __init__(self, act: Callable[[int, object], None], before: Any) -> None:
        self._act, self._pid = act, os.getpid()
        self.original: Any = (
            before.original if isinstance(before, OwnHandler) else (before or signal.SIG_DFL)
        )

    def __call__(self, signum: int, frame: object) -> None:
        if os.getpid() == self._pid:
            self._act(signum, frame)
        elif callable(
            self.original
        ):  # a handler of the task's own calls this one, which it has replaced
            self.original(signum, frame)
        elif self.original == signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)


_mask = threading.local()  # .before: which signals a thread had blocked before it began to fork


def _before_fork() -> None:
    """Hold signals back until the child has its own handlers: Python forgets those that come before, so that it would live on."""
    _mask.before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _after_fork() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _mask.before)


def _after_fork_in_child() -> None:
    for number in _SIGNALS:
        handler = signal.getsignal(number)
        if isinstance(handler, OwnHandler):
            signal.signal(number, handler.original)
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
    )


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
    """The first Ctrl-C, SIGTERM or end of the terminal (SIGHUP) in the block is told to the workers; it raises KeyboardInterrupt here only later.

    That is when a second one comes, or the block has not ended after some seconds; `at_once`: for the first one.
    """
    stop, came, over = Stop(), threading.Event(), threading.Event()
    if (
        threading.current_thread() is not threading.main_thread()
    ):  # only there can signals be handled
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
        with contextlib.suppress(
            Exception
        ):  # a database out of reach; its workers end with this process
            tell_workers()
        if not over.wait(_WAIT_SECONDS):
            interrupt_main_thread()

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    if before.get(signal.SIGHUP) == signal.SIG_IGN:  # what nohup starts outlives its terminal
        del before[signal.SIGHUP]
    for number, handler in before.items():
        signal.signal(number, OwnHandler(handle, handler))
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


@contextmanager
def interruptible() -> Iterator[None]:
    """`interrupt_main_thread` works in the block even where SIGINT is ignored, as a shell does for what it puts in the background."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, OwnHandler(_interrupt, signal.SIG_IGN))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


_is_blocked = threading.Event()  # SIGINT, in the main thread


@contextmanager
def blocked_in_new_programs() -> Iterator[None]:
    """Ctrl-C does not reach the programs that the block starts before they `unblock` it, for instance while they import.

    Here it is handled as before, by the main thread's next step, but wakes it from no sleep or wait.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "pthread_sigmask"
    ):
        yield
        return
    _is_blocked.set()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        _is_blocked.clear()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def unblock() -> None:
    """Raises KeyboardInterrupt if Ctrl-C came since the program was started."""
    _is_blocked.clear()
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def interrupt_main_thread() -> None:
    """As Ctrl-C does: also out of a sleep or a wait, but in `blocked_in_new_programs`."""
    ident = threading.main_thread().ident
    assert ident is not None
    if _is_blocked.is_set():
        signal.raise_signal(signal.SIGINT)
    else:
        signal.pthread_kill(ident, signal.SIGINT)


class Held:
    """Notes the first signal, until `check`, `released` or the end of `held`; a second one is not held back."""

    def __init__(self, handlers: dict[signal.Signals, Callable[..., object]]) -> None:
        self._handlers = handlers
        self._noted: signal.Signals | None = None

    def check(self) -> None:
        """Let the signal through if one came: raises KeyboardInterrupt."""
        if self._noted is not None:
            number, self._noted = self._noted, None
            self._handlers[number](number, None)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Signals interrupt the block, one that was noted before it too."""
        self._set(self._handlers)
        try:
            self.check()
            yield
        finally:
            self.hold()

    def hold(self) -> None:
        self._set(
            {number: OwnHandler(self._note, before) for number, before in self._handlers.items()}
        )

    def _note(self, number: int, frame: object) -> None:
        again, self._noted = self._noted is not None, signal.Signals(number)
        if again:
            self.check()

    @staticmethod
    def _set(handlers: Mapping[signal.Signals, Callable[..., object]]) -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[Held]:
    """Ctrl-C, and SIGTERM where it is handled, wait for the end of the block.

    Raised anywhere, KeyboardInterrupt would come in the middle of a commit, after which SQLAlchemy's session is of no
    use, or in a callback of the garbage collector, which drops it.
    """
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # only there can signals be handled
        now = {number: signal.getsignal(number) for number in _SIGNALS}
        handlers = {number: handler for number, handler in now.items() if callable(handler)}
    hold = Held(handlers)
    hold.hold()
    try:
        yield hold
    finally:
        hold._set(handlers)
    hold.check()
