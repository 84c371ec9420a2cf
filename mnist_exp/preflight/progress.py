"""Say on a long check what is being looked at, and when its time is up."""

import sys
import time

SILENT_SECONDS = 2.0  # of a check that most programs take, nothing is said


class Progress:
    """The clock of one check of a program.

    started: by `time.perf_counter()`. budget: seconds after which no check begins; None for any.
    """

    def __init__(self, started: float, budget: float | None = None) -> None:
        self._started, self._budget = started, budget
        self._shown = 0  # characters of the line on the screen

    @property
    def seconds(self) -> float:
        """Return how long it has taken so far."""
        return time.perf_counter() - self._started

    @property
    def over(self) -> bool:
        """Return True when the time is up."""
        return self._budget is not None and self.seconds > self._budget

    def show(self, judged: str) -> None:
        """Write to a person's screen what is being judged, in place of what it said before."""
        if self.seconds > SILENT_SECONDS and _person_looks():
            line = f"preflight: {self.seconds:.0f} s, looks at {judged}"
            sys.stderr.write(f"\r{line.ljust(self._shown)}")
            sys.stderr.flush()
            self._shown = len(line)

    def close(self) -> None:
        """Take the line off the screen."""
        if self._shown:
            sys.stderr.write(f"\r{' ' * self._shown}\r")
            sys.stderr.flush()
            self._shown = 0


def _person_looks() -> bool:
    """Return True for a terminal or a notebook; a line in a file would be of no use."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules
