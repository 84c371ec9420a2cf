"""The model that a run logs, as MLflow loads it: pictures or arrays in, digits out.

A copy of this file and of the modules that it imports is part of every logged model, which loads
where mnist_exp is not installed; so their imports are relative.
"""

import base64
import binascii
import io
import os
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray
from PIL import Image

from . import judgement
from .picture_files import PictureError
from .pixels import SIZE
from .preprocessing import from_bytes

COLUMN = "image"  # of a data frame with pictures
_WRAPPED = "b64"  # the key under which TensorFlow Serving expects bytes in base64
NETWORK, RULE = "model.keras", "judgement.npz"  # the files of a folder that is served
RETURN_PIXELS = "return_pixels"  # the parameter that adds what the network was given
_BATCH = 1000


class DigitModel:
    """A network as `mlflow.pyfunc.load_model` wraps it.

    `path` is the file of a network from [N, 28, 28, 1] in [0, 1] to logits, or a folder with such a
    file and the rule that doubts its answers.
    """

    def __init__(self, path: Path) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no start-up messages about absent GPUs
        if "keras" not in sys.modules:
            os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever a keras.json says
        import keras

        folder = path if path.is_dir() else None
        network = keras.models.load_model(path / NETWORK if folder else path, compile=False)
        rule = None if folder is None else folder / RULE
        self._rule = None if rule is None or not rule.exists() else judgement.load(rule)
        self._network = keras.Model(network.input, [network.layers[-1].input, network.output])

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return a row for each image.

        Columns are `digit` 0 to 9, `probabilities` of the ten digits, and `pixels` [28][28] if
        `return_pixels` is set. `confidence` is the calibrated probability that the digit is right;
        `sure` is false if that is low or the image is unlike the digits that the network was
        trained on. A model that was logged without a rule has neither of these two columns.

        `model_input` is a column, list or array of pictures' files in base64, which are
        preprocessed as MNIST was; or of arrays [28, 28] or [28, 28, 1], light on dark as in MNIST,
        in 0..1 or (with any value above 1) in 0..255, which are not preprocessed. Raises
        MlflowException for anything else, which a server answers with status 400.
        """
        images = _images(model_input)
        features, logits = features_and_logits(self._network, images)
        probabilities = _softmax(logits)
        table: dict[str, list[Any]] = {
            "digit": probabilities.argmax(axis=1).tolist(),
            "probabilities": probabilities.tolist(),
        }
        if self._rule is not None:
            confidence, sure = self._rule.judge(features, logits)
            table |= {"confidence": confidence.tolist(), "sure": sure.tolist()}
        if params and params.get(RETURN_PIXELS):
            table["pixels"] = np.round(images[:, :, :, 0] * 255).astype(int).tolist()
        return pd.DataFrame(table)


def features_and_logits(
    network: Any, images: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the features [N, F] before the network's last layer, and the logits [N, 10].

    The network has these two outputs. It gets at most 1,000 images at once.
    """
    parts = [network(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    features, logits = (np.concatenate([np.asarray(part[i]) for part in parts]) for i in (0, 1))
    return features.astype(np.float32), logits.astype(np.float64)


def _load_pyfunc(data_path: str) -> DigitModel:
    """Load the model. MLflow prescribes this name and argument."""
    return DigitModel(Path(data_path))


def as_picture(image: NDArray[np.uint8]) -> str:
    """Return the image [28, 28] as a PNG file in base64, as the model takes it."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _images(model_input: Any) -> NDArray[np.float32]:
    """Return the images [N, 28, 28, 1] in [0, 1]. Raises MlflowException for anything else."""
    items = _items(model_input)
    if not items:
        raise _refused("expected at least one image, found none")
    if all(isinstance(item, str | bytes) for item in items):
        return np.stack([_decoded(item, number) for number, item in enumerate(items)])
    try:
        values = np.array(items)
    except ValueError:
        values = np.array(items, object)
    if values.dtype.kind not in "fiub" or values.shape[1:] not in ((SIZE, SIZE), (SIZE, SIZE, 1)):
        raise _refused(
            f"expected base64-encoded pictures, or numbers [N, {SIZE}, {SIZE}] or "
            f"[N, {SIZE}, {SIZE}, 1]; found {_described(items, values)}"
        )
    pixels = values.reshape(-1, SIZE, SIZE, 1).astype(np.float32)
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 255):
        raise _refused(
            f"expected pixels in 0..1 or 0..255, found {pixels.min():g} to {pixels.max():g}"
        )
    return (pixels / 255).astype(np.float32) if pixels.max() > 1 else pixels


def _items(model_input: Any) -> list[Any]:
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
    if not isinstance(items, list) or _is_one_image(items):
        items = [items]
    return [
        item[_WRAPPED] if isinstance(item, dict) and set(item) == {_WRAPPED} else item
        for item in items
    ]


def _is_one_image(items: list[Any]) -> bool:
    """Return whether these are the 28 rows of one image, not several images."""
    return len(items) == SIZE and all(
        isinstance(row, list) and len(row) == SIZE and isinstance(row[0], int | float)
        for row in items
    )


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


def _decoded(text: str | bytes, number: int) -> NDArray[np.float32]:
    """Return the image [28, 28, 1] in [0, 1] of a picture in base64, with or without `data:...,`.

    Raises MlflowException, which names the picture by its number.
    """
    try:
        return (from_bytes(_content(text))[:, :, None] / 255).astype(np.float32)
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


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities [N, 10]."""
    weights: NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    sums: NDArray[np.float64] = weights.sum(axis=1, keepdims=True)
    return weights / sums


def _refused(reason: str) -> MlflowException:
    """Return the error that a model's server answers with status 400."""
    error: MlflowException = MlflowException.invalid_parameter_value(reason)
    return error
