"""The loss that a Keras model was compiled with, or that is given in any form of Keras'."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras.src.trainers.compile_utils import CompileLoss

from mnist_exp.preflight.errors import PreflightError


class CompiledLoss:
    """A loss in any form that `compile` takes: a name, an object, a function, a dict or a list.

    Called as `fit` does, with labels and outputs, each an array or a structure of several.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: Any = None) -> None:
        _refuse_unknown(loss)
        self.given = loss
        self._names = output_names
        self._loss = CompileLoss(loss, loss_weights, output_names=output_names)

    def __call__(self, labels: Any, outputs: Any, weights: Any = None) -> tf.Tensor:
        """Return the loss of a batch, weighted if weights are given."""
        return self._loss(labels, outputs, weights)

    def parts(self, labels: Any, outputs: Any) -> dict[str, tuple[Any, Any, Callable[..., Any]]]:
        """Return the label, the output and the loss of each output that has a loss, by its name.

        Without its weight, which is no part of how the loss judges that output.
        labels, outputs: structures as `fit` has them, after the loss was called with such.
        """
        found = {}
        for path, loss, _, name in self._loss._flat_losses:
            label, output = labels, outputs
            for key in path:
                label, output = self._at(label, key), output[key]
            found[name] = (label, output, loss)
        return found

    def _at(self, labels: Any, key: Any) -> Any:
        """Return one of several labels: a dict may belong to a list of outputs.

        A single array belongs to the only output that has a loss.
        """
        if not tf.nest.is_nested(labels):
            return labels
        if isinstance(labels, dict) and key not in labels:
            key = self._names[key]
        return labels[key]


class NoLoss:
    """In place of the loss of a model that only adds losses of its own, by `add_loss`."""

    def __call__(self, labels: Any, outputs: Any, weights: Any = None) -> tf.Tensor:
        """Return 0."""
        return tf.constant(0.0)


def compiled_loss(model: Any) -> CompiledLoss | NoLoss:
    """Return the loss that `model.fit` minimises, without the layers' own penalties.

    Raises PreflightError for a model that was not compiled.
    """
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise PreflightError(
            "the model was not compiled: call model.compile(optimizer, loss) before check(model, "
            "x, y)"
        )
    if model.loss is None:
        return NoLoss()
    weights = model._compile_loss._user_loss_weights
    names = getattr(model, "output_names", None)
    return CompiledLoss(model.loss, weights, names)


def trains_itself(model: Any) -> bool:
    """Return True for a model that says by itself what a step of `fit` does, or its loss is."""
    own = type(model)
    return isinstance(model, keras.Model) and (
        own.train_step is not keras.Model.train_step
        or own.compute_loss is not keras.Model.compute_loss
    )


def as_loss(loss: Any) -> Any:
    """Return a loss of any form as a function of labels and outputs."""
    if isinstance(loss, str | dict | list | tuple | type):
        return CompiledLoss(loss)
    if not callable(loss):
        raise PreflightError(f"loss must be a function or a name of Keras', got {loss!r}")
    return loss


def as_optimizer(optimizer: Any) -> Any:
    """Return an optimizer, which may be given by its name."""
    if not isinstance(optimizer, str):
        if not hasattr(optimizer, "get_config"):
            raise PreflightError(f"optimizer must be one of Keras' or its name, got {optimizer!r}")
        return optimizer
    try:
        return keras.optimizers.get(optimizer)
    except ValueError as error:
        raise PreflightError(f"Keras has no optimizer called {optimizer!r}") from error


def weighted(loss: Any, labels: Any, outputs: Any, weights: Any = None) -> Any:
    """Return the loss of a batch whose examples count as much as `weights` say.

    A function of one's own that returns one number for all examples cannot be weighted.
    """
    if weights is None:
        return loss(labels, outputs)
    if isinstance(loss, keras.losses.Loss | CompiledLoss | NoLoss):
        return loss(labels, outputs, weights)
    value = tf.convert_to_tensor(loss(labels, outputs))
    return value * weights if value.shape.rank else value


def loss_name(loss: Any) -> str:
    """Return a loss as its program names it."""
    given = getattr(loss, "given", loss)
    given = given.func if isinstance(given, partial) else given
    if isinstance(given, str):
        return given
    if tf.nest.is_nested(given):
        return " + ".join(loss_name(one) for one in tf.nest.flatten(given))
    return str(getattr(given, "__name__", type(given).__name__))


def _refuse_unknown(loss: Any) -> None:
    for name in tf.nest.flatten(loss):
        if isinstance(name, str):
            try:
                keras.losses.get(name)
            except (ValueError, TypeError) as error:
                raise PreflightError(f"Keras has no loss called {name!r}") from error
