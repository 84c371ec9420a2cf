"""Images and labels in memory: their form, the three splits, and digests of them."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data.form import MNIST, Form
from mnist_exp.data.known_sets import MNIST_SHA256, known_set


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
        """SHA-256 over image bytes, then labels as one byte each; 64 hex digits.

        Images of another shape than MNIST's have it before their bytes, and labels that do not fit
        into a byte have four, least first: other data has another digest.
        """
        shape = self.images.shape[1:]
        sha = hashlib.sha256(b"" if shape == MNIST.image_shape else repr(shape).encode())
        sha.update(np.ascontiguousarray(self.images).data)
        fit = len(self) == 0 or self.labels.max() < 256
        sha.update(self.labels.astype(np.uint8 if fit else "<i4").tobytes())
        return sha.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The three splits.

    train, val, test: the splits
    source: where the files are, for people
    form: the shape of the images and the names of the classes
    sha256: the SHA-256 of each unpacked file that they were read from; of pictures in folders that
        of all that were read of a part
    name: of the data set: `mnist`, `fashion_mnist`, or what its folder is called
    """

    train: Split
    val: Split
    test: Split
    source: str
    form: Form = MNIST
    sha256: dict[str, str] = field(default_factory=dict)
    name: str = "custom"

    @property
    def is_mnist(self) -> bool:
        """True if the files are those that Yann LeCun published."""
        return self.sha256 == MNIST_SHA256

    @property
    def short_name(self) -> str:
        """The name of a set that is known; of another one `data` and six digits of its digest."""
        known = known_set(self.sha256)
        return known[0] if known is not None else f"data{self.digest[:6]}"

    @cached_property
    def digest(self) -> str:
        """Digest of the three splits in the order train, val, test; 64 hex digits.

        The number of classes belongs to it if it is not MNIST's: a class may have no image.
        """
        digests = "".join(split.digest for split in (self.train, self.val, self.test))
        if self.form.num_classes != MNIST.num_classes:
            digests += f" {self.form.num_classes} classes"
        return hashlib.sha256(digests.encode()).hexdigest()
