"""Tell losses that compare neither classes nor numbers: directions, or examples of one class."""

import numpy as np

from mnist_exp.preflight.program.loss_probe import LossGradient, Probe


def compares_directions(probe: Probe) -> bool:
    """Return True if the loss looks at the direction of the outputs alone, as a cosine does.

    Its slope halves where the outputs double, and turning them round leaves it as it is. That of
    logarithms may halve, too, but not at numbers below 0.
    """
    before, turned = probe.slope(probe.mild()), probe.slope(-2 * probe.mild())
    if before is None or turned is None or not before.any():
        return False
    return bool(np.abs(2 * turned - before).max() < 1e-3 * np.abs(before).max())


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
