"""Where a run is shown while it goes on: a terminal, a file, or one display of a notebook."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import escape
from typing import Any, Protocol

from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from mnist_exp.outside.printing import console
from mnist_exp.sweeper.lasting_stream import LastingStream
from mnist_exp.sweeper.terminal import printable_lines

_EVERY = 0.2  # seconds between two changes of a bar in a notebook


class Screen(Protocol):
    """Shows lines, and below them a bar while there is one.

    `aside` shows a passing line below the others, in place of the last one; None if the screen
    leaves that to standard error.
    """

    aside: Callable[[str], None] | None

    def print(self, text: str) -> None:
        """Add a text of one or several lines."""

    def bar(self, total: int, unit: str = "step") -> AbstractContextManager[None]:
        """Keep a bar of so many units on the screen for the length of the block."""

    def move(self, completed: int, text: Callable[[], str]) -> None:
        """Move the bar, if there is one, and write the text beside it, which is asked for then."""


class Terminal:
    """Standard output; the bar is drawn on terminals alone, lines always."""

    aside: Callable[[str], None] | None = None

    def __init__(self) -> None:
        output = LastingStream()
        # Files and pipes have no width; lines there are never cut or wrapped.
        self._console = console(file=output, width=None if output.isatty() else 200)
        self._bar: Bar | None = None
        self._task = TaskID(0)

    def print(self, text: str) -> None:
        """Print a text above the bar."""
        self._console.print(text, soft_wrap=True)

    @contextmanager
    def bar(self, total: int, unit: str = "step") -> Iterator[None]:
        """Draw a bar of so many units until the block ends, which takes it away."""
        if not self._console.is_terminal:
            yield
            return
        columns = (
            BarColumn(bar_width=30),
            TextColumn(unit + " {task.completed}/{task.total}  {task.description}"),
        )
        with Bar(*columns, console=self._console, transient=True) as self._bar:
            self._task = self._bar.add_task("", total=total)
            try:
                yield
            finally:
                self._bar = None

    def move(self, completed: int, text: Callable[[], str]) -> None:
        """Move the bar, if there is one."""
        if self._bar is not None:
            self._bar.update(self._task, completed=completed, description=text())


class Notebook:
    """One display of a notebook's cell, which is written anew as lines come and the bar moves."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display  # of IPython.display
        self._handle: Any = None
        self._lines: list[str] = []
        self._total, self._unit = 0, "step"
        self._last = ""  # the bar or a passing line, as HTML
        self._shown = 0.0  # when it was, by time.monotonic()
        self.aside: Callable[[str], None] | None = self._pass

    def print(self, text: str) -> None:
        """Add a text, and show all."""
        self._lines += printable_lines(text).split("\n")
        self._show()

    @contextmanager
    def bar(self, total: int, unit: str = "step") -> Iterator[None]:
        """Show a bar of so many units until the block ends."""
        self._total, self._unit = total, unit
        try:
            yield
        finally:
            self._total, self._last = 0, ""
            self._show()

    def move(self, completed: int, text: Callable[[], str]) -> None:
        """Move the bar, if there is one, unless it has just been moved."""
        if self._total and time.monotonic() - self._shown > _EVERY:
            said = f"{self._unit} {completed}/{self._total}  {escape(text())}"
            self._last = f'<progress max="{self._total}" value="{completed}"></progress> {said}'
            self._show()

    def _pass(self, line: str) -> None:
        self._last = escape(line)
        self._show()

    def _show(self) -> None:
        self._shown = time.monotonic()
        text = "\n".join(self._lines)
        # The last lines stay in sight: of columns that are reversed, the end is shown.
        page = (
            '<div tabindex="0" role="log" style="display:flex;flex-direction:column-reverse;'
            'max-height:32em;overflow:auto">'
            '<pre style="flex:none;margin:0;font-family:ui-monospace,monospace;line-height:1.4;'
            'white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere">'
            f"{escape(text)}\n{self._last}</pre></div>"
        )
        shown = {"text/plain": text, "text/html": page}
        if self._handle is None:
            self._handle = self._display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


def present_screen() -> Screen:
    """Return the screen of this process: of a notebook if its kernel runs here."""
    if (python := sys.modules.get("IPython")) and hasattr(python.get_ipython(), "kernel"):
        return Notebook(python.display.display)
    return Terminal()
