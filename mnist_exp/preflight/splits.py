"""Compare the validation data with the training data."""

import math
from collections.abc import Sequence

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.checkup import Checkup

ORDERED = 64  # features whose order stands for an example, whatever its scale


def check_overlap(checkup: Checkup, train: Inputs, validation: Inputs) -> None:
    """Check for SPLITS_OVERLAP: examples that are in both splits.

    Where they are not found as they are, wide inputs are compared by the order of their features,
    which no scale changes. In a table of few values, equal rows are chance and nothing is said.
    """
    if not _same_shapes(train, validation) or _equal_by_chance(train):
        return
    share = _share_within(_keys(train.arrays), _keys(validation.arrays))
    how = "as they are"
    if share < thresholds.OVERLAP_SHARE:
        orders = [_orders(split.arrays, train.arrays) for split in (train, validation)]
        if all(orders):
            share, how = _share_within(orders[0], orders[1]), "but for their scale"
    checkup.measure("split.overlap", share)
    if share >= thresholds.OVERLAP_SHARE:
        checkup.find(
            "SPLITS_OVERLAP",
            f"{share:.0%} of the {len(validation)} validation examples are among the training "
            f"examples, too ({how}).",
            {"share": share},
            case="many" if share >= thresholds.OVERLAP_SHARE_ERROR else "some",
        )


def _same_shapes(train: Inputs, validation: Inputs) -> bool:
    pairs = zip(train.arrays, validation.arrays, strict=False)
    same = len(train.arrays) == len(validation.arrays)
    return same and all(a.shape[1:] == b.shape[1:] for a, b in pairs)


def _equal_by_chance(inputs: Inputs) -> bool:
    """Return True if some of these examples would meet their equal by chance.

    Two examples are equal by chance with the product of the probabilities that their features are.
    """
    rows, log_chance = len(inputs), 0.0
    for array in inputs.arrays:
        for column in array.reshape(rows, -1)[:2000].T:
            counts = np.unique(
                column.astype(str) if column.dtype == object else column, return_counts=True
            )[1]
            log_chance += math.log(float(((counts / counts.sum()) ** 2).sum()))
            if log_chance < -40:
                return False
    return math.log(rows) + log_chance > math.log(thresholds.OVERLAP_SHARE / 10)


def _keys(arrays: Sequence[np.ndarray]) -> list[int]:
    """Return a number for every example; equal examples have equal numbers."""
    parts = [[hash(row) for row in _plain(array.reshape(len(array), -1))] for array in arrays]
    return [hash(key) for key in zip(*parts, strict=True)]


def _plain(table: np.ndarray) -> list[bytes] | list[tuple[str, ...]]:
    """Return every row of a table [N, F] so that equal rows of any dtype are equal."""
    if table.dtype.kind in "fbiu":
        numbers = np.ascontiguousarray(table, np.float32) + np.float32(0)  # -0 becomes 0
        return [row.tobytes() for row in numbers]
    return [tuple(map(str, row)) for row in table]


def _orders(arrays: Sequence[np.ndarray], reference: Sequence[np.ndarray]) -> list[int]:
    """Return a number for every example, from the order of the features that vary most.

    It is empty for inputs that are not a single wide array of numbers.
    """
    if len(arrays) != 1 or arrays[0].dtype.kind not in "fiu":
        return []
    varying = reference[0].reshape(len(reference[0]), -1)[:1000].astype(np.float64).std(axis=0)
    if np.count_nonzero(varying) < ORDERED:
        return []
    columns = np.argsort(-varying, kind="stable")[:ORDERED]
    table = arrays[0].reshape(len(arrays[0]), -1)[:, np.sort(columns)].astype(np.float32)
    return [hash(row.tobytes()) for row in np.argsort(table, axis=1, kind="stable")]


def _share_within(known: list[int], asked: list[int]) -> float:
    """Return the share of `asked` that is in `known`."""
    among = set(known)
    return sum(key in among for key in asked) / len(asked)
