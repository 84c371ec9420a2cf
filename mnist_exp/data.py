"""Read, verify and split the MNIST files."""

import hashlib
import os
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_exp.errors import DataError
from mnist_exp.idx_files import parse_images, parse_labels, read_file
from mnist_exp.outside.printing import plural

SHIPPED_DIR = Path(__file__).parent / "datasets" / "mnist"
# SHA-256 of the unpacked files as published by Yann LeCun.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

# SHA-256 of the same files as the package has them, gzipped: gzip's header must not change either.
GZIPPED_SHA256 = {
    "train-labels-idx1-ubyte": "fe03b8bd7915f70bf5aa08be480aa413fbd85afcaa58b35d230d335f284fd88e",
    "train-images-idx3-ubyte": "71524e2cd1ad2968737f7f2f2ff69cbfc32df8ccddff51593f7cb2d4e0eb5b64",
    "t10k-labels-idx1-ubyte": "ae18e77e031ccde52407f794d123116439864147d33ac992975f85dd4dc42af6",
    "t10k-images-idx3-ubyte": "5634745efa576a17e7d4cf5cd9d09123c75e6538e5114267c2d156edaf519341",
}


@dataclass(frozen=True)
class Split:
    """Examples: images uint8 [N, 28, 28, 1] in 0..255, labels int32 [N] in 0..9."""

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
    sha256: the SHA-256 of each unpacked file that they were read from
    """

    train: Split
    val: Split
    test: Split
    source: str
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


def load(
    *,
    dir: str | Path | None = None,
    validation_size: int = 5000,
    train_limit: int | None = None,
    eval_limit: int | None = None,
    eval_on_train: bool = False,
) -> Dataset:
    """Read the four files and split them. The parameters are the settings `data.*`.

    dir: None is the MNIST shipped with the package, whose checksums are enforced. Any other folder
        may hold any number of images in the same format; its checksums are only recorded.
    validation_size: so many of the first training images are the validation split
    train_limit: keep the first training examples only
    eval_limit: keep the first validation examples, and the first test examples, only
    eval_on_train: validation and test split are the (limited) training split

    Raises DataError with the file, what was expected, and what the file holds.
    """
    folder = _folder(dir)
    whole, test, sha256 = _read_shipped(folder) if dir is None else _read(folder, shipped=False)
    if len(whole) <= validation_size:
        raise DataError(
            f"data.validation_size={validation_size}: expected fewer than the {len(whole)} "
            f"training images in {folder}"
        )
    train = Split(whole.images[validation_size:], whole.labels[validation_size:]).first(train_limit)
    val = whole.first(validation_size).first(eval_limit)
    test = test.first(eval_limit)
    if eval_on_train:
        val = test = train
    source = "shipped with mnist_exp" if dir is None else str(folder.resolve())
    return Dataset(train=train, val=val, test=test, source=source, sha256=dict(sha256))


def load_test(dir: str | Path | None = None) -> Split:
    """Read the test split alone, from the same folder as `load`. Raises DataError."""
    return _read_split(_folder(dir), "t10k", shipped=dir is None)[0]


def _folder(dir: str | Path | None) -> Path:
    """Return the folder with the files. Raises DataError if it does not exist."""
    folder = SHIPPED_DIR if dir is None else Path(os.path.expanduser(dir))
    if not folder.is_dir():
        raise DataError(
            f"data.dir={dir}: no such folder; expected one with {', '.join(MNIST_SHA256)}"
        )
    return folder


def _read(folder: Path, *, shipped: bool) -> tuple[Split, Split, dict[str, str]]:
    """Return all training and test images, and the SHA-256 of each file. Raises DataError."""
    train, sha256_of_train = _read_split(folder, "train", shipped=shipped)
    test, sha256_of_test = _read_split(folder, "t10k", shipped=shipped)
    return train, test, sha256_of_train | sha256_of_test


def _read_split(folder: Path, part: str, *, shipped: bool) -> tuple[Split, dict[str, str]]:
    """Return the images and labels of `part`, train or t10k, and the SHA-256 of both files."""
    names = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    contents = [
        read_file(folder, name, GZIPPED_SHA256[name] if shipped else None) for name in names
    ]
    images = parse_images(contents[0], f"{folder}/{names[0]}")
    labels = parse_labels(contents[1], f"{folder}/{names[1]}")
    if len(images) != len(labels):
        raise DataError(
            f"{folder}: {names[0]} has {plural(len(images), 'image')} but {names[1]} has "
            f"{plural(len(labels), 'label')}; expected one label an image"
        )
    sha256 = [hashlib.sha256(content).hexdigest() for content in contents]
    return Split(images, labels), dict(zip(names, sha256, strict=True))


@cache
def _read_shipped(folder: Path) -> tuple[Split, Split, dict[str, str]]:
    """Read the shipped files once in a process: a worker's trials all begin with them."""
    return _read(folder, shipped=True)
