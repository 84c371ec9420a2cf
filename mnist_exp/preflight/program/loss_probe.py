"""Ask a loss for its slope at chosen outputs."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from mnist_exp.preflight.program.forms import SHAPE_ERRORS

# (labels, outputs) -> the loss of the batch, its gradient in the shape of the outputs, and more.
LossGradient = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray, Any]]


class Probe:
    """A loss with the labels of a few examples.

    refused: the text of what it raised last; "" if it never did.
    """

    def __init__(
        self, loss_gradient: LossGradient, labels: np.ndarray, shape: tuple[int, ...]
    ) -> None:
        self._loss_gradient, self.labels = loss_gradient, labels
        self.shape = (len(labels), *shape)
        self.refused = ""
        width = shape[-1] if shape else 1
        self._in_range = bool((labels >= 0).all() and (labels < width).all())

    def slope(self, outputs: np.ndarray) -> np.ndarray | None:
        """Return the gradient at these outputs; None if it, or the loss, is not a number."""
        try:
            with nullcontext() if self._in_range else _without_log():
                value, gradient, _ = self._loss_gradient(self.labels, outputs.astype(np.float32))
        except SHAPE_ERRORS as error:
            self.refused = str(error) or type(error).__name__
            return None
        return gradient if math.isfinite(value) and np.isfinite(gradient).all() else None

    def mild(self) -> np.ndarray:
        """Return outputs that any loss can take: between 0 and 1, with sum 1 for each answer."""
        drawn = np.random.default_rng(0).uniform(0.2, 0.8, self.shape)
        if len(self.shape) > 1 and self.shape[-1] > 1:
            drawn /= drawn.sum(axis=-1, keepdims=True)
        return drawn


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep TensorFlow's C++ from writing to stderr that a label is no class, beside raising it."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
