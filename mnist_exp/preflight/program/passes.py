"""What a forward and backward pass of a program gives."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """The result of one forward and backward pass.

    loss: the mean over the examples if the loss gives one value each, else what the loss returns.
    penalty: what the layers add to it, such as an l2 of their weights; 0 if it is left out.
    outputs: the model's outputs [B, ...].
    values: a gradient for each trained variable, in the order of `Program.trained`.
    finite: True if the loss and all gradients are finite.
    """

    loss: float
    penalty: float
    outputs: np.ndarray
    values: list[tf.Tensor]
    finite: bool

    def arrays(self) -> list[np.ndarray]:
        """Return the gradients as NumPy arrays."""
        return [value.numpy() for value in self.values]


def mean_of(found: Sequence[Gradients], count: int) -> Gradients:
    """Return the mean over batches of the same size, and the outputs of the first examples."""
    grouped = zip(*(gradients.values for gradients in found), strict=True)
    values = [tf.add_n(list(of_one)) / len(found) for of_one in grouped]
    return Gradients(
        loss=float(np.mean([g.loss for g in found])),
        penalty=found[0].penalty,
        outputs=np.concatenate([g.outputs for g in found])[:count],
        values=values,
        finite=all(g.finite for g in found),
    )


def spread_of(outputs: np.ndarray) -> float:
    """Return the largest difference between rows of `outputs`, relative to their size."""
    if not np.isfinite(outputs).all():
        return math.nan
    return float((outputs.max(0) - outputs.min(0)).max() / max(np.abs(outputs).max(), 1e-30))


def relative_difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest difference between outputs of the same examples, relative to `first`."""
    return float(np.abs(first - second).max() / max(np.abs(first).max(), 1e-30))
