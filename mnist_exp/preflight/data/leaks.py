"""Look for features that give the labels away."""

import math
from collections.abc import Sequence

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.probes import best_probe
from mnist_exp.preflight.data.views import flat, scaled
from mnist_exp.preflight.program.tasks import Target, Task

LEAK_EXAMPLES = 1000
MOST_CLASSES = 50
MOST_NUMBERS = 8  # columns of labels of a regression
_SHOWN = 5  # features in a message
_ROUNDING = 1e-13  # of the square of a distance, relative to the square of the largest length


def check_label_leak(
    checkup: Checkup, target: Target, arrays: Sequence[np.ndarray], labels: np.ndarray
) -> None:
    """Check for LABEL_LEAK: features that tell the labels (nearly) without an error, alone.

    A strong feature is none: it is found only where the other features tell far less, and for
    classes where the feature hardly varies within a class. A single feature is never a leak.

    arrays: the numbers among the inputs, [N, ...] each.
    """
    answers = target.answers(labels)[:LEAK_EXAMPLES]
    answers = answers.reshape(len(answers), -1)
    if len(answers) < thresholds.LEAK_MIN_EXAMPLES:
        return
    table = np.concatenate([flat(array[:LEAK_EXAMPLES]) for array in arrays], axis=1)
    varying = np.flatnonzero(np.ptp(table, axis=0) > 0)
    table = table[:, varying]
    if target.task is Task.REGRESSION:
        wanted, shares = answers, _explained_ranks(table, answers)
    else:
        classes = np.unique(answers)
        wanted = (answers == classes).astype(np.float64)
        shares = _explained_by_classes(table, wanted)
    telling = shares > thresholds.LEAK_SHARE
    if not telling.any() or telling.all() or wanted.shape[1] > MOST_CLASSES:
        return
    if target.task is Task.REGRESSION and wanted.shape[1] > MOST_NUMBERS:
        return
    exact = float(shares.max()) > 1 - 1e-6
    if not exact:  # several features that tell the classes together are what one hopes for
        telling = np.arange(len(shares)) == np.argmax(shares)
    told = _skill(_of_nearest(table[:, telling], wanted), wanted)
    others = _skill(best_probe([scaled(table[:, ~telling])], wanted).predicted, wanted)
    if told >= 1 - thresholds.LEAK_MISSES:
        checkup.measure("data.leak_gap_exact" if exact else "data.leak_gap", 1 - others)
    least = thresholds.LEAK_GAP_EXACT if exact else thresholds.LEAK_GAP
    if exact and target.task is Task.REGRESSION:  # neighbours in a series tell nearly as much
        least = thresholds.LEAK_GAP_SAME
    if 1 - told > thresholds.LEAK_MISSES or 1 - others < least:
        return
    names = ", ".join(str(n) for n in varying[telling][:_SHOWN])
    checkup.find(
        "LABEL_LEAK",
        f"Input feature {names} alone {'gives' if exact else 'nearly gives'} the labels "
        f"({told:.1%} of the way from a guess to all right), all others together {others:.1%}.",
        {"features": varying[telling].tolist(), "alone": told, "others": others},
        case="exact" if exact else "nearly",
    )


def check_row_number(
    checkup: Checkup,
    target: Target,
    arrays: Sequence[np.ndarray],
    labels: np.ndarray,
    whole: Sequence[np.ndarray],
) -> None:
    """Check for LABEL_LEAK by a number of the row in a file that is sorted by class.

    Such a feature has every class in one run, which a limit on a measured feature gives, too; but
    only what was counted goes up in even steps.

    arrays: the numbers among the inputs, [N, ...] each. whole: the same of all examples.
    """
    answers = target.yes(labels) if target.task is Task.BINARY else target.answers(labels)
    answers = answers.reshape(-1)[:LEAK_EXAMPLES]
    classes, counts = np.unique(answers, return_counts=True)
    tables = [flat(array[:LEAK_EXAMPLES]) for array in arrays]
    features = sum(table.shape[1] for table in tables)
    if len(answers) < thresholds.LEAK_MIN_EXAMPLES or len(classes) < 2 or features < 2:
        return
    ways = sum(math.lgamma(count + 1) for count in (len(classes), *counts))
    chance = ways - math.lgamma(len(answers) + 1)  # logarithm of that of runs in a random order
    if chance + math.log(features) > math.log(thresholds.CHANCE):
        return
    wanted = (answers[:, None] == classes).astype(np.float64)
    before = 0
    for array, table in zip(whole, tables, strict=True):
        ordered = answers[np.argsort(table, axis=0, kind="stable")]
        runs = 1 + np.count_nonzero(ordered[1:] != ordered[:-1], axis=0)
        for column in np.flatnonzero(runs == len(classes)) if array.ndim <= 2 else ():
            if not _is_counted(array.reshape(len(array), -1)[:, column]):
                continue
            feature = before + int(column)
            rest = np.delete(np.concatenate(tables, axis=1), feature, axis=1)
            others = _skill(best_probe([scaled(rest)], wanted).predicted, wanted)
            if 1 - others >= thresholds.LEAK_GAP_EXACT:
                checkup.find(
                    "LABEL_LEAK",
                    f"Input feature {feature} goes up in even steps, as the number of a row does, "
                    f"and has every class in one run: it alone gives the labels, all others "
                    f"together {others:.1%} of the way from a guess to all right.",
                    {"features": [feature], "others": others},
                    case="rows",
                )
                return
        before += table.shape[1]


def _is_counted(column: np.ndarray) -> bool:
    """Return True for different numbers [N] in even steps, of which up to half are missing."""
    steps = np.diff(np.sort(column.astype(np.float64)))
    return bool(2 * steps.min() > steps.mean() > 0)


def _explained_by_classes(table: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return the share [F] of the variance of every feature that lies between the classes.

    members: [N, C], 1 for the class of the example.
    """
    counts = members.sum(axis=0)
    means = members.T @ table / counts[:, None]
    between = counts @ (means - table.mean(axis=0)) ** 2
    shares: np.ndarray = between / ((table - table.mean(axis=0)) ** 2).sum(axis=0)
    return shares


def _explained_ranks(table: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the square of the rank correlation [F] of every feature with one of the numbers."""
    features, wanted = _ranks(table), _ranks(numbers)
    correlations = features.T @ wanted / len(table)
    largest: np.ndarray = (correlations**2).max(axis=1)
    return largest


def _ranks(table: np.ndarray) -> np.ndarray:
    """Return every column's ranks with the mean 0 and a deviation of 1; equal values share one."""
    ranks = np.empty(table.shape)
    for column, values in enumerate(table.T):
        _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks[:, column] = (np.cumsum(counts) - counts / 2)[places]
    ranks -= ranks.mean(axis=0)
    ranks /= np.maximum(ranks.std(axis=0), 1e-12)
    return ranks


def _of_nearest(table: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return what the example that is nearest in some features is labelled, for each example.

    Of several that are equal to it, it is the first.
    """
    table = scaled(table)
    products = table @ table.T
    lengths = np.diag(products)
    distances = lengths[:, None] + lengths - 2 * products
    distances[distances < _ROUNDING * lengths.max()] = 0
    np.fill_diagonal(distances, np.inf)
    nearest: np.ndarray = wanted[np.argmin(distances, axis=1)]
    return nearest


def _skill(predicted: np.ndarray, wanted: np.ndarray) -> float:
    """Return 1 minus the squared error over the variance, at least 0."""
    error = float(((predicted - wanted) ** 2).sum())
    return max(0.0, 1 - error / float(((wanted - wanted.mean(axis=0)) ** 2).sum()))
