"""A disk that is full: which folder is on it, in a line."""

import errno
import os
import shutil
import tempfile

_LITTLE = 2**26  # bytes


def full_disk(error: BaseException | None) -> str | None:
    """Return a line that names the folder that a disk has no more space for.

    None for an error of another kind.
    """
    if not (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return None
    temporary = tempfile.gettempdir()
    if error.filename is not None:
        folder = os.path.dirname(os.path.abspath(os.fsdecode(error.filename)))
    else:
        folder = min((temporary, os.getcwd()), key=lambda folder: shutil.disk_usage(folder).free)
        if shutil.disk_usage(folder).free > _LITTLE:
            return error.strerror  # it is another disk
    hint = "; TMPDIR names the folder of temporary files" if folder == temporary else ""
    return f"{folder}: {error.strerror}{hint}"
