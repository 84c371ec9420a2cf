"""The smallest models with outputs of any number and activation, and programs of them."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from mnist_exp.preflight.program import Program
from tests.support import targets

Make = Callable[[Sequence[int]], keras.Model]


def dense(units: int, activation: str | None = None) -> Make:
    """Return what makes a model with one layer from the shape of an input."""

    def make(shape: Sequence[int]) -> keras.Model:
        readout = layers.Dense(units, activation, kernel_initializer="he_normal")
        return keras.Sequential([keras.Input(shape), readout])

    return make


def program_of(
    make: Make, loss: Any, labels: np.ndarray, inputs: np.ndarray = targets.PICTURES
) -> Program:
    """Return a program on the first examples of `inputs`."""
    x = inputs[: len(labels)]
    return Program(make(x.shape[1:]), loss, keras.optimizers.Adam(), x, labels)
