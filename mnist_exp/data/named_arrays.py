"""The arrays x_train, y_train, x_test and y_test, as Keras has them: checked, and made parts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import image_arrays
from mnist_exp.data.classes import checked_names
from mnist_exp.data.near_names import near_names
from mnist_exp.data.parts import Contents, Part, from_array
from mnist_exp.errors import DataError
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

NEEDED = ("x_train", "y_train", "x_test", "y_test")
_CLASS_NAMES = "class_names"
NAMES = (*NEEDED, "x_val", "y_val", _CLASS_NAMES)
_Header = tuple["np.dtype[Any]", tuple[int, ...]]


def contents_of(
    where: str, arrays: Mapping[str, NDArray[Any]], sha256: Mapping[str, str]
) -> Contents:
    """Return the contents of arrays that `check` takes. Raises DataError."""
    return Contents(
        train=_part(where, arrays, "train"),
        test=_part(where, arrays, "test"),
        val=_part(where, arrays, "val") if "x_val" in arrays else None,
        class_names=_class_names(where, arrays.get(_CLASS_NAMES)),
        sha256=dict(sha256),
    )


def check(where: str, headers: Mapping[str, _Header]) -> None:
    """Raise DataError for what is missing, and for an array of another type or shape."""
    if missing := [name for name in _needed(headers) if name not in headers]:
        raise DataError(
            f"{where}: expected the arrays {', '.join(_needed(headers))}, found no "
            f"{' and no '.join(missing)} among "
            f"{', '.join(clean(name, 40) for name in list(headers)[:12]) or 'no arrays'}"
            f"{near_names(missing, headers)}"
        )
    for name in (name for name in NAMES if name in headers):
        dtype, shape = headers[name]
        array = f"{where}: {name}"
        if dtype.hasobject:
            raise DataError(
                f"{array}: an array of pickled Python objects, which may run code and are never "
                f"loaded; save it as numbers: np.array({name}.tolist())"
            )
        if name == _CLASS_NAMES:
            _check_class_names(array, dtype, shape)
        elif name.startswith("x"):
            image_arrays.check_type(dtype, array, name)
            image_arrays.check_shape(shape, array, name)
        else:
            _check_labels(array, name, dtype, shape)


def _needed(headers: Mapping[str, _Header]) -> list[str]:
    """The names that have to be there: with one array of validation images its labels, too."""
    has_val = "x_val" in headers or "y_val" in headers
    return [*NEEDED, *(["x_val", "y_val"] if has_val else [])]


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


def _part(where: str, arrays: Mapping[str, NDArray[Any]], name: str) -> Part:
    images, labels = image_arrays.channels_last(arrays[f"x_{name}"]), arrays[f"y_{name}"].ravel()
    if len(images) != len(labels):
        raise DataError(
            f"{where}: x_{name} has {plural(len(images), 'image')} but y_{name} has "
            f"{plural(len(labels), 'label')}; expected one label an image"
        )
    if labels.dtype == np.uint64 and labels.max() > np.iinfo(np.int64).max:
        raise DataError(f"{where}: y_{name}: expected labels from 0, found {labels.max()}")
    return Part(
        images_in=f"{where}: x_{name}",
        labels_in=f"{where}: y_{name}",
        labels=labels.astype(np.int64),
        read=from_array(images),
    )


def _class_names(where: str, names: NDArray[Any] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    texts = [
        name.decode("utf-8", "replace") if isinstance(name, bytes) else name
        for name in names.tolist()
    ]
    return checked_names(texts, f"{where}: {_CLASS_NAMES}")
