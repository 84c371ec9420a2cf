"""Keep what was read last, for the next run of the same process: a worker's trials follow on."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mnist_exp.data.parts import Contents, Source
from mnist_exp.errors import DataError

# Nanoseconds. A file that changed less than this before it was read may change again within one
# tick of its file system's clock, so that its times do not tell.
_TICK = 2_000_000_000
_State = tuple[str, int, int, int, int]  # path, inode, size, times of the content and of the entry


@dataclass
class _Kept:
    states: list[_State]
    contents: Contents | None


_kept = _Kept([], None)
_one_at_a_time = threading.Lock()


def contents(source: Source) -> Contents:
    """Return what the files hold; they are read again only if one of them has changed.

    Raises DataError.
    """
    with _one_at_a_time:
        begun = time.time_ns()
        states = [_state(path) for path in source.files]
        if _kept.contents is not None and _kept.states == states:
            return _kept.contents
        _kept.contents = None  # before others are read: both may not fit into memory
        read = source.read()
        if all(max(state[3:]) < begun - _TICK for state in states):
            _kept.states, _kept.contents = states, read
        return read


def _state(path: Path) -> _State:
    """Return what changes when a file does. Raises DataError if it is gone."""
    try:
        stat = os.stat(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    return str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
