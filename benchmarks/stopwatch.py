"""The time of a run by phase. Each second is counted in the innermost phase only."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


class Stopwatch:
    """A stopwatch with `seconds` by phase; time outside of all phases is in `rest`."""

    def __init__(self, rest: str = "other") -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._phases = [rest]
        self._since = time.perf_counter()

    def _charge(self) -> None:
        now = time.perf_counter()
        self.seconds[self._phases[-1]] += now - self._since
        self._since = now

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time of a block as a phase."""
        self._charge()
        self._phases.append(name)
        try:
            yield
        finally:
            self._charge()
            self._phases.pop()

    def lap(self) -> dict[str, float]:
        """Return the seconds by phase until now, and start again at zero."""
        self._charge()
        seconds, self.seconds = dict(self.seconds), defaultdict(float)
        return seconds

    def watch(self, owner: Any, name: str, phase: str) -> None:
        """Count the time of the function `owner.name` as a phase, by replacing it."""
        function: Callable[..., Any] = getattr(owner, name)

        @wraps(function)
        def watched(*arguments: Any, **keywords: Any) -> Any:
            with self.phase(phase):
                return function(*arguments, **keywords)

        setattr(owner, name, watched)
