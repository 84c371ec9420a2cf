"""How a model is called: with a training flag or not, in batches of any size or of one only."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_exp.preflight.errors import PreflightError, raised
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.given import Examples


def is_unbuilt(model: Any) -> bool:
    """Return True for a Keras model of which a layer has no weights yet, or is never called."""
    return isinstance(model, keras.layers.Layer) and not all(
        layer.built for layer in model._flatten_layers()
    )


def build(model: Any, inputs: Inputs, batch_size: int = 32) -> None:
    """Create the weights of a Keras model that has none yet, as the first step of `fit` does.

    The model is traced for a batch of any size; only layers that remember get one of `batch_size`.

    Raises CannotRun where the model does not take the inputs.
    """
    if not is_unbuilt(model):
        return
    rows = fixed_batch(model) or (batch_size if stateful_layers(model) else None)
    call = tf.function(lambda given: model(given, training=True), autograph=False)
    try:
        call.get_concrete_function(inputs.specs(rows))
    except Exception as error:
        raise cannot_run(model, inputs, error) from error


class CannotRun(PreflightError):
    """A model that fails on the inputs that it is given."""


def cannot_run(model: Any, inputs: Inputs, error: Exception) -> CannotRun:
    """Return what to raise for a model that fails on these inputs."""
    shapes = [[None, *tensor.shape[1:]] for tensor in getattr(model, "inputs", None) or []]
    forms = " and ".join(str(shape).replace("None", "N") for shape in shapes)
    takes = f"; it takes {forms}" if shapes else ""
    cause = raised(error)
    if isinstance(error, tf.errors.OperatorNotAllowedInGraphError):
        cause += " (an `if` or a loop over tensors in a layer needs keras.ops.cond or the like)"
    known = shapes and " in " not in cause  # the kind of the exception says less than the shapes
    return CannotRun(
        f"the model cannot be run on inputs {inputs.described()}{takes}"
        + ("" if known else f": {cause}")
    )


def wrong_order(model: Any, given: Examples) -> str:
    """Return what may be exchanged or missing where a model cannot be run on these examples, or "".

    Labels that are what the model takes, or that have more axes than the inputs, look like inputs.
    Elements of a dataset that are whole inputs already are single examples.
    """
    tensors = getattr(model, "inputs", None) or []
    if len(tensors) > 1 or len(given.inputs.arrays) > 1:
        return ""
    taken = tuple(tensors[0].shape[1:]) if tensors else None
    (inputs,) = given.inputs.arrays
    if given.batch_size is not None and taken == (given.batch_size, *inputs.shape[1:]):
        return "the dataset gives single examples: add .batch(32) to it"
    labels = given.labels
    if not isinstance(labels, np.ndarray):
        return ""
    fits = labels.shape[1:] == taken if taken is not None else labels.ndim > inputs.ndim
    return "the labels look like inputs: are x and y exchanged?" if fits else ""


def refuse_untrainable(model: Any, trainable: list[tf.Variable]) -> None:
    """Raise PreflightError for a model without weights, or with those of a cluster.

    That all weights are frozen is a finding.
    """
    frozen = [v for v in getattr(model, "non_trainable_variables", []) if len(v.shape) > 1]
    if not trainable and not frozen:
        raise PreflightError(
            "the model has no trainable variables: has it weights, and is a layer trainable?"
        )
    if any(isinstance(variable, tf.distribute.DistributedValues) for variable in trainable):
        raise PreflightError(
            "preflight cannot look at a model of tf.distribute: check the same model, made outside "
            "of the strategy's scope"
        )


def accepts_training(model: Callable[..., Any]) -> bool:
    """Return True for a model that may be called with `training=`."""
    if isinstance(model, keras.layers.Layer):
        return True
    try:
        parameters = inspect.signature(model).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters)


def fixed_batch(model: Any) -> int | None:
    """Return the only number of examples that a model takes at once, or None if it takes any."""
    tensors = list(getattr(model, "inputs", None) or [])
    for layer in stateful_layers(model):
        kept = tf.nest.flatten(getattr(layer, "states", None))
        tensors += [state for state in kept if state is not None]
    sizes = [tensor.shape[0] for tensor in tensors if tensor.shape[0] is not None]
    return min(sizes, default=None)


def stateful_layers(model: Any) -> list[Any]:
    """Return the layers that remember one batch for the next, such as a stateful GRU."""
    if not isinstance(model, keras.layers.Layer):
        return []
    return [
        layer
        for layer in model._flatten_layers()
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_state")
    ]
