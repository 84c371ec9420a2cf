"""A logged network: how it is loaded, and how its logits and features are computed.

A copy of this file is part of every logged model, so its imports are relative.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import own_source
from .form import Form

NETWORK = "model.keras"  # the file of a network that Keras restores from its layers' settings
_MOST_IMAGES = 1000  # that the network gets at once, of MNIST's size; of larger ones fewer
_MOST_PIXELS = _MOST_IMAGES * 28 * 28

# Images [N, H, W, C] -> features [N, F] and logits [N, K].
Outputs = Callable[[NDArray[Any]], tuple[Any, Any]]


def load(path: Path, form: Form) -> Any:
    """Return the network of a logged model from its folder, or from a file of Keras' format."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no start-up messages about absent GPUs
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever a keras.json says
    import keras

    if path.is_dir() and (path / own_source.RECIPE).exists():
        return own_source.build(path, form)
    return keras.models.load_model(path / NETWORK if path.is_dir() else path, compile=False)


def outputs(network: Any) -> Outputs:
    """Return the function that computes a network's features and its logits, as when it is tested.

    Features are the inputs of the last layer, if that is dense. A network that ends otherwise, or
    that computes in a method of the user's own, has its logits for features.
    """
    features = _features(network)
    if features is not None:
        return partial(features, training=False)

    def logits_twice(images: NDArray[Any]) -> tuple[Any, Any]:
        logits = network(images, training=False)
        return logits, logits

    return logits_twice


def _features(network: Any) -> Any:
    """Return the network with two outputs, its last layer's input [N, F] and its own; or None."""
    import keras

    if not type(network).__module__.startswith("keras."):
        return None
    try:
        (images,), (logits,) = network.inputs, network.outputs
    except (AttributeError, ValueError):  # a network without a graph, or with several outputs
        return None
    last = _last_input(logits)
    return None if last is None else keras.Model(images, [last, logits])


def _last_input(tensor: Any) -> Any:
    """Return what the last layer with weights is given on the way to a tensor, if it is dense.

    Keras has no public way back from a tensor: `layer.input` is not known of a layer that was
    called twice, as all are of a Sequential that was made by `add`.
    """
    import keras

    while True:
        layer, node, _ = tensor._keras_history
        inputs = layer._inbound_nodes[node].input_tensors
        if isinstance(layer, keras.layers.Dense):
            return inputs[0] if len(inputs[0].shape) == 2 else None
        if len(inputs) != 1 or getattr(layer, "weights", []):
            return None
        tensor = inputs[0]


def features_and_logits(
    compute: Outputs, images: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the features [N, F] and the logits [N, K] of images [N, H, W, C] in [0, 1].

    The network gets at most 1,000 images of 28x28 pixels at once, and fewer larger ones.
    """
    height, width = images.shape[1:3]
    size = max(1, min(_MOST_IMAGES, _MOST_PIXELS // (height * width)))
    parts = [compute(images[start : start + size]) for start in range(0, len(images), size)]
    features, logits = (np.concatenate([np.asarray(part[i]) for part in parts]) for i in (0, 1))
    return features.astype(np.float32), logits.astype(np.float64)
