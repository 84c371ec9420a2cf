"""The port of the UI that runs on a local database: a note beside the file while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mnist_exp.outside.foreign_files import read
from mnist_exp.outside.uris import sqlite_file
from mnist_exp.sweeper.processes import is_alive, this_process

_MOST_BYTES = 1000
_PORTS = range(1, 65536)


def place(uri: str) -> Path | None:
    """Return where the note is for the store with this `store_uri`; None for one that has none."""
    file = sqlite_file(uri)
    return None if file is None else file.with_name(f".{file.name}.ui")


def port_of(uri: str) -> int | None:
    """Return the port of the UI that runs on this machine for this store, None if none is known."""
    note = place(uri)
    if note is None:
        return None
    try:
        process, _, text = read(note, _MOST_BYTES).decode().strip().rpartition(" ")
        port = int(text)
    except (OSError, ValueError):
        return None
    return port if port in _PORTS and is_alive(process) else None


@contextmanager
def written(uri: str, port: int) -> Iterator[None]:
    """Let others know in the block that this process runs the UI at this port, if it can be."""
    note, text = place(uri), f"{this_process()} {port}\n"
    if note is not None:
        with suppress(OSError):  # the folder may be read-only
            note.write_text(text)
    try:
        yield
    finally:
        if note is not None:
            with suppress(OSError, ValueError):
                if read(note, _MOST_BYTES).decode() == text:  # not another UI's
                    note.unlink()
