"""A shuffled dataset has its order after it was looked at."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import pytest
import tensorflow as tf

from mnist_exp.preflight.program.dataset_copy import elements_of

NUMBERS = tf.data.Dataset.range(20)


def _numbers() -> Iterator[int]:
    yield from range(20)


def _epochs(dataset: tf.data.Dataset) -> list[list[Any]]:
    return [[batch.numpy().tolist() for batch in dataset] for _ in range(2)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: NUMBERS.batch(5),
        lambda: NUMBERS.shuffle(20).batch(5),
        lambda: NUMBERS.shuffle(20, seed=1).repeat(2).map(lambda x: x + 1).batch(5).prefetch(1),
        lambda: tf.data.Dataset.zip(NUMBERS.shuffle(20), NUMBERS).map(tf.add).batch(5),
        lambda: tf.data.Dataset.from_generator(
            _numbers, output_signature=tf.TensorSpec([], tf.int64)
        ).shuffle(20).batch(5),
    ],
)  # fmt: skip
def test_what_is_read_is_the_next_epoch_and_stays_the_next(
    make: Callable[[], tf.data.Dataset],
) -> None:
    keras.utils.set_random_seed(2)
    expected = _epochs(make())
    keras.utils.set_random_seed(2)
    dataset = make()
    read = [batch.numpy().tolist() for batch in elements_of(dataset)]
    assert read == expected[0]
    assert _epochs(dataset) == expected
