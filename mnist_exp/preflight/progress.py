"""Say on a long check what is being looked at, and when its time is up."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

SILENT_SECONDS = 2.0  # of a check that most programs take, nothing is said

Teller = Callable[[str], None]
"""Is given each line in place of the last one, and an empty one at the end."""

_teller: ContextVar[Teller | None] = ContextVar("teller", default=None)


@contextmanager
def told_to(teller: Teller | None) -> Iterator[None]:
    """Let checks in the block give their lines to this; None is a person's screen, as otherwise."""
    before = _teller.set(teller)
    try:
        yield
    finally:
        _teller.reset(before)


class Progress:
    """The clock of one check of a program.

    started: by `time.perf_counter()`. budget: seconds after which no check begins; None for any.
    """

    def __init__(self, started: float, budget: float | None = None) -> None:
        self._started, self._budget = started, budget
        self._tell = _teller.get() or _usual_teller()
        self._has_told = False

    @property
    def seconds(self) -> float:
        """Return how long it has taken so far."""
        return time.perf_counter() - self._started

    @property
    def over(self) -> bool:
        """Return True when the time is up."""
        return self._budget is not None and self.seconds > self._budget

    def show(self, judged: str) -> None:
        """Tell what is being judged, in place of what was told before."""
        if self.seconds > SILENT_SECONDS:
            self._tell(f"preflight: {self.seconds:.0f} s, looks at {judged}")
            self._has_told = True

    def close(self) -> None:
        """Take the line off the screen."""
        if self._has_told:
            self._tell("")
            self._has_told = False


def _usual_teller() -> Teller:
    """Return what writes to the screen of a person; a line in a file would be of no use."""
    if (python := sys.modules.get("IPython")) and hasattr(python.get_ipython(), "kernel"):
        return _NotebookLine(python.display.display)
    return _TerminalLine() if sys.stderr.isatty() else lambda line: None


class _TerminalLine:
    """A line of standard error, written over the last one."""

    def __init__(self) -> None:
        self._shown = 0  # characters

    def __call__(self, line: str) -> None:
        sys.stderr.write(f"\r{line.ljust(self._shown)}" + ("" if line else "\r"))
        sys.stderr.flush()
        self._shown = len(line)


class _NotebookLine:
    """A display of a notebook's cell, written anew: standard error would keep every line."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display, self._handle = display, None

    def __call__(self, line: str) -> None:
        shown = {"text/plain": line}
        if self._handle is None:
            self._handle = self._display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)
