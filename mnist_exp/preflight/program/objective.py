"""The caller's loss as a function of labels and outputs, whatever form both have."""

from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.batches import described
from mnist_exp.preflight.program.compiled import CompiledLoss, loss_name, weighted
from mnist_exp.preflight.program.heads import Heads


class Objective:
    """A loss of labels and outputs [B, ...] like those of a program.

    given: as the caller gave it.
    heads: how several outputs, and their labels, become one array; None for one output.
    refusal: why it cannot be computed for the program's labels, or "".
    """

    def __init__(self, given: Any, heads: Heads | None = None) -> None:
        self.given, self.heads, self.refusal = given, heads, ""

    def values(self, labels: Any, outputs: Any, weights: Any = None) -> Any:
        """Return what the caller's loss gives: a scalar or one value per example."""
        if self.heads is not None and self.heads.used:
            labels, outputs = self.heads.labels(labels), self.heads.outputs(outputs)
        return weighted(self.given, labels, outputs, weights)

    def mean(
        self, labels: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """Return the mean of `values`, for arrays."""
        tensors = None if weights is None else tf.constant(weights)
        return float(mean_loss(self.values(tf.constant(labels), tf.constant(outputs), tensors)))

    def traced(self, labels: tf.Tensor, outputs: tf.Tensor, weights: list[tf.Tensor]) -> tf.Tensor:
        """Return the mean of `values` in a graph; where that fails, `refusal` says why."""
        try:
            return mean_loss(self.values(labels, outputs, *weights))
        except tf.errors.OperatorNotAllowedInGraphError:
            raise
        except Exception as error:
            if any(_returns_nothing(f, labels, outputs) for f in self._functions()):
                raise PreflightError(
                    f"the loss {loss_name(self.given)!r} returns nothing: let it end with `return`"
                ) from error
            self.refusal = (
                f"the loss {loss_name(self.given)} cannot compare labels {described(labels)} "
                f"with outputs {described(outputs)}"
            )
            raise

    @property
    def judged_outputs(self) -> tuple[int, int]:
        """Return how many outputs have a loss, and how many there are; (1, 1) if not known."""
        heads = self.heads
        if heads is None or not heads.used or not isinstance(self.given, CompiledLoss):
            return 1, 1
        places = heads.places()
        return len(self.given.parts(heads.label_arrays, places)), len(tf.nest.flatten(places))

    def _functions(self) -> list[Any]:
        """Return the losses of all outputs, as the caller gave them."""
        own = self.given.given if isinstance(self.given, CompiledLoss) else self.given
        return list(tf.nest.flatten(own))

    def gradient(
        self, labels: np.ndarray, outputs: np.ndarray
    ) -> tuple[float, np.ndarray, tuple[int, ...]]:
        """Return the mean of `values`, its gradient by the outputs [B, ...], and their shape."""
        point = tf.constant(outputs)
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = tf.convert_to_tensor(self.values(tf.constant(labels), point))
            total = mean_loss(value)
        gradient = tape.gradient(total, point)
        array = np.zeros_like(outputs) if gradient is None else gradient.numpy()
        return float(total), array, tuple(value.shape)


def _returns_nothing(loss: Any, labels: tf.Tensor, outputs: tf.Tensor) -> bool:
    """Return True for a function, or the `call` of a loss object, without a `return`."""
    function = getattr(loss, "call", loss)
    try:
        return callable(function) and function(labels, outputs) is None
    except Exception:  # noqa: BLE001  # another mistake
        return False


def mean_loss(loss: Any) -> tf.Tensor:
    """Return the scalar to minimise, from a scalar or one value per example."""
    return tf.reduce_mean(tf.convert_to_tensor(loss))
