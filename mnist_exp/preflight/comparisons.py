"""Tell losses that compare neither classes nor numbers: directions, or examples of one class."""

import numpy as np

from mnist_exp.preflight.loss_probe import LossGradient, Probe


def compares_directions(probe: Probe) -> bool:
    """Return True if outputs that are a multiple of the labels are right, as for a cosine.

    It is asked of numbers only: shares that are right have no slope in a cross entropy either.
    The labels have one entry for each output.
    """
    numbers = probe.labels.reshape(probe.shape).astype(np.float64)
    if numbers.min() >= 0 and numbers.max() <= 1:
        return False
    others = np.roll(numbers, 1, axis=0)
    shorter, longer, wrong = map(probe.slope, (0.5 * numbers, 2 * numbers, others))
    if shorter is None or longer is None or wrong is None:
        return False
    largest = max(float(np.abs(slope).max()) for slope in (shorter, longer))
    return largest < 1e-3 * float(np.abs(wrong).max())


def asks_what_is_alike(
    loss_gradient: LossGradient, labels: np.ndarray, shape: tuple[int, ...]
) -> bool:
    """Return True if other names of the classes change nothing, but other labels do.

    So it is for losses of pairs and triplets of a batch. labels: classes [N, ...]. shape: of the
    outputs of one example.
    """
    names, named = np.unique(labels, return_inverse=True)
    others = np.roll(names, 1)[named].reshape(labels.shape).astype(labels.dtype)
    outputs = np.random.default_rng(0).normal(size=(len(labels), *shape))
    given, renamed, moved = (
        Probe(loss_gradient, part, shape).slope(outputs)
        for part in (labels, others, np.roll(labels, 1, axis=0))
    )
    if given is None or renamed is None or moved is None:
        return False
    size = float(np.abs(given).max())
    return bool(
        np.abs(given - renamed).max() <= 1e-4 * size < 1e-2 * size < np.abs(given - moved).max()
    )
