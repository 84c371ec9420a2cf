"""What a program of the collection consists of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True, kw_only=True)
class Case:
    """What `check` gets, and how the program would be trained.

    model: compiled with its loss and optimizer.
    x, y: as the program feeds `fit`: arrays, a dict or list of arrays, or a `tf.data.Dataset` and
        None.
    """

    model: keras.Model
    x: Any
    y: Any
    validation_data: Any = None
    class_weight: Any = None
    sample_weight: Any = None
    batch_size: int = 32
    epochs: int = 5


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One program of the collection.

    source: a URL, or a citation that can be found.
    task: "classes", "binary", "multilabel", "regression", "classes per position", "binary per
        position", "autoencoder" or "unknown".
    shape: of one input and one label, in words: "[28, 28, 1] to 10 classes".
    fault: the mistake in a few words; "" for a good program.
    codes: the codes that name the mistake right; () for a good program.
    build: makes the program from a seed.
    """

    name: str
    source: str
    task: str
    shape: str
    fault: str
    codes: tuple[str, ...]
    build: Callable[[int], Case]
