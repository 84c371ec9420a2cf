"""Tell in which form a folder or a file has its images."""

import os
from collections.abc import Callable
from pathlib import Path

from mnist_exp.data import idx_files, npz_files, parquet_files, picture_folders
from mnist_exp.data.file_kinds import kind_of_file
from mnist_exp.data.folders import files_in, folders_in, listing
from mnist_exp.data.near_names import near_names
from mnist_exp.data.parts import Source
from mnist_exp.errors import DataError, did_you_mean
from mnist_exp.sweeper.foreign_text import clean

_EXPECTED = (
    "expected IDX files (train-images-idx3-ubyte ...), one .npz file, pictures in train/CLASS/ and "
    "test/CLASS/, or Parquet files (train-*.parquet and test-*.parquet)"
)
_FORMS: tuple[Callable[[Path], Source | None], ...] = (
    idx_files.find,
    npz_files.find,
    picture_folders.find,
    parquet_files.find,
)
_DEEPEST = 3  # folders that hold nothing but one other
_WHERE_FROM = {
    "fashion-mnist": (
        "; Debian's and Ubuntu's package dataset-fashion-mnist makes it; data.dir=FOLDER reads its "
        "four files, which https://github.com/zalandoresearch/fashion-mnist has, from elsewhere"
    )
}


def find(dir: str | Path) -> Source:
    """Return the source that the setting data.dir names.

    The forms are tried in a fixed order: IDX files, an .npz file, pictures, Parquet files. A folder
    that holds nothing but another is looked into. Raises DataError.
    """
    path = Path(os.path.expanduser(dir))
    try:
        if path.is_file():
            return _of_file(path)
        if path.is_dir():
            return _of_folder(path)
    except OSError as error:
        raise DataError(f"data.dir={dir}: cannot be read ({error.strerror or error})") from None
    if path.parent.is_dir():  # gzip/emnist-letters, the beginning of the names of four files
        source = idx_files.find(path.parent, prefix=path.name)
        if source is not None:
            return source
        near = did_you_mean(path.name, [p.name for p in folders_in(path.parent)])
    else:
        near = ""
    raise DataError(
        f"data.dir={dir}: no such folder or file{_WHERE_FROM.get(path.name, near)}\n{_EXPECTED}"
    )


def _of_file(path: Path) -> Source:
    if path.suffix.lower() == ".npz":
        return npz_files.source(path)
    raise DataError(f"data.dir={path}: {kind_of_file(path)}\n{_EXPECTED}")


def _of_folder(path: Path) -> Source:
    folder = path
    for _ in range(_DEEPEST):
        for find_form in _FORMS:
            if (source := find_form(folder)) is not None:
                return source
        inner = folders_in(folder)
        if len(inner) != 1:
            break
        folder = inner[0]
    raise DataError(f"data.dir={path}: {_instead(path)}\n{_EXPECTED}")


def _instead(folder: Path) -> str:
    """Return what is in a folder that has no data of a known form."""
    files, folders = files_in(folder), folders_in(folder)
    found = f"found {listing(folder)}"
    if near := near_names(["train", "test"], [each.name for each in folders]):
        return found + near
    if len(folders) > 1 and all(picture_folders.has_pictures(each) for each in folders[:2]):
        return f"{found}; a part of each class belongs in train/CLASS/ and another in test/CLASS/"
    for path in files:
        kind = kind_of_file(path)
        if ";" in kind or "," in kind:
            return f"{found}; {clean(path.name, 60)} is {kind}"
    return found
