"""The model that a run logs, as MLflow loads it: pictures or arrays in, answers out.

A copy of this file and of the modules that it imports is part of every logged model, which loads
where mnist_exp is not installed; so their imports are relative.
"""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from . import form, judgement, network
from .inputs import images

RULE = "judgement.npz"  # the file of the rule that doubts the network's answers
RETURN_PIXELS = "return_pixels"  # the parameter that adds what the network was given


class ServedModel:
    """A network as `mlflow.pyfunc.load_model` wraps it.

    `path` is a folder with the network, with the form of its images, and with the rule that doubts
    its answers; or the file of a network of digits from an earlier version, without such a rule.
    """

    def __init__(self, path: Path) -> None:
        self.form = form.load(path)
        self._compute = network.outputs(network.load(path, self.form))
        rule = path / RULE
        self._rule = judgement.load(rule) if rule.exists() else None

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return a row for each image.

        For digits, columns are `digit` 0 to 9 and `probabilities` of the ten digits; for other
        images `label` 0 to K-1, its `name`, and `probabilities` of the K classes. `pixels`
        [H][W], or [H][W][3] in colour, are added if `return_pixels` is set. `confidence` is the
        calibrated probability that the answer is right; `sure` is false if that is low or the image
        is unlike those that the network was trained on. A model that was logged without a rule has
        neither of these two columns.

        `model_input` is a column, list or array of pictures' files in base64, which become pixels
        as `inputs.pixels_of` says; or of arrays [H, W] (grey) or [H, W, C] in 0..1 or (with any
        value above 1) in 0..255, which are taken as they are. Raises MlflowException for anything
        else, which a server answers with status 400.
        """
        given = images(model_input, self.form)
        features, logits = network.features_and_logits(self._compute, given)
        probabilities = _softmax(logits)
        labels = probabilities.argmax(axis=1).tolist()
        table: dict[str, list[Any]] = {"digit" if self.form.is_digits else "label": labels}
        if not self.form.is_digits:
            table["name"] = [self.form.class_names[label] for label in labels]
        table["probabilities"] = probabilities.tolist()
        if self._rule is not None:
            confidence, sure = self._rule.judge(features, logits)
            table |= {"confidence": confidence.tolist(), "sure": sure.tolist()}
        if params and params.get(RETURN_PIXELS):
            pixels = given[:, :, :, 0] if given.shape[3] == 1 else given
            table["pixels"] = np.round(pixels * 255).astype(int).tolist()
        return pd.DataFrame(table)


def _load_pyfunc(data_path: str) -> ServedModel:
    """Load the model. MLflow prescribes this name and argument."""
    return ServedModel(Path(data_path))


def as_picture(image: NDArray[np.uint8]) -> str:
    """Return the image [H, W], [H, W, 1] or [H, W, 3] as a PNG file in base64, as models do."""
    file = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2:] == (1,) else image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities [N, K]."""
    weights: NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    sums: NDArray[np.float64] = weights.sum(axis=1, keepdims=True)
    return weights / sums
