"""Judge the units of inputs and targets by what training does with others."""

import math

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.views import is_tokens
from mnist_exp.preflight.learning.trials import kept_apart, trial
from mnist_exp.preflight.program.batches import Inputs, even
from mnist_exp.preflight.program.passes import relative_difference
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import Task

COMPARED = 64  # examples whose outputs are compared
STEPS = 150  # of the program's own optimizer


def check_input_units(checkup: Checkup, program: Program, seed: int) -> None:
    """Check for INPUT_SCALE of features in units of their own.

    Where one is far from 1, the program trains for a while on the inputs as they are, and on
    standardised ones. Only if it learns little from the first and much from the second, the units
    do harm.
    """
    largest = max((_size(array) for array in program.inputs.arrays), default=0.0)
    if largest < thresholds.FEATURE_SIZE or len(program.inputs) < thresholds.UNITS_MIN_EXAMPLES:
        return
    if _size_at_weights(program) < thresholds.FEATURE_SIZE:
        return  # the model brings them to one scale itself
    inputs = tf.nest.map_structure(_with_units_away, program.inputs.structure)
    changed = Inputs(inputs, program.inputs.weights), program.labels
    if _takes_units_away(program, changed[0]):
        return
    own = skill(program, program.labels, outputs_after(program, seed))
    other = skill(program, program.labels, outputs_after(program, seed, changed))
    checkup.measure("input.units_gain", other - own)
    if other - own < thresholds.UNITS_GAIN:
        return
    checkup.find(
        "INPUT_SCALE",
        f"A feature has the size {largest:.3g}. After {STEPS} steps the score on other examples is "
        f"{own:.2f}, with standardised inputs {other:.2f} (a guess: 0, all right: 1).",
        {"largest": largest, "score": own, "score_standardised": other},
        case="units" if own < thresholds.UNITS_NOTHING else "slow",
    )


def _takes_units_away(program: Program, changed: Inputs) -> bool:
    """Return True if standardised inputs give the same outputs in training as the program's own.

    So it is behind a first layer that normalises each feature by the batch. Its moving averages
    need more steps than a trial has, which says nothing about the units.
    """
    program.restore()
    rows = slice(even(min(COMPARED, len(program.inputs))))
    outputs = []
    for inputs in (program.inputs, changed):
        program.rewind_streams()
        outputs.append(program.gradients(inputs[rows], program.labels[rows]).outputs)
    program.restore()
    return relative_difference(*outputs) < thresholds.UNITS_SAME


def _size_at_weights(program: Program) -> float:
    """Return the largest size of a feature where the first weights are; infinite if not known."""
    program.restore()
    measured = program.evaluate(program.inputs[:COMPARED])[1]
    sizes = [float(size[-1]) for name, size in measured.items() if name.startswith("first:")]
    return max(sizes, default=math.inf)


def _size(array: np.ndarray) -> float:
    """Return the largest root mean square of the features of a table or series; 0 for others."""
    if not _has_units(array):
        return 0.0
    squares = array.reshape(-1, array.shape[-1]).astype(np.float64) ** 2
    return float(np.sqrt(squares.mean(axis=0).max()))


def _has_units(array: np.ndarray) -> bool:
    """Return True for numbers [N, F] or [N, T, F] that are no ids."""
    return array.dtype.kind in "fu" and array.ndim in (2, 3) and not is_tokens(array)


def _with_units_away(array: np.ndarray) -> np.ndarray:
    if not _has_units(array):
        return array
    return np.asarray(standardised(array, tuple(range(array.ndim - 1))), np.float32)


def standardised(values: np.ndarray, axes: tuple[int, ...] = (0,)) -> np.ndarray:
    """Return values with mean 0 and deviation 1 over these axes; what is constant becomes 0."""
    deviation = values.std(axis=axes)
    moved: np.ndarray = (values - values.mean(axis=axes)) / np.where(deviation > 0, deviation, 1)
    return moved


def outputs_after(
    program: Program, seed: int, changed: tuple[Inputs, np.ndarray] | None = None
) -> np.ndarray | None:
    """Return the outputs for the examples kept apart after STEPS steps; None if it breaks down."""
    program.restore()
    (outputs,) = trial(program, program.steps.own.start(), (STEPS,), seed, changed)
    return outputs


def skill(program: Program, labels: np.ndarray, outputs: np.ndarray | None) -> float:
    """Return the score of outputs from a guess, 0, to all right, 1."""
    if outputs is None:
        return 0.0
    apart, target = labels[kept_apart(program)], program.target
    chance = 0.0
    if target.task is not Task.REGRESSION:
        values = target.yes(apart) if target.task is Task.BINARY else target.answers(apart)
        chance = float(np.unique(values, return_counts=True)[1].max() / values.size)
    return max((target.score(apart, outputs) - chance) / max(1 - chance, 1e-12), 0.0)


def check_target_scale(checkup: Checkup, program: Program, steps: int, seed: int) -> None:
    """Check for TARGET_SCALE: numbers so large that the training cannot come near them.

    steps: how many the training takes.
    """
    labels = program.labels.astype(np.float64)
    size = float(np.sqrt(np.mean(labels**2)))
    if size < thresholds.TARGET_SIZE or len(labels) < thresholds.UNITS_MIN_EXAMPLES:
        return
    outputs = outputs_after(program, seed)
    own, needed = skill(program, program.labels, outputs), _steps_needed(program, outputs)
    if needed < thresholds.TARGET_SOON * steps:
        return
    easy = standardised(labels).astype(np.float32)
    other = skill(program, easy, outputs_after(program, seed, (program.inputs, easy)))
    checkup.measure("target.units_gain", other - own)
    if other - own < thresholds.UNITS_GAIN:
        return
    takes = f"about {needed:,.0f} steps" if math.isfinite(needed) else "for ever"
    checkup.find(
        "TARGET_SCALE",
        f"The targets have the size {size:.3g}: after {STEPS} steps the score on other examples is "
        f"{own:.2f}, with standardised targets {other:.2f} (a guess: 0, all right: 1). To reach "
        f"them takes {takes} at this pace.",
        {"size": size, "score": own, "score_standardised": other, "steps_needed": needed},
        case="far" if needed > steps else "slow",
    )


def _steps_needed(program: Program, outputs: np.ndarray | None) -> float:
    """Return how many steps the outputs need to reach the targets, from where STEPS bring them.

    The way grows with the square of the steps at most, because the last layer and those before it
    grow together.
    """
    if outputs is None:
        return math.inf
    apart = kept_apart(program)
    labels = program.labels[apart].astype(np.float64).reshape(outputs.shape)
    program.restore()
    before = program.outputs(program.inputs[apart])
    first, last = (float(np.sqrt(np.mean((labels - o) ** 2))) for o in (before, outputs))
    way = 1 - last / first
    return STEPS / math.sqrt(way) if way > 0 else math.inf
