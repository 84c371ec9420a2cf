"""Check that the averages with which a model is evaluated follow the training."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.program import Program, variable_name
from mnist_exp.preflight.program.state import assigned_in, layers_of, read_in

# Of Keras' BatchNormalization, with the value that they begin with.
MOVING = {"moving_mean": 0.0, "moving_variance": 1.0}


def check_averages(checkup: Checkup, program: Program, steps: int) -> None:
    """Check for MOVING_AVERAGES_FIXED, with the weights and averages after a short run.

    steps: of the whole training.
    """
    evaluation, training = program.graphs
    listed = {id(variable) for variable in program.trainable}
    state = [
        v for v in program.variables if id(v) not in listed and v.dtype.is_floating and v.shape.rank
    ]
    read = {id(v) for v in read_in(training, state)}
    updated = assigned_in(training, state)
    lost = [
        v for v in read_in(evaluation, state) if id(v) not in read and v.shape.num_elements() > 1
    ]
    still = [group for group in _by_layer(updated).values() if not _any_moved(program, group)]
    names = [variable_name(v) for v in (*lost, *(v for group in still for v in group))]
    if names:
        checkup.find(
            "MOVING_AVERAGES_FIXED",
            f"Evaluation uses {', '.join(names)}, which training never changes: it normalises with "
            "other numbers than training does.",
            {"variables": names},
            case="never",
        )
        return
    changing = {id(v) for v in updated}
    fresh = [
        variable_name(v) for v in state if id(v) in read and id(v) not in changing and _is_fresh(v)
    ]
    if fresh:
        checkup.find(
            "MOVING_AVERAGES_FIXED",
            f"{', '.join(fresh)} have the values of a fresh layer and stay so: the normalisation "
            "does nothing.",
            {"variables": fresh},
            case="frozen",
        )
        return
    _check_momentum(checkup, program, steps)


def _check_momentum(checkup: Checkup, program: Program, steps: int) -> None:
    layers = layers_of(program.model)
    slowest = max(
        (layer for layer in layers if hasattr(layer, "moving_mean") and layer.trainable),
        key=lambda layer: float(layer.momentum),
        default=None,
    )
    if slowest is None:
        return
    momentum = float(slowest.momentum)
    left = momentum**steps
    checkup.measure("averages.left", left)
    if left > thresholds.AVERAGES_LEFT:
        checkup.find(
            "MOVING_AVERAGES_FIXED",
            f"With a momentum of {momentum:g}, the averages of {slowest.name} are still {left:.0%} "
            f"their first values after {steps} steps.",
            {"momentum": momentum, "left": left},
            case="slow",
        )


def _by_layer(variables: Iterable[tf.Variable]) -> dict[str, list[tf.Variable]]:
    """Return the variables by what comes before the last "/" of their names."""
    groups: dict[str, list[tf.Variable]] = {}
    for variable in variables:
        groups.setdefault(variable_name(variable).rpartition("/")[0], []).append(variable)
    return groups


def _any_moved(program: Program, variables: Iterable[tf.Variable]) -> bool:
    first = dict(zip(map(id, program.variables), program.first_values, strict=True))
    return any(not np.array_equal(v.numpy(), first[id(v)]) for v in variables)


def _is_fresh(variable: tf.Variable) -> bool:
    kind = variable_name(variable).rpartition("/")[2]
    return kind in MOVING and bool(np.all(variable.numpy() == MOVING[kind]))
