"""Random layers of a user's own model: what a step draws depends on (seed, step) alone.

Keras keeps the place of every random stream in a variable. They are set before each step, so that
a run that was resumed draws what it would have drawn without the stop.
"""

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

from mnist_exp.preflight.randomness import isolated_random_state
from mnist_exp.training import seeds

_STATE = "seed_generator_state"  # Keras' name for the variable of a random stream
EVALUATION = -1  # the step of whatever is drawn in an evaluation


class RandomLayers:
    """The random streams of a model, and the default one of `keras.random`.

    Streams that Keras does not track are not seen here: `own_program` refuses a model with those.
    """

    def __init__(self, model: keras.Model, *, draws_once: bool, has_default: bool) -> None:
        """Find the streams.

        draws_once: each layer draws once a step, as the Dropout of this project's models does
        has_default: code of the user's own may call `keras.random` without a seed
        """
        self._streams = [variable for variable in model.variables if variable.name == _STATE]
        self._draws_once = draws_once
        self._default = keras.random.SeedGenerator(0) if has_default else None
        self.draws_in_python = False
        """Whether the model drew from `random` or `numpy.random` while it was compiled."""

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables of all streams."""
        return [*self._streams, *([] if self._default is None else [self._default.state])]

    def set(self, seed: int, step: tf.Tensor) -> None:
        """Set every stream for a step, which may be EVALUATION.

        A stream is two numbers, and each draw adds 1 to the second. So the step is added to the
        first, but where a layer draws once: then no two steps have a draw in common.
        """
        for index, state in enumerate(self.variables):
            count = tf.cast(step, state.dtype)
            if self._draws_once and index < len(self._streams):
                key = tf.constant(seeds.integer(seed, "dropout", index), state.dtype)
                state.assign(tf.stack([key, count]))
            else:
                first, second = (
                    tf.constant(number, state.dtype)
                    for number in seeds.integers(seed, "layers", index)
                )
                state.assign(tf.stack([first + count, second]))

    @contextmanager
    def drawing(self, seed: int) -> Iterator[None]:
        """Let a model that is compiled in the block draw from the streams of this run alone.

        `keras.random` without a seed takes the default stream. What the model draws from `random`
        or `numpy.random` then is drawn once, is the same in every step, and depends on the seed.
        """
        if self._default is None:
            yield
            return
        with isolated_random_state(seeds.integer(seed, "layers")):
            global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, self._default)
            begun = _python_state()
            try:
                yield
            finally:
                self.draws_in_python |= _python_state() != begun


def _python_state() -> bytes:
    return pickle.dumps((random.getstate(), np.random.get_state()))
