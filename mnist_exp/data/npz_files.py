"""Read one .npz file with the arrays x_train, y_train, x_test and y_test, as Keras has them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import image_arrays
from mnist_exp.data.classes import checked_names
from mnist_exp.data.folders import files_in
from mnist_exp.data.near_names import near_names
from mnist_exp.data.parts import Contents, Part, Source
from mnist_exp.errors import DataError
from mnist_exp.outside import foreign_files
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

_NEEDED = ("x_train", "y_train", "x_test", "y_test")
_CLASS_NAMES = "class_names"
_OPTIONAL = ("x_val", "y_val", _CLASS_NAMES)
_Header = tuple["np.dtype[Any]", tuple[int, ...]]


def find(folder: Path) -> Source | None:
    """Return the source of the one .npz file in a folder; None if it has none.

    Raises DataError if it has several.
    """
    paths = [path for path in files_in(folder) if path.suffix.lower() == ".npz"]
    if len(paths) > 1:
        names = ", ".join(clean(path.name, 60) for path in paths[:6])
        raise DataError(
            f"{folder}: expected one .npz file with the arrays {', '.join(_NEEDED)}; found {names}"
        )
    return source(paths[0]) if paths else None


def source(path: Path) -> Source:
    """Return the source of one .npz file."""
    return Source(files=(path,), read=lambda: _read(path))


def _read(path: Path) -> Contents:
    try:
        headers = foreign_files.read_npz_headers(path)
        _check(path, headers)
        wanted = {
            name: (headers[name][0].kind, None)
            for name in (*_NEEDED, *_OPTIONAL)
            if name in headers
        }
        arrays = foreign_files.read_npz(path, wanted, 2 * image_arrays.MOST_BYTES)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    return Contents(
        train=_part(path, arrays, "train"),
        test=_part(path, arrays, "test"),
        val=_part(path, arrays, "val") if "x_val" in arrays else None,
        class_names=_class_names(path, arrays.get(_CLASS_NAMES)),
        sha256={path.name: digest},
    )


def _check(path: Path, headers: Mapping[str, _Header]) -> None:
    """Raise DataError for what is missing, and for an array of another type or shape."""
    names = [name for name in _OPTIONAL if name in headers]
    if missing := [name for name in _needed(headers) if name not in headers]:
        raise DataError(
            f"{path}: expected the arrays {', '.join(_NEEDED)}; found "
            f"{', '.join(clean(name, 40) for name in list(headers)[:12]) or 'none'}"
            f"{near_names(missing, headers)}"
        )
    for name in (*_NEEDED, *names):
        dtype, shape = headers[name]
        where = f"{path}: {name}"
        if dtype.hasobject:
            raise DataError(
                f"{where}: an array of pickled Python objects, which may run code and are never "
                f"loaded; save it as numbers: np.array({name}.tolist())"
            )
        if name == _CLASS_NAMES:
            _check_class_names(where, dtype, shape)
        elif name.startswith("x"):
            image_arrays.check_type(dtype, where, name)
            image_arrays.check_shape(shape, where, name)
        else:
            _check_labels(where, name, dtype, shape)


def _needed(headers: Mapping[str, _Header]) -> list[str]:
    """The names that have to be there: with one array of validation images its labels, too."""
    has_val = "x_val" in headers or "y_val" in headers
    return [*_NEEDED, *(["x_val", "y_val"] if has_val else [])]


def _check_class_names(where: str, dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> None:
    if dtype.kind not in "US" or len(shape) != 1:
        raise DataError(
            f"{where}: expected texts [K], found {dtype} of shape {list(shape)}; "
            "np.array([NAME, NAME ...]) is such an array"
        )


def _check_labels(where: str, name: str, dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> None:
    expected = f"{where}: expected labels as integers [N] from 0"
    if dtype.kind in "US":
        raise DataError(
            f"{expected}, found texts; `class_names, {name} = np.unique({name}, "
            "return_inverse=True)` numbers them, and class_names in the same file keeps the texts"
        )
    if len(shape) == 2 and shape[1] > 1:
        raise DataError(
            f"{expected}, found shape {list(shape)}; if it is one-hot, {name}.argmax(axis=1) has "
            "the numbers"
        )
    if len(shape) not in (1, 2):
        raise DataError(f"{expected}, found shape {list(shape)}")
    if dtype.kind not in "iu":
        raise DataError(f'{expected}, found {dtype}; {name}.astype("int64") converts whole numbers')


def _part(path: Path, arrays: Mapping[str, NDArray[Any]], name: str) -> Part:
    images, labels = image_arrays.channels_last(arrays[f"x_{name}"]), arrays[f"y_{name}"].ravel()
    where = f"{path}: y_{name}"
    if len(images) != len(labels):
        raise DataError(
            f"{path}: x_{name} has {plural(len(images), 'image')} but y_{name} has "
            f"{plural(len(labels), 'label')}; expected one label an image"
        )
    if labels.dtype == np.uint64 and labels.max() > np.iinfo(np.int64).max:
        raise DataError(f"{where}: expected labels from 0, found {labels.max()}")
    return Part(where=where, labels=labels.astype(np.int64), read=lambda chosen: images[chosen])


def _class_names(path: Path, names: NDArray[Any] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    texts = [
        name.decode("utf-8", "replace") if isinstance(name, bytes) else name
        for name in names.tolist()
    ]
    return checked_names(texts, f"{path}: {_CLASS_NAMES}")
