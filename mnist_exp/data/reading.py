"""Read the images that the settings `data.*` name, verify and split them."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from mnist_exp.data.dataset import Dataset, Split
from mnist_exp.data.form import MNIST
from mnist_exp.data.idx_files import parse_images, parse_labels, read_file
from mnist_exp.data.mnist import GZIPPED_SHA256, MNIST_SHA256, SHIPPED_DIR
from mnist_exp.errors import DataError
from mnist_exp.outside.printing import plural


def load(
    *,
    dir: str | Path | None = None,
    class_names: Sequence[str] | None = None,
    validation_size: int = 5000,
    train_limit: int | None = None,
    eval_limit: int | None = None,
    eval_on_train: bool = False,
) -> Dataset:
    """Read the four files and split them. The parameters are the settings `data.*`.

    dir: None is the MNIST shipped with the package, whose checksums are enforced. Any other folder
        may hold any number of images in the same format; its checksums are only recorded.
    class_names: the names of the classes by label; None takes those that the data has
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
    form = MNIST if class_names is None else replace(MNIST, class_names=tuple(class_names))
    return Dataset(train=train, val=val, test=test, source=source, form=form, sha256=dict(sha256))


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
