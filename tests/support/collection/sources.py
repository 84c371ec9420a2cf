"""What good programs of the collection share: their sources' addresses and how they are entered."""

from collections.abc import Callable
from typing import Any

import keras

from tests.support.collection.entries import Case, Entry
from tests.support.collection.made_data import split

KERAS = "https://keras.io/examples"
KERAS_GUIDES = "https://keras.io/guides"
OLD_KERAS = "https://github.com/keras-team/keras/blob/2.3.1/examples"
TENSORFLOW = "https://www.tensorflow.org/tutorials"
CHOLLET = "https://github.com/fchollet/deep-learning-with-python-notebooks/blob/master"
GERON = "https://github.com/ageron/handson-ml3/blob/main"
MASTERY = "https://machinelearningmastery.com"

Build = Callable[[int], Case]


def good(entries: list[Entry], source: str, task: str, shape: str) -> Callable[[Build], Build]:
    """Return a decorator that enters a program, whose name is the function's, into a list.

    Keras' seed is set before the program is built, so that its weights are the same each time.
    """

    def enter(build: Build) -> Build:
        def seeded(seed: int) -> Case:
            keras.utils.set_random_seed(seed)
            return build(seed)

        name = build.__name__
        entries.append(
            Entry(
                name=name, source=source, task=task, shape=shape, fault="", codes=(), build=seeded
            )
        )
        return build

    return enter


def with_validation(
    model: keras.Model, x: Any, y: Any, *, share: float = 0.8, **options: Any
) -> Case:
    """Return a case that trains on a share of the rows. options: fields of Case."""
    train, rest = split(x, y, share)
    return Case(model=model, x=train[0], y=train[1], validation_data=rest, **options)
