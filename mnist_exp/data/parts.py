"""Images as files hold them, before they are split: pictures are read when they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]


@dataclass(kw_only=True)
class Part:
    """The training, validation or test images of some files.

    images_in, labels_in: the file or folder of each, for messages
    labels: int64 [N], as the files have them and in their order
    read: positions [n] in the files' order -> uint8 [n, H, W, C]. Raises DataError.
    """

    images_in: str
    labels_in: str
    labels: NDArray[np.int64]
    read: Callable[[Positions], NDArray[np.uint8]]
    _images: NDArray[np.uint8] | None = field(default=None, init=False)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def order(self) -> Positions:
        """The positions of the images in the order in which splits take them."""
        return mixed(self.labels)

    def first(self, count: int) -> NDArray[np.uint8]:
        """The first `count` images in that order, read-only; they are kept for the next call."""
        if self._images is None or len(self._images) < count:
            self._images = self.read(self.order[:count])
            self._images.flags.writeable = False
        return self._images[:count]


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What some files hold.

    train, test, val: the parts; without `val` the first training images are the validation split
    class_names: the names that the files have for the labels 0, 1 ...; None if they have none
    sha256: the SHA-256 of what was read: of each file, or of all pictures of a part
    name: of the data set, if it is a well-known one
    """

    train: Part
    test: Part
    val: Part | None = None
    class_names: tuple[str, ...] | None = None
    sha256: dict[str, str]
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """Files that were found and not read yet.

    files: all that `read` looks at
    read: raises DataError for what cannot be used
    """

    files: tuple[Path, ...]
    read: Callable[[], Contents]


def from_array(images: NDArray[np.uint8]) -> Callable[[Positions], NDArray[np.uint8]]:
    """Return what a part reads of images in memory: a view of them if they are in their order."""

    def read(positions: Positions) -> NDArray[np.uint8]:
        count = len(positions)
        return images[:count] if (positions == np.arange(count)).all() else images[positions]

    return read


def mixed(labels: NDArray[np.int64]) -> Positions:
    """Return positions in which images of all classes follow one another.

    It is the files' order, unless that is sorted by label: the first images, which are validated
    on, would be of one class. Then the classes take turns, each as often as it has images.
    """
    if len(labels) == 0 or (np.diff(labels) < 0).any():
        return np.arange(len(labels))
    _, starts, counts = np.unique(labels, return_index=True, return_counts=True)
    rank = np.arange(len(labels)) - np.repeat(starts, counts)  # within the class
    return np.argsort((2 * rank + 1) / (2 * np.repeat(counts, counts)), kind="stable")
