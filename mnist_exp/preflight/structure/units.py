"""Check for hidden units that cannot do their work: equal, dead or saturated from the start."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.program import Program, variable_name
from mnist_exp.preflight.program.taps import tap_graph

# How Keras ends the names of weights, not of scales and slopes that rightly begin as constants.
WEIGHTS = ("kernel", "embeddings")


def check_symmetry(checkup: Checkup, program: Program, inputs: Inputs, labels: np.ndarray) -> None:
    """Check for SYMMETRIC_INIT: hidden units with equal weights and gradients stay equal for ever.

    Equal weights alone prove nothing: the gradients of a zero layer before random ones differ.
    """
    hidden = _hidden_kernels(program)
    suspects = [v for v in hidden if twin_share([v.numpy()]) >= thresholds.TWIN_SHARE]
    shares = dict.fromkeys((variable_name(v) for v in hidden), 0.0)
    if suspects:
        # Without dropout, whose mask would make the gradients of equal units differ.
        values = program.gradients(inputs, labels, training=False).values
        gradients = {id(v): g.numpy() for v, g in zip(program.trained, values, strict=True)}
        shares |= {variable_name(v): twin_share([v.numpy(), gradients[id(v)]]) for v in suspects}
    share = max(shares.values(), default=0.0)
    checkup.measure("units.twin_share", share)
    if share >= thresholds.TWIN_SHARE:
        names = [name for name, value in shares.items() if value >= thresholds.TWIN_SHARE]
        checkup.find(
            "SYMMETRIC_INIT",
            f"{share:.0%} of the units of {', '.join(names)} have the same weights and the same "
            "gradient as another unit: they will stay copies of each other.",
            {"share": share, "variables": names},
        )
        return
    constant = [
        variable_name(v) for v in suspects if variable_name(v).endswith(WEIGHTS) and _is_constant(v)
    ]
    if constant:
        checkup.find(
            "SYMMETRIC_INIT",
            f"All weights of {', '.join(constant)} are the same number: its units begin as copies "
            "of each other, and only the layers behind them can make them differ.",
            {"variables": constant},
            case="constant",
        )


def _is_constant(variable: tf.Variable) -> bool:
    values = variable.numpy()
    return bool(np.ptp(values) == 0 and np.any(values))


def _hidden_kernels(program: Program) -> list[tf.Variable]:
    """Return the variables [..., units] of two or more dimensions, without the readout.

    In a readout, classes that never occur are rightly equal.
    """
    kernels = [
        v
        for v in program.trained
        if v.shape.rank >= 2 and v.shape[-1] > 1 and not variable_name(v).endswith("bias")
    ]
    if kernels and kernels[-1].shape[-1] == program.num_classes:
        kernels = kernels[:-1]
    return kernels


def twin_share(arrays: Sequence[np.ndarray]) -> float:
    """Return the share of the units that equal another unit in every array [..., units].

    Equal means within 1e-5 of the largest entry of the array.
    """
    units = arrays[0].shape[-1]
    signature = np.concatenate([_projection(array.reshape(-1, units)) for array in arrays])
    _, inverse, counts = np.unique(signature, axis=1, return_inverse=True, return_counts=True)
    return float(np.mean(counts[inverse.reshape(-1)] > 1))


def _projection(columns: np.ndarray) -> np.ndarray:
    """Project on four random directions [4, units] and round: equal columns give equal numbers."""
    size = np.abs(columns).max()
    if size == 0 or not np.isfinite(size):
        return np.zeros((4, columns.shape[1]))
    scale = size * np.sqrt(len(columns))
    directions = np.random.default_rng(0).normal(size=(4, len(columns))) / scale
    projected: np.ndarray = directions.astype(np.float32) @ columns.astype(np.float32)
    return projected.round(5)


def measured_in_training(program: Program, inputs: Inputs) -> dict[str, np.ndarray]:
    """Return what `tap_graph` measures in a training step, the weights as they are.

    It is traced for this alone: only where an alarm asks for it.
    """

    def graph(batch: Any) -> dict[str, tf.Tensor]:
        return tap_graph(tf.nest.flatten(batch), program.call(batch, training=True))[1]

    found = tf.function(graph)(inputs.tensors())
    program.restore()
    return {name: value.numpy() for name, value in found.items()}


def check_units(
    checkup: Checkup, program: Program, measured: Mapping[str, np.ndarray], inputs: Inputs
) -> None:
    """Check for DEAD_UNITS and SATURATED_ACTIVATIONS, in training where that differs.

    Fresh averages of a batch normalisation let the values shrink or drift from layer to layer in
    evaluation, so that units look dead that are alive in every training step.

    measured: what `tap_graph` measured for these inputs, a few hundred examples, in evaluation.
    """
    alarm = Checkup()
    check_activations(alarm, measured)
    if alarm.findings and program.taps.normalisation:
        measured = measured_in_training(program, inputs)
    check_activations(checkup, measured)


def check_activations(checkup: Checkup, measured: Mapping[str, np.ndarray]) -> None:
    """Check for DEAD_UNITS and SATURATED_ACTIVATIONS.

    measured: what `tap_graph` measured over a few hundred examples.
    """
    largest = dict(_select(measured, "rectifier:"))
    # Cells of a recurrent layer that are never negative have a ReLU inside their loop.
    states = _select(measured, "states:")
    largest |= {op: value[0] for op, value in states if np.all(value[1] <= 0)}
    dead = {op: float(np.mean(value <= 0)) for op, value in largest.items()}
    saturated = {op: float(value) for op, value in _select(measured, "saturation:")}
    checkup.measure("units.dead_share", _largest(dead)[1])
    # Of a few units, most can be dead by chance.
    operation, share = _largest(
        {op: s for op, s in dead.items() if s == 1 or s > _chance_of_dead(largest[op].size)}
    )
    if share > 0:
        checkup.find(
            "DEAD_UNITS",
            f"{share:.0%} of the units of {operation} give 0 for every example: no gradient passes "
            "through them.",
            {"shares": dead},
            case="most" if share > thresholds.DEAD_SHARE_ERROR else "many",
        )
    operation, share = _largest(saturated)
    checkup.measure("units.saturated_share", share)
    if share > thresholds.SATURATED_SHARE:
        checkup.find(
            "SATURATED_ACTIVATIONS",
            f"{share:.0%} of the values of {operation} are within 1% of a limit of the function, "
            "where its slope is almost 0.",
            {"shares": saturated},
        )


def _chance_of_dead(units: int) -> float:
    """Return a share of dead units that layers of this size hardly have by chance."""
    return thresholds.DEAD_SHARE_WARNING + thresholds.DEAD_DEVIATIONS * 0.5 / math.sqrt(units)


def _select(measured: Mapping[str, np.ndarray], kind: str) -> list[tuple[str, np.ndarray]]:
    """Return (operation, value) of the measurements of one kind."""
    return [(n.removeprefix(kind), value) for n, value in measured.items() if n.startswith(kind)]


def _largest(shares: Mapping[str, float]) -> tuple[str, float]:
    """Return the operation with the largest share, and that share; ("", 0) without operations."""
    operation = max(shares, key=lambda name: shares[name], default="")
    return operation, shares.get(operation, 0.0)
