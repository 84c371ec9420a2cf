"""Check that every variable gets a finite gradient, and that the optimizer uses it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning.short_runs import ShortRun, clear_run, gain
from mnist_exp.preflight.program.breakdown import breakdown, find_breakdown
from mnist_exp.preflight.program.passes import Gradients
from mnist_exp.preflight.program.program import Program, tf_variable, variable_name
from mnist_exp.preflight.program.state import layers_of, read_in

# How the names of variables end that no optimizer trains, such as moving_variance; vector_u is the
# state of SpectralNormalization.
STATE_NAMES = ("mean", "variance", "count", "seed_generator_state", "vector_u", "rnn_state")

# State that is adapted to the data before training, of keras.layers.Normalization.
ADAPTED = ("/mean", "/variance")
# Variables beside others of the same layer, whose gradient may be exactly 0.
ZERO_KINDS = ("bias", "recurrent_kernel", "alpha")
MOST_NAMES = 6  # of variables in a message


def check_finite(checkup: Checkup, program: Program, gradients: Gradients) -> None:
    """Check for GRADIENT_NON_FINITE at the initial weights."""
    names = [
        variable_name(variable)
        for variable, value in zip(program.trained, gradients.values, strict=True)
        if not bool(tf.reduce_all(tf.math.is_finite(value)))
    ]
    if not names and np.isfinite(gradients.loss):
        return
    where = f"the gradient of {_some(names)}" if names else "the loss"
    find_breakdown(
        checkup,
        f"With the initial weights {where} is NaN or infinite",
        breakdown(program, gradients),
        {"loss": gradients.loss, "variables": names},
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
    constant = _constants_of_keras(program)
    forgotten = [variable_name(v) for v in unlisted if id(v) not in frozen]
    frozen_weights = [
        variable_name(v)
        for v in unlisted
        if id(v) in frozen - constant and v.shape.rank >= 2
        if not variable_name(v).endswith(STATE_NAMES)
    ]
    read = {variable_name(v) for v in read_in(program.graphs[-1], program.trainable)}
    cut = [name for name in program.disconnected if name in read]
    unused = [name for name in program.disconnected if name not in read]
    reason = "the loss does not depend on it"
    judged, outputs = program.objective.judged_outputs
    if judged < outputs:
        reason += f", which judges {judged} of the {outputs} outputs"
    without = judged < outputs
    _find_not_trained(checkup, cut, reason, case="no loss" if without else "disconnected")
    _find_not_trained(checkup, unused, "no training step reads it", case="unused")
    reason = "the model reads it, but `trainable_variables` leaves it out"
    _find_not_trained(checkup, forgotten, reason, case="not listed")
    if not frozen_weights or _looks_trained(program, [v for v in unlisted if id(v) in frozen]):
        return
    reason = "it is marked as not trainable, and has the values of a fresh layer"
    nothing_left = all(v.shape.rank < 2 for v in program.trainable)
    _find_not_trained(
        checkup, frozen_weights, reason, case="all frozen" if nothing_left else "frozen"
    )


def _constants_of_keras(program: Program) -> set[int]:
    """Return the ids of the variables of Keras' layers whose first values are no random draws.

    Their layers let nobody choose an initialiser, such as the waves of a spectrogram.
    """
    return {
        id(tf_variable(variable))
        for layer in layers_of(program.model)
        if type(layer).__module__.startswith("keras.")
        and not any(name.endswith("initializer") for name in vars(layer))
        for variable in (*layer._trainable_variables, *layer._non_trainable_variables)
    }


def _looks_trained(program: Program, frozen: Sequence[tf.Variable]) -> bool:
    """Return True if frozen variables have values that no fresh layer has, as a pretrained base.

    Biases and the averages of a normalisation begin with equal values. Where there are none, fresh
    weights lie within the limits of their initialiser; those of another source often do not.
    """
    # Other checks may have given the variables other values meanwhile.
    first = dict(zip(map(id, program.variables), program.first_values, strict=True))
    vectors = [
        first[id(v)]
        for v in frozen
        if v.shape.rank == 1
        and v.shape[0] > 1
        and v.dtype.is_floating
        and not variable_name(v).endswith(ADAPTED)
    ]
    if vectors:
        return any(np.ptp(vector) > 0 for vector in vectors)
    known = {id(v) for v in frozen}
    layers = layers_of(program.model)
    return any(
        _beyond_its_start(layer, name)
        for layer in layers
        for name in ("kernel", "embeddings")
        if id(tf_variable(getattr(layer, name, None))) in known
    )


def _beyond_its_start(layer: Any, name: str) -> bool:
    """Return True if the weights do not come from the layer's initialiser, as far as one can see.

    A new draw of the same initialiser shows how large they can be.
    """
    values = np.abs(np.asarray(getattr(layer, name)))
    start = getattr(layer, f"{name}_initializer")
    if isinstance(start, keras.initializers.Constant):
        return True
    drawn = np.abs(np.asarray(start(values.shape)))
    return bool(values.max() > thresholds.FRESH_WEIGHTS * drawn.max())


def check_zero(checkup: Checkup, program: Program, run: ShortRun, seed: int) -> None:
    """Check for GRADIENT_ZERO after a short run from the initial weights.

    After a run, because a zero readout rightly stops the gradient of the layers before it at the
    first step. Where a branch alone has no gradient, and the program learns in spite of that, it
    is a warning. To see whether it learns may take other steps from the initial weights.

    The same gradient is exactly 0 on one processor, and a rounding error on another. So all of them
    count as 0 if a weight that moves by 1 changes the loss by less than its last digit.
    """
    # Averages that lag behind make the loss before the run much larger than it is in training.
    loss = np.minimum(abs(run.loss_before), abs(run.training_loss))
    rounded = max(run.largest, default=0.0) <= np.finfo(np.float32).eps * loss
    largest = [0.0] * len(run.largest) if rounded else run.largest
    top = max(largest, default=0.0)
    checkup.measure("gradient.smallest", min(largest, default=0.0) / top if top > 0 else 0.0)
    sizes = {variable_name(v): size for v, size in zip(program.trained, largest, strict=True)}
    names = [name for name, size in sizes.items() if size == 0 and not _may_be_zero(name, sizes)]
    if not names:
        return
    weights = program.inputs.weights
    if weights is not None and not weights.any():
        checkup.find(
            "GRADIENT_ZERO",
            f"The weights of all {len(weights)} examples are 0: nothing is trained.",
            {"variables": names},
            case="weights",
        )
        return
    fall = _gain_without(program, run, seed) if top > 0 else -math.inf
    checkup.measure("gradient.fall_without", fall)
    learns = fall >= thresholds.LEARNS_WITHOUT
    others = f"largest of the others: {top:.2g}" if top > 0 else ""
    others += f"; with these the loss falls {fall:.0%} below that of a guess" if learns else ""
    zero = "0 but for rounding" if rounded else "exactly 0"
    checkup.find(
        "GRADIENT_ZERO",
        f"The gradient of {_some(names)} is {zero}, now and during a short run"
        f"{f' ({others})' if others else ''}.",
        {"variables": names, "largest_other": top, "fall": fall},
        case="branch" if learns else "",
    )


def _gain_without(program: Program, run: ShortRun, seed: int) -> float:
    """Return by which share training lowers the loss in spite of variables without a gradient.

    A program whose outputs are all equal only learns how frequent the labels are.
    """
    if run.collapsed or not run.finite:
        return -math.inf
    found = gain(program, run)
    if found < thresholds.LEARNS_WITHOUT:  # perhaps it is slow
        longer = clear_run(program, seed)
        found = -math.inf if longer.collapsed else gain(program, longer)
    return found


def _some(names: Sequence[str]) -> str:
    """Return the first few names, and how many there are besides."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def check_vanishing(checkup: Checkup, program: Program, largest: Sequence[float]) -> None:
    """Check for GRADIENT_VANISHES: the first of many layers get next to nothing.

    Weights of zero, as at the end of a residual branch, rightly hold a gradient back for a while,
    and of raw inputs and dead units another finding speaks.

    largest: for each trained variable, max |gradient| over the initial weights and a short run.
    """
    first = dict(zip(map(id, program.variables), program.first_values, strict=True))
    kernels = [
        (v, size) for v, size in zip(program.trained, largest, strict=True) if v.shape.rank > 1
    ]
    third = len(kernels) // 3
    known = checkup.has("INPUT_SCALE", "DEAD_UNITS", "GRADIENT_ZERO", "GRADIENT_NON_FINITE")
    if third < 2 or known or any(not np.any(first[id(v)]) for v, _ in kernels):
        return
    start, end = (max(size for _, size in part) for part in (kernels[:third], kernels[-third:]))
    ratio = start / end if end > 0 else 1.0
    if 0 < ratio < thresholds.GRADIENT_VANISHES:
        names = f"{variable_name(kernels[0][0])} to {variable_name(kernels[third - 1][0])}"
        checkup.find(
            "GRADIENT_VANISHES",
            f"The gradient of the first of {len(kernels)} layers ({names}) is at most {ratio:.1g} "
            "of that of the last, now and during a short run.",
            {"ratio": ratio, "layers": len(kernels)},
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
        if change == 0 and size > thresholds.GRADIENT_ROUNDING * max(largest)
    ]
    # What a normalisation takes away again, such as a bias before it, has a gradient of rounding.
    reason = "it has a gradient, but the optimizer leaves it as it is"
    _find_not_trained(checkup, names, reason, case="unchanged")


def _may_be_zero(name: str, sizes: Mapping[str, float]) -> bool:
    """Return True for a variable whose gradient can be 0 while its layer learns.

    The bias of the keys of an attention cancels out, a series of one step needs no recurrent
    weights, and where nothing is negative the slope for negative numbers does nothing.
    """
    layer, _, kind = name.rpartition("/")
    if kind not in ZERO_KINDS:
        return False
    return any(size > 0 for other, size in sizes.items() if other.rpartition("/")[0] == layer)


def _find_not_trained(checkup: Checkup, names: Sequence[str], reason: str, case: str) -> None:
    if names:
        message = f"{', '.join(names)} will not be trained: {reason}."
        checkup.find("VARIABLE_NOT_TRAINED", message, {"variables": list(names)}, case)
