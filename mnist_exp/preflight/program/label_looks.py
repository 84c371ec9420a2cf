"""What labels look like beside outputs and inputs: of one size, whole, one-hot, or a copy."""

import math

import numpy as np

# Correlation of labels with inputs from which they are taken for the same, noisy or rescaled: with
# few features the next step of a series comes near.
_COPY, _COPY_OF_FEW, _FEW = 0.5, 0.95, 64


def is_same_size(labels: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return True if labels [N, ...] hold one entry for each output of an example."""
    return math.prod(labels.shape[1:]) == math.prod(shape)


def is_index(labels: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return True for one whole number for each answer of several outputs, [N, positions]."""
    several = bool(shape) and shape[-1] > 1
    return several and is_same_size(labels, shape[:-1]) and _is_whole(labels)


def _is_whole(labels: np.ndarray) -> bool:
    return bool(np.equal(np.mod(labels.astype(np.float64), 1), 0).all())


def is_one_hot(labels: np.ndarray, width: int) -> bool:
    """Return True for labels [..., width] that are shares of classes: not negative, with sum 1."""
    if labels.ndim < 2 or labels.shape[-1] != width or width == 1:
        return False
    return bool((labels >= 0).all() and np.allclose(labels.sum(axis=-1), 1, atol=1e-3))


def is_copy(array: np.ndarray, labels: np.ndarray) -> bool:
    """Return True if labels are these inputs: the same, rescaled, or one of the two with noise.

    They are not if the inputs of the next place of a series fit better than those of the same.
    """
    size = math.prod(array.shape[1:])
    if array.dtype.kind not in "uif" or size < 2 or size != math.prod(labels.shape[1:]):
        return False
    same = _correlation(array, labels)
    if array.ndim > 2 and array.shape == labels.shape:
        ahead = _correlation(array[:, 1:], labels[:, :-1])
        if ahead > same:
            return False
    return same >= (_COPY if size >= _FEW else _COPY_OF_FEW)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation between arrays [N, ...] of one size, over the examples."""
    rows = [array[:256].reshape(len(array[:256]), -1) for array in (first, second)]
    a, b = (array - array.mean(axis=0, dtype=np.float64) for array in rows)
    return float(np.sum(a * b) / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-30))
