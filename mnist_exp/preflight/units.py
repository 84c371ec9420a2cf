"""Hidden units that cannot do their work: equal, dead or saturated from the start."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from . import thresholds
from .program import Program, variable_name
from .report import Finding


def check_symmetry(
    program: Program, images: np.ndarray, labels: np.ndarray, statistics: dict[str, Any]
) -> list[Finding]:
    """SYMMETRIC_INIT: hidden units with equal weights and equal gradients stay equal for ever.

    Weights alone do not tell: a zero layer before random ones is fine, its gradients differ.
    """
    hidden = _hidden_kernels(program)
    suspects = [v for v in hidden if twin_share([v.numpy()]) >= thresholds.TWIN_SHARE]
    shares = dict.fromkeys((variable_name(v) for v in hidden), 0.0)
    if suspects:
        # Without dropout, whose mask would make the gradients of equal units differ.
        values = program.gradients(images, labels, training=False).values
        gradients = {id(v): g.numpy() for v, g in zip(program.trained, values, strict=True)}
        for variable in suspects:
            shares[variable_name(variable)] = twin_share(
                [variable.numpy(), gradients[id(variable)]]
            )
    share = max(shares.values(), default=0.0)
    statistics["units.twin_share"] = share
    if share < thresholds.TWIN_SHARE:
        return []
    names = [name for name, value in shares.items() if value >= thresholds.TWIN_SHARE]
    return [
        Finding(
            "SYMMETRIC_INIT",
            "error",
            f"{share:.0%} of the units of {', '.join(names)} have the same weights and the same gradient as another "
            "unit: they will stay copies of each other.",
            "Initialise hidden weights at random (zeros are right for a linear model only).",
            {"share": share, "variables": names},
        )
    ]


def _hidden_kernels(program: Program) -> list[tf.Variable]:
    """Variables [..., units] of two or more dimensions, without the readout: classes that never occur are twins there."""
    kernels = [v for v in program.trained if v.shape.rank >= 2 and v.shape[-1] > 1]
    if kernels and kernels[-1].shape[-1] == program.num_classes:
        kernels = kernels[:-1]
    return kernels


def twin_share(arrays: Sequence[np.ndarray]) -> float:
    """Share of the units (last axis) that equal another unit in every array, within 1e-5 of its largest entry."""
    units = arrays[0].shape[-1]
    signature = np.concatenate([_projection(array.reshape(-1, units)) for array in arrays])
    _, inverse, counts = np.unique(signature, axis=1, return_inverse=True, return_counts=True)
    return float(np.mean(counts[inverse.reshape(-1)] > 1))


def _projection(columns: np.ndarray) -> np.ndarray:
    """Four random directions [4, units], rounded: equal columns give equal numbers."""
    size = np.abs(columns).max()
    if size == 0 or not np.isfinite(size):
        return np.zeros((4, columns.shape[1]))
    directions = np.random.default_rng(0).normal(size=(4, len(columns))) / (
        size * np.sqrt(len(columns))
    )
    return np.round(directions.astype(np.float32) @ columns.astype(np.float32), 5)


def check_activations(measured: dict[str, np.ndarray], statistics: dict[str, Any]) -> list[Finding]:
    """DEAD_UNITS and SATURATED_ACTIVATIONS, from what the taps measured over a few hundred examples."""
    dead = {
        n.split(":", 1)[1]: float(np.mean(v <= 0))
        for n, v in measured.items()
        if n.startswith("rectifier:")
    }
    saturated = {
        n.split(":", 1)[1]: float(v) for n, v in measured.items() if n.startswith("saturation:")
    }
    statistics["units.dead_share"] = max(dead.values(), default=0.0)
    statistics["units.saturated_share"] = max(saturated.values(), default=0.0)
    findings = []
    if statistics["units.dead_share"] > thresholds.DEAD_SHARE_WARNING:
        name = max(dead, key=lambda key: dead[key])
        findings.append(
            Finding(
                "DEAD_UNITS",
                "error" if dead[name] > thresholds.DEAD_SHARE_ERROR else "warning",
                f"{dead[name]:.0%} of the units of {name} give 0 for every example: no gradient passes through them.",
                "Start biases at 0 or slightly above, centre the inputs, and look for a sign error before the ReLU.",
                {"shares": dead},
            )
        )
    if statistics["units.saturated_share"] > thresholds.SATURATED_SHARE:
        name = max(saturated, key=lambda key: saturated[key])
        findings.append(
            Finding(
                "SATURATED_ACTIVATIONS",
                "warning",
                f"{saturated[name]:.0%} of the values of {name} are within 1% of a limit of the function, where its "
                "slope is almost 0.",
                "Scale the initial weights by 1/sqrt(inputs) (Glorot), or the inputs to [0, 1].",
                {"shares": saturated},
            )
        )
    return findings
