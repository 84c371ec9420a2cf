"""Which classes the labels of a data set mean, and what the classes are called."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data.parts import Contents, Part
from mnist_exp.errors import DataError
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

MOST_CLASSES = 1000
_NAME = 200  # characters of a class' name that are kept


@dataclass(frozen=True, kw_only=True)
class Classes:
    """names: of the classes, in their order; first: the label in the files that class 0 has."""

    names: tuple[str, ...]
    first: int

    def of(self, labels: NDArray[np.int64]) -> NDArray[np.int32]:
        """The classes 0, 1 ... of labels as the files have them."""
        return (labels - self.first).astype(np.int32)


def classes_of(contents: Contents, chosen: Sequence[str] | None) -> Classes:
    """Return the classes, with the names `chosen` by the setting data.class_names if there are any.

    Without names in the files, the classes are the labels from 0, or from 1 if no image has 0, to
    the highest training label. Raises DataError.
    """
    parts = [part for part in (contents.train, contents.val, contents.test) if part is not None]
    for part in parts:
        _check_numbers(part)
    _check_several(contents.train)
    names = contents.class_names
    if names is None:
        first = 1 if min(part.labels.min() for part in parts) == 1 else 0
        _check_count(contents.train, int(contents.train.labels.max()) + 1 - first)
        names = tuple(str(n) for n in range(first, int(contents.train.labels.max()) + 1))
    else:
        first = 0
        _check_count(contents.train, len(names))
    last = first + len(names) - 1
    named = "training images" if contents.class_names is None else "class names"
    for part in parts:
        _check_at_most(part, last, f"{first} to {last}, as there are {named}")
    return Classes(names=names if chosen is None else _chosen(chosen, names), first=first)


def _check_numbers(part: Part) -> None:
    if len(part) == 0:
        raise DataError(f"{part.images_in}: expected at least one example, found none")
    if part.labels.min() < 0:
        place = part.labels.argmin()
        raise DataError(
            f"{part.labels_in}: expected labels from 0, found {part.labels[place]} "
            f"(image {place}, counted from 0)"
        )


def _check_several(train: Part) -> None:
    if (train.labels == train.labels[0]).all():
        raise DataError(
            f"{train.labels_in}: expected 2 to {MOST_CLASSES:,} classes; all "
            f"{plural(len(train), 'training image')} have the label {train.labels[0]}"
        )


def _check_count(train: Part, count: int) -> None:
    if count > MOST_CLASSES:
        raise DataError(
            f"{train.labels_in}: expected 2 to {MOST_CLASSES:,} classes, found {count:,}; labels "
            "are the numbers of the classes, from 0: np.unique(labels, return_inverse=True)[1]"
        )


def _check_at_most(part: Part, last: int, expected: str) -> None:
    outside = np.flatnonzero(part.labels > last)
    if len(outside):
        raise DataError(
            f"{part.labels_in}: expected labels {expected}, found {part.labels[outside[0]]} "
            f"(image {outside[0]}, counted from 0)"
        )


def _chosen(chosen: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the setting; the data has the classes `names`. Raises DataError."""
    if len(chosen) != len(names):
        raise DataError(
            f"data.class_names: expected {len(names)} names, one for each of the classes "
            f"{clean(names[0], 30)} to {clean(names[-1], 30)}, found {len(chosen)}"
        )
    return checked_names(chosen, "data.class_names")


def checked_names(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the names as one line each. Raises DataError for an empty one and for two alike."""
    shown = tuple(clean(name, _NAME).strip() for name in names)
    for number, name in enumerate(shown):
        if not name:
            raise DataError(
                f"{where}: expected a name for each class; that of class {number} is empty"
            )
        if name in shown[:number]:
            raise DataError(f"{where}: expected different names, found {name!r} twice")
    return shown
