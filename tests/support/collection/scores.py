"""How well a trained program does its task: one number, which chance and 1.0 make comparable."""

from typing import Any

import numpy as np

REGRESSIONS = ("regression", "autoencoder")


def score(task: str, labels: Any, outputs: Any, weights: Any = None) -> tuple[str, float, float]:
    """Return the name of the metric, its value and its value for a guess.

    Regression and autoencoders: R2, the share of the labels' variance that the outputs explain
    (a guess of the mean has 0). Everything else: balanced accuracy, the mean over the classes of
    the share of their examples that are told (a guess has 1 / classes), for several labels at once
    the mean over the labels. Where an output stands alone, its sign or 0.5 decides, whichever
    tells more. Examples or positions of weight 0 do not count.

    Raises:
        ValueError: The labels and outputs do not fit together.
    """
    labels, outputs = np.asarray(labels), np.asarray(outputs, np.float64)
    if task in REGRESSIONS:
        return "R2", _explained(labels, outputs), 0.0
    if task == "multilabel":
        columns = range(labels.shape[-1])
        told = [
            _told_apart(labels[..., i], outputs[..., min(i, outputs.shape[-1] - 1)])
            for i in columns
        ]
        return "balanced accuracy", float(np.mean(told)), 0.5
    if outputs.shape[-1] > 1 and not (task.startswith("binary") and outputs.shape == labels.shape):
        one_hot = labels.shape == outputs.shape
        labels = labels.argmax(-1) if one_hot else labels.reshape(outputs.shape[:-1])
        predicted = outputs.argmax(-1)
        counted = _counted(weights, labels)
        labels, predicted = labels[counted], predicted[counted]
        return "balanced accuracy", _balanced(labels, predicted), 1 / len(np.unique(labels))
    if labels.size != outputs.size:
        raise ValueError(f"labels {labels.shape} do not fit outputs {outputs.shape}")
    labels, outputs = labels.ravel(), outputs.ravel()
    counted = _counted(weights, labels)
    labels, outputs = labels[counted], outputs[counted]
    classes = np.unique(labels)
    if len(classes) > 2:
        return "balanced accuracy", _balanced(labels, np.rint(outputs)), 1 / len(classes)
    return "balanced accuracy", _told_apart(labels, outputs), 0.5


def _explained(labels: np.ndarray, outputs: np.ndarray) -> float:
    """Return R2 over all columns together, each column against its own mean.

    Outputs beyond the labels' columns, such as a predicted variance, do not count.
    """
    labels = labels.reshape(len(labels), -1).astype(np.float64)
    outputs = outputs.reshape(len(outputs), -1)
    if outputs.shape[1] == 1:  # the one number stands for all, as in Keras' losses
        outputs = np.broadcast_to(outputs, labels.shape)
    outputs = outputs[:, : labels.shape[1]]
    if labels.shape != outputs.shape:
        raise ValueError(f"labels {labels.shape} do not fit outputs {outputs.shape}")
    variance = np.square(labels - labels.mean(0)).sum()
    return float(1 - np.square(labels - outputs).sum() / variance)


def _balanced(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean over the classes of the share of their examples that are right."""
    return float(np.mean([np.mean(predicted[labels == one] == one) for one in np.unique(labels)]))


def _told_apart(labels: np.ndarray, outputs: np.ndarray) -> float:
    """Return the balanced accuracy of a yes or no at the better of the limits 0.5 and 0."""
    yes = labels > (labels.min() + labels.max()) / 2 if labels.min() < labels.max() else labels > 0
    return max(_balanced(yes, outputs > limit) for limit in (0.5, 0.0))


def _counted(weights: Any, labels: np.ndarray) -> np.ndarray:
    """Return which labels have a weight above 0."""
    if weights is None:
        return np.ones(labels.shape, bool)
    weights = np.asarray(weights)
    weights = weights.reshape(weights.shape + (1,) * max(labels.ndim - weights.ndim, 0))
    if weights.size == labels.size:
        return weights.reshape(labels.shape) > 0
    return np.broadcast_to(weights > 0, labels.shape)
