"""The model that a run logs, as MLflow loads it: pictures or arrays in, digits with their probabilities out.

Copies of this file and of preprocessing.py travel with the model, in a package of their own, so that it loads where
mnist_exp is not installed; therefore the relative import.
"""

import base64
import binascii
import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray
from PIL import Image

from .preprocessing import SIZE, PictureError, from_bytes

COLUMN = "image"  # of a data frame with pictures
RETURN_PIXELS = "return_pixels"  # the parameter that adds what the network was given
_BATCH = 1000


class DigitModel:
    """What `mlflow.pyfunc.load_model` wraps. `keras_file` holds a network from [N, 28, 28, 1] in [0, 1] to logits."""

    def __init__(self, keras_file: Path) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no start-up messages about absent GPUs
        if "keras" not in sys.modules:
            os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever a keras.json says
        import keras

        self._network = keras.models.load_model(keras_file, compile=False)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """A row for each image: `digit` 0 to 9, `probabilities` of the ten digits, and if asked for `pixels` [28][28].

        A column, list or array of base64-encoded PNG or JPEG files, which are preprocessed as MNIST was; or of arrays
        [28, 28] or [28, 28, 1], light on dark as in MNIST, in 0..1 or (with any value above 1) in 0..255, which are
        not. Raises MlflowException for anything else, which a server answers with status 400.
        """
        images = _images(model_input)
        logits = [
            np.asarray(self._network(images[start : start + _BATCH]), np.float64)
            for start in range(0, len(images), _BATCH)
        ]
        probabilities = _softmax(np.concatenate(logits))
        table: dict[str, list[Any]] = {
            "digit": probabilities.argmax(axis=1).tolist(),
            "probabilities": probabilities.tolist(),
        }
        if params and params.get(RETURN_PIXELS):
            table["pixels"] = np.round(images[:, :, :, 0] * 255).astype(int).tolist()
        return pd.DataFrame(table)


def _load_pyfunc(data_path: str) -> DigitModel:
    """The name and argument that MLflow prescribes."""
    return DigitModel(Path(data_path))


def as_picture(image: NDArray[np.uint8]) -> str:
    """[28, 28] -> a base64-encoded PNG file, as the model takes it."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _images(given: Any) -> NDArray[np.float32]:
    """[N, 28, 28, 1] in [0, 1]."""
    if isinstance(given, dict | pd.DataFrame):
        if COLUMN not in given:
            raise _refused(f"expected a column {COLUMN}, found {', '.join(map(str, given)) or 'none'}")
        given = given[COLUMN]
    values = np.asarray(given) if isinstance(given, np.ndarray) else _array(list(given))
    if values.size == 0:
        raise _refused("expected at least one image, found none")
    if values.dtype.kind in "OUS":
        items = values.ravel().tolist()
        if all(isinstance(item, str | bytes) for item in items):
            return np.stack([_decoded(item, number) for number, item in enumerate(items)])
        values = _array(values.tolist())  # numbers of a data frame's column, or as a server passes them on
    if values.dtype.kind not in "fiub" or values.shape[1:] not in ((SIZE, SIZE), (SIZE, SIZE, 1)):
        raise _refused(
            f"expected base64-encoded pictures, or numbers [N, {SIZE}, {SIZE}] or [N, {SIZE}, {SIZE}, 1]; found "
            f"{values.dtype} {list(values.shape)}"
        )
    pixels = values.reshape(-1, SIZE, SIZE, 1).astype(np.float32)
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 255):
        raise _refused(f"expected pixels in 0..1 or 0..255, found {pixels.min():g} to {pixels.max():g}")
    return (pixels / 255).astype(np.float32) if pixels.max() > 1 else pixels


def _array(items: list[Any]) -> NDArray[Any]:
    if any(isinstance(item, str | bytes) for item in items):
        return np.array(items, object)
    try:
        return np.array(items)
    except ValueError:
        raise _refused("expected images of one kind and shape, found several") from None


def _decoded(text: str | bytes, number: int) -> NDArray[np.float32]:
    """[28, 28, 1] in [0, 1] from a picture in base64, with or without the `data:` of a URL before it."""
    encoded = text if isinstance(text, bytes) else text.encode()
    encoded = encoded.partition(b",")[2] if encoded.startswith(b"data:") else encoded
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise _refused(f"image {number}: expected a PNG or JPEG file in base64") from None
    try:
        return (from_bytes(content)[:, :, None] / 255).astype(np.float32)
    except PictureError as error:
        raise _refused(f"image {number}: {error}") from error


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _refused(reason: str) -> MlflowException:
    return MlflowException.invalid_parameter_value(reason)
