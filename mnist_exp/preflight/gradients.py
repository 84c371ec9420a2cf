"""Does every variable get a finite gradient, and does the optimizer use it?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from .program import Gradients, Program, tf_variable, variable_name
from .report import Finding

STATE_NAMES = (
    "moving_mean",
    "moving_variance",
    "mean",
    "variance",
    "count",
    "seed_generator_state",
)


def check_finite(program: Program, gradients: Gradients) -> list[Finding]:
    """GRADIENT_NON_FINITE at the initial weights."""
    names = [
        variable_name(variable)
        for variable, value in zip(program.trained, gradients.values, strict=True)
        if not bool(tf.reduce_all(tf.math.is_finite(value)))
    ]
    outputs_finite = bool(np.isfinite(gradients.outputs).all())
    if not names and np.isfinite(gradients.loss):
        return []
    where = "the gradient of " + ", ".join(names) if names else "the loss"
    return [
        Finding(
            "GRADIENT_NON_FINITE",
            "error",
            f"With the initial weights {where} is NaN or infinite (loss {gradients.loss:.4g}, outputs "
            f"{'finite' if outputs_finite else 'not finite'}).",
            "Compute the cross entropy from logits instead of log(softmax), and look for log(0), 0/0 or sqrt(0)."
            if outputs_finite
            else "The model itself overflows: look for NaN in the images or weights, and for exp or division.",
            {"loss": gradients.loss, "variables": names, "outputs_finite": outputs_finite},
        )
    ]


def check_disconnected(program: Program) -> list[Finding]:
    """VARIABLE_NOT_TRAINED, from the graph: no path from the variable to the loss, or not in `trainable_variables`."""
    findings = []
    if program.disconnected:
        findings.append(
            _not_trained(
                "error",
                program.disconnected,
                "the loss does not depend on it",
                "Use the variable, and look for stop_gradient, argmax, rounding or numpy between it and the loss.",
            )
        )
    listed = {id(variable) for variable in program.trainable}
    unlisted = [v for v in program.variables if id(v) not in listed and v.dtype.is_floating]
    # Keras freezes its own variables, not TensorFlow's inside them.
    frozen_ids = {id(tf_variable(v)) for v in getattr(program.model, "non_trainable_variables", [])}
    forgotten = [variable_name(v) for v in unlisted if v.trainable and id(v) not in frozen_ids]
    if forgotten:
        findings.append(
            _not_trained(
                "error",
                forgotten,
                "the model reads it, but `trainable_variables` leaves it out",
                "Assign the layer to an attribute of the model, or add the variable to the list.",
            )
        )
    frozen = [
        variable_name(v)
        for v in unlisted
        if (id(v) in frozen_ids or not v.trainable)
        and v.shape.rank >= 2
        and not variable_name(v).endswith(STATE_NAMES)
    ]
    if frozen:
        findings.append(
            _not_trained(
                "warning",
                frozen,
                "it is marked as not trainable",
                "Set layer.trainable = True, unless it is frozen on purpose.",
            )
        )
    return findings


def check_zero(
    program: Program, largest: Sequence[float], statistics: dict[str, Any]
) -> list[Finding]:
    """GRADIENT_ZERO. largest: for each trained variable, max |gradient| over the initial weights and a short run.

    Over a run, because a zero readout rightly stops the gradient of the layers before it at the first step only.
    """
    top = max(largest, default=0.0)
    statistics["gradient.smallest"] = min(largest, default=0.0) / top if top > 0 else 0.0
    names = [
        variable_name(v) for v, size in zip(program.trained, largest, strict=True) if size == 0
    ]
    if not names:
        return []
    return [
        Finding(
            "GRADIENT_ZERO",
            "error",
            f"The gradient of {', '.join(names)} is exactly 0, now and during a short run "
            f"(largest of the others: {top:.2g}).",
            "No signal comes through: zero weights with ReLU, dead or saturated units, or a loss without a slope.",
            {"variables": names, "largest_other": top},
        )
    ]


def check_updated(
    program: Program, moved: Sequence[float], largest: Sequence[float]
) -> list[Finding]:
    """VARIABLE_NOT_TRAINED, from the optimizer. moved: for each trained variable, max |change| over a short run."""
    names = [
        variable_name(v)
        for v, change, size in zip(program.trained, moved, largest, strict=True)
        if change == 0 and size > 0
    ]
    if not names:
        return []
    return [
        _not_trained(
            "error",
            names,
            "it has a gradient, but the optimizer leaves it as it is",
            "Check the learning rate (0, or too small for float32), clipping, and any filter on variables.",
        )
    ]


def _not_trained(severity: Any, names: Sequence[str], why: str, advice: str) -> Finding:
    message = f"{', '.join(names)} will not be trained: {why}."
    return Finding("VARIABLE_NOT_TRAINED", severity, message, advice, {"variables": list(names)})
