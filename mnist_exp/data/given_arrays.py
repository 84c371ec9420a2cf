"""Arrays of images and labels that Python gives to a run, in the forms that people have them in."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import named_arrays
from mnist_exp.errors import DataError, first_line
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

_EXPECTED = f"data: expected ({', '.join(named_arrays.NEEDED)})"


def from_python(data: Any) -> dict[str, NDArray[Any]]:
    """Return the arrays of `(x_train, y_train, x_test, y_test)` by their names, not yet checked.

    `((x_train, y_train), (x_test, y_test))`, as keras.datasets has it, is the same; a mapping may
    have all names that an .npz file may have. Lists and columns of data frames are taken for
    arrays. Raises DataError.
    """
    return {name: _array(name, value) for name, value in _named(data).items()}


def digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return 64 hex digits that are the same for the same arrays alone."""
    sha = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha.update(f"{name} {array.dtype} {array.shape} ".encode() + array.tobytes())
    return sha.hexdigest()


def _named(data: Any) -> Mapping[str, Any]:
    """Return the arrays by their names. Raises DataError for another number of them."""
    if isinstance(data, Mapping):
        try:
            return {str(name): data[name] for name in data}
        except ValueError as error:  # an .npz file with pickled arrays
            raise DataError(f"data: {first_line(error)}") from error
    if not isinstance(data, tuple | list):
        raise DataError(f"{_EXPECTED}, found a {type(data).__name__}")
    values = list(data)
    if len(data) == 2 and all(isinstance(part, tuple | list) and len(part) == 2 for part in data):
        values = [value for part in data for value in part]
    if len(values) != len(named_arrays.NEEDED):
        raise DataError(f"{_EXPECTED}, found {plural(len(values), 'value')}")
    return dict(zip(named_arrays.NEEDED, values, strict=True))


def _array(name: str, value: Any) -> NDArray[Any]:
    """Return an array of numbers or texts. Raises DataError for what is none."""
    try:
        array = np.asarray(value)
        if not array.dtype.hasobject:
            return array
        kinds = sorted({type(item).__name__ for item in array.ravel()[:1000].tolist()})
        if kinds == ["str"]:  # a column of a data frame
            return array.astype(str)
    except Exception as error:  # of lists of different lengths, or what another library raises
        raise DataError(f"data: {name}: no array of numbers: {first_line(error)}") from error
    raise DataError(
        f"data: {name}: expected an array of numbers, found objects ({clean(', '.join(kinds), 60)})"
    )
