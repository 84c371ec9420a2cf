"""The only place where tests wait: for an event, never for a time that should be enough."""

import time
import urllib.request
from collections.abc import Callable

# Seconds after which an event will not come any more, even on the slowest machine.
LIMIT = 600.0


def until(condition: Callable[[], object], what: str, limit: float = LIMIT) -> None:
    """Wait until the condition holds. Raises AssertionError, which says what was waited for."""
    latest = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < latest, f"not after {limit:g} s: {what}"
        time.sleep(0.05)


def answers(address: str) -> bool:
    """Whether a server answers there now; `until` asks again."""
    try:
        with urllib.request.urlopen(address, timeout=10):
            return True
    except OSError:
        return False
