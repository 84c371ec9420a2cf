"""A lock that is a file. It is released when its holder ends, however that happens."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import filelock

_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


class _FileLock(filelock.FileLock):
    def acquire(self, *arguments: Any, **settings: Any) -> "filelock.AcquireReturnProxy[Any]":
        try:
            _make(self.lock_file)
            return super().acquire(*arguments, **settings)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            folder = os.path.dirname(os.path.abspath(self.lock_file))
            raise OSError(
                error.errno,
                f"the file system of {folder} has no locks ({error.strerror}); "
                "take a folder on another one",
            ) from error


def file_lock(path: Path, **settings: Any) -> filelock.FileLock:
    """Return a lock of the package filelock that raises OSError where that package would hang.

    On a file system without locks (some network file systems), filelock takes the existence of the
    file for the lock, and waits for ever for a file that was left behind. Where no file can be
    created in an existing folder (/proc), it waits for ever, too.
    """
    return _FileLock(path, fallback_to_soft=False, **settings)


def _make(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)  # as filelock does
    with suppress(FileExistsError, PermissionError):  # filelock handles another user's file
        # The mode is the one that filelock gives the file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644))
