"""Run an action in a thread, and wait for it no longer than a given time."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Attempt(Generic[_T]):
    """An action in a thread of its own; `start` begins it."""

    def __init__(self, action: Callable[[], _T]) -> None:
        self._action = action
        self._over = threading.Event()
        self._result: list[_T] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Attempt[_T]":
        """Begin the action, and return the attempt."""
        self._thread.start()
        return self

    @property
    def has_begun(self) -> bool:
        """Whether the action may have done something by now."""
        return self._thread.ident is not None

    @property
    def is_over(self) -> bool:
        """Whether the action has returned or raised."""
        return self._over.is_set()

    def wait(self, seconds: float | None) -> bool:
        """Wait until the action is over, for at most so many seconds; return whether it is."""
        return self._over.wait(seconds)

    def result(self) -> _T:
        """Return what the action returned, or raise what it raised. Call it when it is over."""
        if self._failure is not None:
            raise self._failure
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._action())
        except BaseException as error:  # noqa: BLE001  # raised where the result is asked for
            self._failure = error
        finally:
            self._over.set()


def within(
    seconds: float | None, action: Callable[[], _T], too_late: Callable[[_T], None] | None = None
) -> _T:
    """Return what the action returns, which may take so many seconds, or any time if None.

    Raises TimeoutError, which is an OSError, if the action is not over by then. What it returns
    later, when nobody waits any more, goes to `too_late` in the action's thread.
    """
    is_abandoned = threading.Event()

    def act() -> _T:
        result = action()
        if too_late is not None and is_abandoned.is_set():
            too_late(result)
        return result

    attempt = Attempt(act).start()
    try:
        if not attempt.wait(seconds):
            raise TimeoutError(f"no answer within {seconds:.0f} seconds")
    except BaseException:  # a signal, too
        is_abandoned.set()
        raise
    return attempt.result()
