"""Preflight leaves the caller's random streams alone."""

import random
from contextlib import suppress

import keras
import numpy as np
import tensorflow as tf

from mnist_exp.preflight.randomness import isolated_random_state


def draws() -> list[float]:
    """One number from each global stream."""
    return [
        random.random(),
        float(np.random.random()),
        float(tf.random.uniform(())),
        float(keras.random.uniform(())),
        float(keras.random.SeedGenerator().state.numpy()[0]),
    ]


def test_block_leaves_every_stream_where_it_was() -> None:
    keras.utils.set_random_seed(5)
    draws()
    expected = draws()
    keras.utils.set_random_seed(5)
    draws()
    with isolated_random_state(0):
        draws()
    assert draws() == expected


def test_streams_come_back_after_an_exception() -> None:
    keras.utils.set_random_seed(5)
    expected = draws()
    keras.utils.set_random_seed(5)
    with suppress(RuntimeError), isolated_random_state(0):
        draws()
        raise RuntimeError
    assert draws() == expected


def test_block_depends_on_its_seed_alone() -> None:
    def inside(seed: int) -> list[float]:
        with isolated_random_state(seed):
            numbers = draws()
        return numbers[:2] + numbers[3:]  # TensorFlow's eager kernels continue their streams

    keras.utils.set_random_seed(1)
    first = inside(0)
    keras.utils.set_random_seed(2)
    assert inside(0) == first
    assert inside(1) != first
