"""What is in a folder, without what systems and archives leave there."""

import os
from pathlib import Path

from mnist_exp.errors import DataError
from mnist_exp.sweeper.foreign_text import clean

_LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx")


def files_in(folder: Path) -> list[Path]:
    """Return the files in a folder, sorted by name. Raises DataError if it cannot be read."""
    return [path for path, is_folder in _entries(folder) if not is_folder]


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted by name. Raises DataError if it cannot be read."""
    return [path for path, is_folder in _entries(folder) if is_folder]


def listing(folder: Path) -> str:
    """Return the first names in a folder, for messages."""
    names = [path.name + "/" * is_folder for path, is_folder in _entries(folder)]
    shown = ", ".join(clean(name, 60) for name in names[:6]) + (" ..." if len(names) > 6 else "")
    return shown or "an empty folder"


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    """Return (path, whether it is a folder), links followed, in an order that no disc changes."""
    try:
        with os.scandir(folder) as entries:
            visible = [(entry.name, entry.is_dir()) for entry in entries if _is_visible(entry.name)]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error})") from None
    return [(folder / name, is_folder) for name, is_folder in sorted(visible)]


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in _LEFT_BY_SYSTEMS
