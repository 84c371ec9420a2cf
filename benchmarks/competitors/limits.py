"""The limits of the machine: a large matrix product, and an empty loop of TensorFlow."""

import time
from collections.abc import Callable

import tensorflow as tf

from mnist_exp.config.schema import Config
from mnist_exp.data import Split


def prepare(config: Config, train: Split, size: int | None = None) -> Callable[[int], float]:
    """Measure the product of two matrices [size, size], or one turn of the empty loop.

    Neither has a model, so that `config` and `train` are not used.
    """
    del config, train
    # Each row adds up to 1, so that a product of any number of these matrices stays finite.
    matrix = tf.fill([size, size], 1 / size) if size else tf.constant(0.0)

    @tf.function
    def turns(count: tf.Tensor) -> tf.Tensor:
        product = matrix
        for _ in tf.range(count):
            product = tf.linalg.matmul(matrix, product) if size else product
        return tf.reshape(product, [-1])[0]

    def run(count: int) -> float:
        started = time.perf_counter()
        turns(tf.constant(count)).numpy()
        return (time.perf_counter() - started) / count

    return run
