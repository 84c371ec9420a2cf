"""A lock that is a file: it ends with its holder, however that ends."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import filelock

_NONE = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


class _FileLock(filelock.FileLock):
    def acquire(self, *arguments: Any, **settings: Any) -> filelock.AcquireReturnProxy:
        try:
            _make(self.lock_file)
            return super().acquire(*arguments, **settings)
        except OSError as error:
            if error.errno not in _NONE:
                raise
            folder = os.path.dirname(os.path.abspath(self.lock_file))
            raise OSError(
                error.errno,
                f"the file system of {folder} has no locks ({error.strerror}); take a folder on another one",
            ) from error


def file_lock(path: Path, **settings: Any) -> filelock.FileLock:
    """As filelock's. Acquiring it raises OSError where the file system has no locks, as some shared ones have none.

    There filelock would take the existence of the file for the lock, and wait for ever for one that was left behind.
    It raises OSError, too, where no file can be made although the folder is there (/proc), for which filelock waits for ever.
    """
    return _FileLock(path, fallback_to_soft=False, **settings)


def _make(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)  # as filelock does
    with suppress(FileExistsError, PermissionError):  # of another user's file filelock knows more
        os.close(
            os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        )  # the mode that filelock gives it
