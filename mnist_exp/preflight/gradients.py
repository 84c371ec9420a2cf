"""Check that every variable gets a finite gradient, and that the optimizer uses it."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.passes import Gradients
from mnist_exp.preflight.program import Program, tf_variable, variable_name

# How the names of variables end that no optimizer trains, such as moving_variance; vector_u is the
# state of SpectralNormalization.
STATE_NAMES = ("mean", "variance", "count", "seed_generator_state", "vector_u", "rnn_state")


def check_finite(checkup: Checkup, program: Program, gradients: Gradients) -> None:
    """Check for GRADIENT_NON_FINITE at the initial weights."""
    names = [
        variable_name(variable)
        for variable, value in zip(program.trained, gradients.values, strict=True)
        if not bool(tf.reduce_all(tf.math.is_finite(value)))
    ]
    if not names and np.isfinite(gradients.loss):
        return
    outputs_finite = bool(np.isfinite(gradients.outputs).all())
    where = "the gradient of " + ", ".join(names) if names else "the loss"
    checkup.find(
        "GRADIENT_NON_FINITE",
        f"With the initial weights {where} is NaN or infinite (loss {gradients.loss:.4g}, outputs "
        f"{'finite' if outputs_finite else 'not finite'}).",
        {"loss": gradients.loss, "variables": names, "outputs_finite": outputs_finite},
        case="loss" if outputs_finite else "model",
    )


def check_disconnected(checkup: Checkup, program: Program) -> None:
    """Check the graph for VARIABLE_NOT_TRAINED: variables that nothing will train."""
    listed = {id(variable) for variable in program.trainable}
    unlisted = [v for v in program.variables if id(v) not in listed and v.dtype.is_floating]
    # Keras freezes its own variables, not TensorFlow's inside them.
    keras_frozen = {
        id(tf_variable(v)) for v in getattr(program.model, "non_trainable_variables", [])
    }
    frozen = {id(v) for v in unlisted if id(v) in keras_frozen or not v.trainable}
    forgotten = [variable_name(v) for v in unlisted if id(v) not in frozen]
    frozen_weights = [
        variable_name(v)
        for v in unlisted
        if id(v) in frozen and v.shape.rank >= 2 and not variable_name(v).endswith(STATE_NAMES)
    ]
    reason = "the loss does not depend on it"
    _find_not_trained(checkup, program.disconnected, reason, case="disconnected")
    reason = "the model reads it, but `trainable_variables` leaves it out"
    _find_not_trained(checkup, forgotten, reason, case="not listed")
    reason = "it is marked as not trainable"
    _find_not_trained(checkup, frozen_weights, reason, case="frozen")


def check_zero(checkup: Checkup, program: Program, largest: Sequence[float]) -> None:
    """Check for GRADIENT_ZERO.

    largest: for each trained variable, max |gradient| over the initial weights and a short run. It
    takes a run, because a zero readout rightly stops the gradient of the layers before it at the
    first step.
    """
    top = max(largest, default=0.0)
    checkup.measure("gradient.smallest", min(largest, default=0.0) / top if top > 0 else 0.0)
    names = [
        variable_name(v) for v, size in zip(program.trained, largest, strict=True) if size == 0
    ]
    if names:
        checkup.find(
            "GRADIENT_ZERO",
            f"The gradient of {', '.join(names)} is exactly 0, now and during a short run"
            f"{f' (largest of the others: {top:.2g})' if top > 0 else ''}.",
            {"variables": names, "largest_other": top},
        )


def check_updated(
    checkup: Checkup, program: Program, moved: Sequence[float], largest: Sequence[float]
) -> None:
    """Check the optimizer for VARIABLE_NOT_TRAINED: what has a gradient must change.

    moved, largest: for each trained variable, max |change| and max |gradient| over a short run.
    """
    names = [
        variable_name(v)
        for v, change, size in zip(program.trained, moved, largest, strict=True)
        if change == 0 and size > 0
    ]
    reason = "it has a gradient, but the optimizer leaves it as it is"
    _find_not_trained(checkup, names, reason, case="unchanged")


def _find_not_trained(checkup: Checkup, names: Sequence[str], reason: str, case: str) -> None:
    if names:
        message = f"{', '.join(names)} will not be trained: {reason}."
        checkup.find("VARIABLE_NOT_TRAINED", message, {"variables": list(names)}, case)
