"""A disk that is full: which folder is on it, in a line."""

import errno
import os
import shutil
import tempfile


def full_disk(error: BaseException | None) -> str | None:
    """Return a line that names the folder that a disk has no more space for.

    None for an error of another kind.
    """
    if not (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return None
    temporary = tempfile.gettempdir()
    folder = min((temporary, os.getcwd()), key=lambda folder: shutil.disk_usage(folder).free)
    hint = "; TMPDIR names the folder of temporary files" if folder == temporary else ""
    return f"{folder}: {error.strerror}{hint}"
