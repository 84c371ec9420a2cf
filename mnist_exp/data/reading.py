"""Read the images that the settings `data.*` name, verify and split them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import forms, idx_files, known_sets, last_read, named_arrays
from mnist_exp.data.classes import Classes, classes_of
from mnist_exp.data.dataset import Dataset, Split
from mnist_exp.data.form import Form
from mnist_exp.data.image_arrays import in_color
from mnist_exp.data.parts import Contents, Part
from mnist_exp.errors import DataError
from mnist_exp.own_code import session


def load(
    *,
    dir: str | Path | None = None,
    class_names: Sequence[str] | None = None,
    validation_size: int = 5000,
    train_limit: int | None = None,
    eval_limit: int | None = None,
    eval_on_train: bool = False,
) -> Dataset:
    """Read the images and split them. The parameters are the settings `data.*`.

    dir: None is the MNIST shipped with the package, whose checksums are enforced. Anything else may
        be a folder or file in one of the forms of `forms.find`; its checksums are only recorded.
    class_names: the names of the classes by label; None takes those that the data has
    validation_size: so many of the first training images are the validation split, unless the
        data has one
    train_limit: keep the first training examples only
    eval_limit: keep the first validation examples, and the first test examples, only
    eval_on_train: validation and test split are the (limited) training split

    Raises DataError with the file, what was expected, and what the file holds.
    """
    dataset = _split_up(
        _contents(dir), class_names, validation_size, train_limit, eval_limit, eval_on_train
    )
    if dir is None:
        return dataset
    place = Path(dir).expanduser().resolve()
    return replace(dataset, source=str(place), name=_name(dataset, place.stem))


def of_arrays(
    arrays: Mapping[str, NDArray[Any]],
    *,
    class_names: Sequence[str] | None = None,
    validation_size: int = 5000,
    train_limit: int | None = None,
    eval_limit: int | None = None,
    eval_on_train: bool = False,
) -> Dataset:
    """Split arrays in memory as `load` splits those of an .npz file, with the same names.

    Raises DataError with the array, what was expected, and what was found.
    """
    named_arrays.check("data", {name: (each.dtype, each.shape) for name, each in arrays.items()})
    contents = named_arrays.contents_of("data", arrays, {})
    dataset = _split_up(
        contents, class_names, validation_size, train_limit, eval_limit, eval_on_train
    )
    return replace(dataset, source="arrays in memory", name="custom")


def _split_up(
    contents: Contents,
    class_names: Sequence[str] | None,
    validation_size: int,
    train_limit: int | None,
    eval_limit: int | None,
    eval_on_train: bool,
) -> Dataset:
    """Return the splits with the parameters of `load`, of MNIST as far as it names its source."""
    classes = classes_of(contents, class_names)
    train, val = _train_and_val(contents, classes, validation_size, train_limit, eval_limit)
    test = _split(contents.test, classes, eval_limit)
    train, val, test = _of_one_shape(train, val, test, contents)
    if eval_on_train:
        val = test = train
    height, width, channels = train.images.shape[1:]
    return Dataset(
        train=train,
        val=val,
        test=test,
        source="shipped with mnist_exp",
        form=Form(image_shape=(height, width, channels), class_names=classes.names),
        sha256=dict(contents.sha256),
        name=contents.name or "custom",
    )


def load_test(dir: str | Path | None = None, channels: int | None = None) -> Split:
    """Read the test split alone, from where `load` reads it. Raises DataError.

    channels: 3 gives grey test images three channels, as `load` does if other images are in colour
    """
    contents = _contents(dir)
    test = _split(contents.test, classes_of(contents, None), None)
    return Split(_colored(test.images), test.labels) if channels == 3 else test


def _contents(dir: str | Path | None) -> Contents:
    if dir is None:
        return _read_shipped(known_sets.SHIPPED_DIR)
    if session.is_session(dir):
        raise DataError(session.refusal("data.dir", str(dir)))
    return last_read.contents(forms.find(dir))


def _name(dataset: Dataset, place: str) -> str:
    """Return the name of a data set: that of its folder or file if it is not a known one.

    It is never that of a known one, whose files are others.
    """
    known = known_sets.MNIST, known_sets.FASHION_MNIST
    return dataset.name if dataset.name in known or place in ("", *known) else place


def _train_and_val(
    contents: Contents,
    classes: Classes,
    validation_size: int,
    train_limit: int | None,
    eval_limit: int | None,
) -> tuple[Split, Split]:
    """Return training and validation split. No picture is read that neither needs."""
    train, val = contents.train, contents.val
    if val is not None:
        return _split(train, classes, train_limit), _split(val, classes, eval_limit)
    if len(train) <= validation_size:
        raise DataError(
            f"data.validation_size={validation_size}: expected fewer than the {len(train)} "
            f"training images in {train.images_in}; a tenth is {max(1, len(train) // 10)}"
        )
    both = _split(train, classes, None if train_limit is None else validation_size + train_limit)
    rest = Split(both.images[validation_size:], both.labels[validation_size:])
    return rest, both.first(validation_size).first(eval_limit)


def _split(part: Part, classes: Classes, limit: int | None) -> Split:
    """Return the first images of a part with their classes; all if `limit` is None."""
    count = len(part) if limit is None else min(limit, len(part))
    return Split(part.first(count), classes.of(part.labels[part.order[:count]]))


def _of_one_shape(
    train: Split, val: Split, test: Split, contents: Contents
) -> tuple[Split, Split, Split]:
    """Return the splits with as many channels each. Raises DataError for other sizes."""
    parts = contents.train, contents.val or contents.train, contents.test
    splits = train, val, test
    shape = train.images.shape[1:3]
    for part, split in zip(parts, splits, strict=True):
        if split.images.shape[1:3] != shape:
            height, width = split.images.shape[1:3]
            raise DataError(
                f"{part.images_in}: expected images of {shape[1]}x{shape[0]} pixels, as the "
                f"training images have, found {width}x{height}"
            )
    channels = {split.images.shape[3] for split in splits}
    if len(channels) == 1:
        return splits
    train, val, test = (Split(_colored(split.images), split.labels) for split in splits)
    return train, val, test


def _colored(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return images if images.shape[3] == 3 else in_color(images)


@cache
def _read_shipped(folder: Path) -> Contents:
    """Read the shipped files once in a process: a worker's trials all begin with them."""
    for name, sha256 in known_sets.GZIPPED_SHA256.items():
        idx_files.check_digest(folder / f"{name}.gz", sha256)
    source = idx_files.find(folder)
    assert source is not None, "its files have just been read"
    return source.read()
