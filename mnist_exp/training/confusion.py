"""Which classes are taken for which: counts of images by label and prediction."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Images of one class that are taken for another one."""

    label: int
    prediction: int
    count: int
    images: int
    """All images with this label."""


def confusion_counts(
    labels: NDArray[np.integer], predictions: NDArray[np.integer], classes: int
) -> NDArray[np.int64]:
    """Count images by label (rows) and prediction (columns): [classes, classes]."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def most_frequent(counts: NDArray[np.int64], limit: int) -> list[Confusion]:
    """Return the most frequent mistakes of a matrix of counts, at most so many.

    Of mistakes that are as frequent, those of the lower label are first.
    """
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
    totals = counts.sum(axis=1)
    return [
        Confusion(
            label=row, prediction=column, count=int(wrong[row, column]), images=int(totals[row])
        )
        for row, column in (map(int, divmod(int(place), len(counts))) for place in order)
        if wrong[row, column]
    ]
