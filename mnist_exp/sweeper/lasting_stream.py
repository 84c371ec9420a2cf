"""Standard output that may fail: work goes on after `| head`, or when the disk is full."""

import contextlib
import io
import os
import sys
from typing import TextIO


class LastingStream(io.TextIOBase):
    """Passes text on to a stream until that cannot be written; later text is dropped.

    By default the stream is `sys.stdout` at the time of the call: a trial replaces it by a file of
    its own. It is None in a process whose standard output was closed, such as a daemon's.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the stream's encoding, UTF-8 if it has none."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Return True if the stream is an open terminal."""
        return self._stream is not None and not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        """Return the stream's file descriptor. Raises io.UnsupportedOperation if it has none."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write the text if the stream still takes any. Returns the number of characters."""
        if self._stream is not None and not self._stream.closed:
            try:
                self._stream.write(text)
            except OSError:
                self._drop()
        return len(text)

    def flush(self) -> None:
        """Flush the stream if it still takes any text."""
        if self._stream is not None and not self._stream.closed:
            try:
                self._stream.flush()
            except OSError:
                self._drop()

    def _drop(self) -> None:
        """Send all further text nowhere, and what the stream would write when the process ends."""
        assert self._stream is not None
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        self._stream = None
