"""What is in a folder, without what systems and archives leave there."""

import os
from pathlib import Path

from mnist_exp.errors import DataError
from mnist_exp.sweeper.foreign_text import clean

_LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx")


def entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the files and the folders in a folder, links followed, each sorted by name.

    No disc changes that order. Raises DataError if the folder cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            visible = sorted((entry.name, entry.is_dir()) for entry in found if _is_visible(entry))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error})") from None
    files = [folder / name for name, is_folder in visible if not is_folder]
    return files, [folder / name for name, is_folder in visible if is_folder]


def files_in(folder: Path) -> list[Path]:
    """Return the files in a folder, sorted by name. Raises DataError if it cannot be read."""
    return entries(folder)[0]


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted by name. Raises DataError if it cannot be read."""
    return entries(folder)[1]


def listing(folder: Path) -> str:
    """Return the first names in a folder, for messages."""
    files, folders = entries(folder)
    names = [path.name for path in files] + [f"{path.name}/" for path in folders]
    shown = ", ".join(clean(name, 60) for name in sorted(names)[:6])
    return shown + (" ..." if len(names) > 6 else "") or "an empty folder"


def _is_visible(entry: "os.DirEntry[str]") -> bool:
    return not entry.name.startswith(".") and entry.name.lower() not in _LEFT_BY_SYSTEMS
