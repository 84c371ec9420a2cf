"""Standard output that nobody has to take: work goes on after `| head`, on a full disk and without a terminal."""

import contextlib
import io
import os
import sys
from typing import TextIO


class LastingStream(io.TextIOBase):
    """Passes text on to a stream until that cannot be written; what comes after is dropped.

    It is standard output as it is now, for a trial has its own. There is none where a daemon closed it.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return self._stream is not None and not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def write(self, text: str) -> int:
        if self._stream is not None and not self._stream.closed:
            try:
                self._stream.write(text)
            except OSError:
                self._drop()
        return len(text)

    def flush(self) -> None:
        if self._stream is not None and not self._stream.closed:
            try:
                self._stream.flush()
            except OSError:
                self._drop()

    def _drop(self) -> None:
        """Let the rest go nowhere, what the stream still holds and would write at the process's end, too."""
        assert self._stream is not None
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        self._stream = None
