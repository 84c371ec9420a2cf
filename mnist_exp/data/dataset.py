"""Images and labels in memory: their form, the three splits, and digests of them."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data.form import MNIST, Form
from mnist_exp.data.mnist import MNIST_SHA256


@dataclass(frozen=True)
class Split:
    """Examples: images uint8 [N, H, W, C] in 0..255, labels int32 [N] in 0..K-1."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, limit: int | None) -> "Split":
        """The first `limit` examples; all of them if `limit` is None or larger than the split."""
        return Split(self.images[:limit], self.labels[:limit])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over image bytes, then labels as one byte each; 64 hex digits."""
        sha = hashlib.sha256(np.ascontiguousarray(self.images).data)
        sha.update(self.labels.astype(np.uint8).tobytes())
        return sha.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The three splits.

    train, val, test: the splits
    source: where the files are, for people
    form: the shape of the images and the names of the classes
    sha256: the SHA-256 of each unpacked file that they were read from
    """

    train: Split
    val: Split
    test: Split
    source: str
    form: Form = MNIST
    sha256: dict[str, str] = field(default_factory=dict)

    @property
    def is_mnist(self) -> bool:
        """True if the files are those that Yann LeCun published."""
        return self.sha256 == MNIST_SHA256

    @cached_property
    def digest(self) -> str:
        """Digest of the three splits in the order train, val, test; 64 hex digits."""
        digests = "".join(split.digest for split in (self.train, self.val, self.test))
        return hashlib.sha256(digests.encode()).hexdigest()
