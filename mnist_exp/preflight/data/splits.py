"""Compare the validation data with the training data."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.batches import Inputs

ORDERED = 64  # features whose order stands for an example, whatever its scale
COMPARED = 512  # features, drawn at random, that show whether the same order is no chance
_COUNTED = 2000  # examples whose values are counted
_AT_ONCE = 2**16  # features that are looked at together


def check_overlap(checkup: Checkup, train: Inputs, validation: Inputs) -> None:
    """Check for SPLITS_OVERLAP: examples that are in both splits.

    Where they are not found as they are, wide inputs are compared by the order of their features,
    which no scale changes, and then by their values, brought to one scale. In a table of few
    values, equal rows are chance and nothing is said, nor where examples are drawn from a few.
    """
    if not _same_shapes(train, validation) or _equal_by_chance(train):
        return
    keys = _keys(train.arrays)
    share = _share_within(keys, _keys(validation.arrays))
    how, by_chance = "as they are", False
    if _has_few_values(train) and share <= _share_repeated(keys) + thresholds.OVERLAP_BEYOND:
        clumped = _clumped(keys)
        by_chance = clumped > 0
        rare = share < thresholds.OVERLAP_SHARE_ERROR
        if by_chance and (rare or clumped < thresholds.OVERLAP_CLUMPED):
            return
    if share < thresholds.OVERLAP_SHARE:
        orders = [_orders(split.arrays, train.arrays) for split in (train, validation)]
        if all(orders) and _share_within(orders[0], orders[1]) >= thresholds.OVERLAP_SHARE:
            share, how = _share_rescaled(train, validation, *orders), "but for their scale"
    checkup.measure("split.overlap", share)
    if share >= thresholds.OVERLAP_SHARE:
        checkup.find(
            "SPLITS_OVERLAP",
            f"{share:.0%} of the {len(validation)} validation examples are among the training "
            f"examples, too ({how}).",
            {"share": share},
            case="many" if share >= thresholds.OVERLAP_SHARE_ERROR and not by_chance else "some",
        )


def _same_shapes(train: Inputs, validation: Inputs) -> bool:
    pairs = zip(train.arrays, validation.arrays, strict=False)
    same = len(train.arrays) == len(validation.arrays)
    return same and all(a.shape[1:] == b.shape[1:] for a, b in pairs)


def _equal_by_chance(inputs: Inputs) -> bool:
    """Return True if some of these examples would meet their equal by chance.

    Two examples are equal by chance with the product of the probabilities that their features are,
    each the share of pairs of examples in which the feature is equal.
    """
    rows, log_chance = min(len(inputs), _COUNTED), 0.0
    for array in inputs.arrays:
        for column in _varying(array.reshape(len(array), -1)[:rows]):
            counts = np.unique(
                column.astype(str) if column.dtype == object else column, return_counts=True
            )[1]
            pairs = float((counts * (counts - 1.0)).sum()) / max(rows * (rows - 1.0), 1.0)
            if pairs == 0 or (log_chance := log_chance + math.log(pairs)) < -40:
                return False
    return math.log(len(inputs)) + log_chance > math.log(thresholds.OVERLAP_SHARE / 10)


def _varying(table: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the columns of a table [N, F] that have different values: a border has none."""
    for start in range(0, table.shape[1], _AT_ONCE):
        block = table[:, start : start + _AT_ONCE]
        yield from block[:, (block != block[:1]).any(axis=0)].T


def _has_few_values(inputs: Inputs) -> bool:
    """Return True if all inputs are such as one-hot columns or masks, and no measured numbers."""
    return all(
        array.dtype.kind in "fbiu" and len(np.unique(array[:_COUNTED])) <= thresholds.OVERLAP_VALUES
        for array in inputs.arrays
    )


def _share_repeated(keys: list[int]) -> float:
    """Return the share of examples that have an equal among the others."""
    counts = np.unique(keys, return_counts=True)[1]
    return float(counts[counts > 1].sum() / counts.sum())


def _clumped(keys: list[int]) -> float:
    """Return how uneven the draws are that give these repetitions; 0 if they are copies.

    Three drawn examples are equal with a probability of at least the square of that for two, by
    Jensen's inequality: the same if all are drawn alike, more if some are drawn more often. Rows
    that were copied once or twice have fewer such triples.
    """
    counts = np.unique(keys, return_counts=True)[1].astype(np.float64)
    rows = counts.sum()
    pairs, triples = counts * (counts - 1), counts * (counts - 1) * (counts - 2)
    expected = (pairs.sum() / (rows * (rows - 1))) ** 2 * rows * (rows - 1) * (rows - 2) / 6
    seen = triples.sum() / 6
    doubt = 2 * math.sqrt(seen + 1)  # of a count
    return float(seen / expected) if 0 < expected <= seen + doubt else 0.0


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


def _share_rescaled(
    train: Inputs, validation: Inputs, orders: list[int], asked: list[int]
) -> float:
    """Return the share of the validation examples that are training examples in another scale.

    Only examples of the same order are compared: many that are 0 nearly everywhere, or that grow
    all along, have the same order by chance.
    """
    tables = [split.arrays[0].reshape(len(split), -1) for split in (train, validation)]
    columns = np.random.default_rng(0).permutation(tables[0].shape[1])[:COMPARED]
    known, sought = (_in_one_scale(table, columns) for table in tables)
    rows = defaultdict[int, list[int]](list)
    for row, order in enumerate(orders):
        rows[order].append(row)
    same = [
        bool((np.abs(known[rows[order]] - row).max(axis=1) < thresholds.OVERLAP_DIFFERENCE).any())
        for row, order in zip(sought, asked, strict=True)
        if order in rows
    ]
    return sum(same) / len(validation)


def _in_one_scale(table: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return these columns of a table [N, F], in units in which each row goes from 0 to 1."""
    low, high = (edge(table, axis=1, keepdims=True) for edge in (np.min, np.max))
    spread = np.maximum(high.astype(np.float64) - low, 1e-30)
    return np.asarray((table[:, columns].astype(np.float64) - low) / spread)


def _share_within(known: list[int], asked: list[int]) -> float:
    """Return the share of `asked` that is in `known`."""
    among = set(known)
    return sum(key in among for key in asked) / len(asked)
