"""Read what a logged model is asked about: pictures' files or arrays, in any form of a request.

A copy of this file is part of every logged model, so its imports are relative.
"""

import base64
import binascii
import urllib.parse
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from . import preprocessing, resizing
from .form import Form
from .picture_files import PictureError

COLUMN = "image"  # of a data frame with pictures
_ROUNDING = 0.5 / 255  # half a level of grey, by which pixels may exceed black and white
_WRAPPED = "b64"  # the key under which TensorFlow Serving expects bytes in base64


def images(model_input: Any, form: Form) -> NDArray[np.float32]:
    """Return the images [N, H, W, C] in [0, 1]. Raises MlflowException for anything else."""
    items = _items(model_input, form)
    if not items:
        raise _refused("expected at least one image, found none")
    if all(isinstance(item, str | bytes) for item in items):
        return np.stack([_decoded(item, number, form) for number, item in enumerate(items)])
    try:
        values = np.array(items)
    except ValueError:
        values = np.array(items, object)
    if values.dtype.kind not in "fiub" or values.shape[1:] not in _shapes(form):
        raise _refused(
            f"expected base64-encoded pictures, or numbers {form.array_shapes}; "
            f"found {_described(items, values)}"
        )
    pixels = values.reshape(-1, *form.image_shape).astype(np.float32)
    unit = pixels / _white(pixels)
    if not (unit.min() >= -_ROUNDING and unit.max() <= 1 + _ROUNDING):  # NaN is neither
        raise _refused(
            "expected the pixels of all images in 0..1, or of all in 0..255; found "
            f"{pixels.min():g} to {pixels.max():g}"
        )
    return np.clip(unit, 0, 1).astype(np.float32)


def _white(pixels: NDArray[np.float32]) -> int:
    """Return what white is in images [N, H, W, C], 1 or 255.

    An image with fractions that ends at 1, or a little above it as resizing leaves it, is in 0..1.
    Whole numbers up to 1 may be in either, so that they follow the others.
    """
    brightest = pixels.max(axis=(1, 2, 3))
    told = brightest[(pixels != np.round(pixels)).any(axis=(1, 2, 3))]
    return 255 if (told.min() if told.size else brightest.max()) >= 2 else 1


def pixels_of(
    content: bytes, image_shape: tuple[int, int, int], *, is_digit: bool
) -> NDArray[np.uint8]:
    """Return what a network is given of a picture's file, [H, W, C].

    A digit is preprocessed as MNIST's scans were; any other picture is resized. Raises PictureError
    for a file that is no picture, or that shows no digit where one is expected.
    """
    if is_digit:
        return preprocessing.from_bytes(content)[:, :, None]
    return resizing.from_bytes(content, image_shape)


def _shapes(form: Form) -> tuple[tuple[int, ...], ...]:
    """Return the shapes that the array of one image may have: grey needs no channel."""
    height, width, channels = form.image_shape
    return ((height, width), form.image_shape) if channels == 1 else (form.image_shape,)


def _items(model_input: Any, form: Form) -> list[Any]:
    """Return the texts, or nested lists of numbers, of the images in a model's input.

    A caller or MLflow's server passes a data frame, a dict of columns, a list of rows, an array, or
    one image; `{"b64": TEXT}` stands for TEXT, as in TensorFlow Serving.
    """
    values = model_input
    if isinstance(values, list) and values and all(isinstance(row, dict) for row in values):
        names = dict.fromkeys(name for row in values for name in row)
        values = {name: [row.get(name) for row in values] for name in names}
    if isinstance(values, dict | pd.DataFrame):
        column = _WRAPPED if set(values) == {_WRAPPED} else COLUMN
        if column not in values:
            columns = ", ".join(map(str, values)) or "none"
            raise _refused(f"expected a column {COLUMN}, found {columns}")
        values = values[column]
    items = _plain(values)
    if not isinstance(items, list) or _is_one_image(items, form):
        items = [items]
    return [
        item[_WRAPPED] if isinstance(item, dict) and set(item) == {_WRAPPED} else item
        for item in items
    ]


def _is_one_image(items: list[Any], form: Form) -> bool:
    """Return whether these are the rows of one image, not several images."""
    height, width, channels = form.image_shape
    return len(items) == height and all(
        isinstance(row, list) and len(row) == width and _is_one_pixel(row[0], channels)
        for row in items
    )


def _is_one_pixel(value: Any, channels: int) -> bool:
    """Return whether this is a grey pixel's brightness, or the list of a pixel's colours."""
    if channels == 1:
        return isinstance(value, int | float)
    return isinstance(value, list) and len(value) == channels and isinstance(value[0], int | float)


def _plain(value: Any) -> Any:
    """Return the value with lists for arrays, which MLflow's server nests."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist()) if value.dtype == object else value.tolist()
    if isinstance(value, pd.Series | list | tuple):
        return [_plain(item) for item in value]
    return value


def _described(items: list[Any], values: NDArray[Any]) -> str:
    """Return in words what was given instead of images."""
    if values.dtype.kind in "fiub":
        return f"{values.dtype} {list(values.shape)}"
    kinds = {"text" if isinstance(item, str | bytes) else type(item).__name__ for item in items}
    return " and ".join(sorted(kinds)) + (" of different shapes" if kinds == {"list"} else "")


def _decoded(text: str | bytes, number: int, form: Form) -> NDArray[np.float32]:
    """Return the image [H, W, C] in [0, 1] of a picture in base64, with or without `data:...,`.

    Raises MlflowException, which names the picture by its number.
    """
    try:
        pixels = pixels_of(_content(text), form.image_shape, is_digit=form.is_digits)
        return (pixels / 255).astype(np.float32)
    except PictureError as error:
        raise _refused(f"image {number}: {error}") from error


def _content(text: str | bytes) -> bytes:
    """Return the bytes that a text holds in base64.

    Both alphabets, line breaks and missing padding are accepted. Raises PictureError for others.
    """
    encoded = text if isinstance(text, bytes) else text.encode()
    if encoded[:5].lower() == b"data:":
        encoded = urllib.parse.unquote_to_bytes(encoded.partition(b",")[2])
    compact = b"".join(encoded.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except binascii.Error:
        if isinstance(text, bytes):  # the file itself, for example from a Parquet column of bytes
            return text
        start = text.strip()[:30]
        raise PictureError(f"expected a picture's file in base64, found {start!r}") from None


def _refused(reason: str) -> MlflowException:
    """Return the error that a model's server answers with status 400."""
    error: MlflowException = MlflowException.invalid_parameter_value(reason)
    return error
