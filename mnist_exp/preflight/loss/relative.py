"""Tell which targets a loss of relative errors cannot use: those of 0, and those below."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.program.program import Program

_EXAMPLES = 256


def lost_below_zero(program: Program) -> float:
    """Return the share of the variance of the targets that a loss loses as if they were 0.

    So does Keras' mean squared logarithmic error. It is 0 where targets below 0 count.
    """
    labels = program.labels.astype(np.float64)
    rows = np.flatnonzero((labels < 0).reshape(len(labels), -1).any(axis=1))[:_EXAMPLES]
    variance = float(np.sum((labels - labels.mean(axis=0)) ** 2))
    if not len(rows) or variance == 0:
        return 0.0
    given = program.labels[rows]
    outputs = _of_labels(program, np.abs(given) + 1)
    loss, slope, _ = program.loss_gradient(given, outputs)
    loss_of_zeros, slope_of_zeros, _ = program.loss_gradient(np.maximum(given, 0), outputs)
    # The slopes alone would not tell: those of an absolute error are the same for any target below.
    same = np.isclose(loss, loss_of_zeros, rtol=1e-5, atol=0)
    if not same or not slope.any() or not np.allclose(slope, slope_of_zeros, rtol=1e-5, atol=0):
        return 0.0
    return float(np.sum(np.minimum(labels, 0) ** 2)) / variance


def share_of_zeros(program: Program) -> float:
    """Return which share of all slopes belongs to targets so small that a loss divides by nothing.

    A usual target is one of the larger half. So does Keras' mean absolute percentage error.
    """
    labels = program.labels[:_EXAMPLES]
    size = np.abs(labels.astype(np.float64))
    middle = float(np.median(size[size > 0])) if size.any() else 0.0
    if middle == 0:
        return 0.0
    outputs = _of_labels(program, labels + 0.1 * middle)
    slopes = np.abs(program.loss_gradient(labels, outputs)[1]).astype(np.float64)
    slopes = slopes.reshape(labels.shape)
    if not np.isfinite(slopes).all() or not slopes.any():
        return 0.0
    heavy = slopes > thresholds.ZERO_PULLS * np.median(slopes[size >= middle])
    return float(slopes[heavy].sum() / slopes.sum())


def _of_labels(program: Program, values: np.ndarray) -> np.ndarray:
    """Return values [N, ...] like the labels as outputs."""
    return values.reshape(len(values), *program.target.shape).astype(np.float32)
