"""Read one .npz file with the arrays x_train, y_train, x_test and y_test, as Keras has them."""

import hashlib
from pathlib import Path

from mnist_exp.data import image_arrays, named_arrays
from mnist_exp.data.folders import files_in
from mnist_exp.data.parts import Contents, Source
from mnist_exp.errors import DataError
from mnist_exp.outside import foreign_files
from mnist_exp.sweeper.foreign_text import clean


def find(folder: Path) -> Source | None:
    """Return the source of the one .npz file in a folder; None if it has none.

    Raises DataError if it has several.
    """
    paths = [path for path in files_in(folder) if path.suffix.lower() == ".npz"]
    if len(paths) > 1:
        names = ", ".join(clean(path.name, 60) for path in paths[:6])
        needed = ", ".join(named_arrays.NEEDED)
        raise DataError(f"{folder}: expected one .npz file with the arrays {needed}; found {names}")
    return source(paths[0]) if paths else None


def source(path: Path) -> Source:
    """Return the source of one .npz file."""
    return Source(files=(path,), read=lambda: _read(path))


def _read(path: Path) -> Contents:
    try:
        headers = foreign_files.read_npz_headers(path)
        named_arrays.check(str(path), headers)
        kinds = {name: headers[name][0].kind for name in named_arrays.NAMES if name in headers}
        arrays = foreign_files.read_npz(
            path, {name: (kind, None) for name, kind in kinds.items()}, 2 * image_arrays.MOST_BYTES
        )
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    return named_arrays.contents_of(str(path), arrays, {path.name: digest})
