"""What Python remembers of the folders in which it looks for modules."""

import importlib
import threading

_ONE_AT_A_TIME = threading.Lock()


def look_again() -> None:
    """Forget what folders held, so that a module whose file is a moment old is found.

    `importlib.invalidate_caches` alone raises KeyError if two threads call it at once and both
    delete the entry of the same folder that is none.
    """
    with _ONE_AT_A_TIME:
        importlib.invalidate_caches()
