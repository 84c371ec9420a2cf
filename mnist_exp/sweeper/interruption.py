"""Ctrl-C, SIGTERM and SIGHUP: a sweep's workers stop first, each between two steps of its trial."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_TELL_SECONDS = 2.0  # until workers are told to stop: most have received the signal themselves
_WAIT_SECONDS = 6.0  # from then on, for workers to give their trials back
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class OwnHandler:
    """A signal handler of this package.

    In a forked child, the signal does what it would have done in this process without the handler.
    """

    def __init__(self, act: Callable[[int, object], None], before: Any) -> None:
        self._act, self._pid = act, os.getpid()
        self.original: Any = (
            before.original if isinstance(before, OwnHandler) else (before or signal.SIG_DFL)
        )

    def __call__(self, signum: int, frame: object) -> None:
        """Handle the signal, as the operating system's interface wants it."""
        if os.getpid() == self._pid:
            self._act(signum, frame)
        elif callable(self.original):
            # A handler of the task, installed after this one, has called this one in a child.
            self.original(signum, frame)
        elif self.original == signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)


_mask = threading.local()  # .before: the signals a thread had blocked before it began to fork


def _before_fork() -> None:
    """Block signals until the child has its own handlers.

    Python forgets a signal that comes earlier, and the child would live on.
    """
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
    """Whether a signal asked the command to stop: `signum` is the first one's number, else None."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came."""
        if self.signum is not None:
            raise KeyboardInterrupt


@contextmanager
def stoppable(tell_workers: Callable[[], None], *, at_once: bool) -> Iterator[Stop]:
    """Handle the first Ctrl-C, SIGTERM or SIGHUP (the end of the terminal) in the block.

    The workers are told to stop. KeyboardInterrupt is raised in the block only if a second signal
    comes, or if the block has not ended some seconds later; with `at_once` for the first signal.
    """
    stop, has_come, has_ended = Stop(), threading.Event(), threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread can handle signals
        return

    def handle(signum: int, frame: object) -> None:
        if stop.signum is not None:
            raise KeyboardInterrupt
        stop.signum = signum
        has_come.set()
        if at_once:
            raise KeyboardInterrupt

    def follow() -> None:
        has_come.wait()
        if has_ended.wait(_TELL_SECONDS):
            return
        with contextlib.suppress(Exception):
            tell_workers()  # with the database out of reach, they end with this process
        if not has_ended.wait(_WAIT_SECONDS):
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
        has_ended.set()
        has_come.set()
        follower.join()
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let `interrupt_main_thread` work in the block even where SIGINT is ignored.

    A shell ignores SIGINT for programs that it starts in the background.
    """
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
    """Keep Ctrl-C from the programs that the block starts until they call `unblock`.

    They can import undisturbed. In this process the main thread's next step handles Ctrl-C as
    before, but Ctrl-C ends no sleep or wait.
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
    """Let Ctrl-C through. Raises KeyboardInterrupt if it came since this program was started."""
    _is_blocked.clear()
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def interrupt_main_thread() -> None:
    """Interrupt the main thread as Ctrl-C does.

    This ends a sleep or a wait, too, except in `blocked_in_new_programs`.
    """
    ident = threading.main_thread().ident
    assert ident is not None
    if _is_blocked.is_set():
        signal.raise_signal(signal.SIGINT)
    else:
        signal.pthread_kill(ident, signal.SIGINT)


class Held:
    """Holds the first signal back until `check`, `released` or the end of `held`.

    A second signal is not held back.
    """

    def __init__(self, handlers: dict[signal.Signals, Callable[..., object]]) -> None:
        self._handlers = handlers
        self._noted: signal.Signals | None = None

    def check(self) -> None:
        """Handle the signal that came, if one did: Ctrl-C raises KeyboardInterrupt."""
        if self._noted is not None:
            number, self._noted = self._noted, None
            self._handlers[number](number, None)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let signals interrupt the block, and one that came before it."""
        self.release()
        try:
            self.check()
            yield
        finally:
            self.hold()

    def hold(self) -> None:
        """Hold signals back from now on."""
        self._set(
            {number: OwnHandler(self._note, before) for number, before in self._handlers.items()}
        )

    def release(self) -> None:
        """Handle signals as before from now on; one that was held back is handled by `check`."""
        self._set(self._handlers)

    def _note(self, number: int, frame: object) -> None:
        is_second, self._noted = self._noted is not None, signal.Signals(number)
        if is_second:
            self.check()

    @staticmethod
    def _set(handlers: Mapping[signal.Signals, Callable[..., object]]) -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[Held]:
    """Hold Ctrl-C back until the end of the block, and SIGTERM and SIGHUP if they have handlers.

    So is the signal by which Slurm tells a job of submitit that its time is nearly over. It acts as
    Ctrl-C: the trial waits again. Submitit's own handler would raise an error in the trial.

    Without this, KeyboardInterrupt could be raised in the middle of a commit, after which
    SQLAlchemy's session cannot be used, or in a callback of the garbage collector, which drops it.
    """
    handlers: dict[signal.Signals, Callable[..., object]] = {}
    of_submitit = {}
    if threading.current_thread() is threading.main_thread():  # only there can signals be handled
        now = {number: signal.getsignal(number) for number in _SIGNALS}
        handlers = {number: handler for number, handler in now.items() if callable(handler)}
        of_submitit = _handlers_of_submitit()
        handlers |= dict.fromkeys(of_submitit, _interrupt)
    hold = Held(handlers)
    hold.hold()
    try:
        yield hold
    finally:
        hold.release()
        Held._set(of_submitit)
    hold.check()


def _handlers_of_submitit() -> dict[signal.Signals, Callable[..., object]]:
    """Return submitit's handlers of the signals that programs may use as they like."""
    names = [name for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name)]
    now = {number: signal.getsignal(number) for number in (signal.Signals[name] for name in names)}
    return {
        number: handler
        for number, handler in now.items()
        if handler is _interrupt  # in the place of submitit's, outside of another `held`
        or (callable(handler) and str(handler.__module__).partition(".")[0] == "submitit")
    }
