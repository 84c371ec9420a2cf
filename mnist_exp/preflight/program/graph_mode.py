"""Trace functions into graphs, whatever the caller's TensorFlow is set to."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def as_graphs() -> Iterator[None]:
    """Trace `tf.function` inside the block, as preflight needs, where a caller runs it eagerly."""
    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eagerly)
