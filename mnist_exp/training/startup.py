"""TensorFlow loaded quickly, quietly, and as the config asks."""

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mnist_exp.command import without_garbage_collection
from mnist_exp.config.schema import Config
from mnist_exp.training import keras_state, startup_noise


def import_tensorflow(config: Config) -> None:
    """Load TensorFlow and Keras without their start-up messages, set up as the config asks."""
    with startup_noise.hidden():
        keras_state.pin()
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")  # it warns of retracing when many runs share a process
        if config.deterministic and tf.config.list_physical_devices("GPU"):
            tf.config.experimental.enable_op_determinism()  # on CPUs the bits are the same without: test_training.py
        if config.threads is not None:
            with contextlib.suppress(
                RuntimeError
            ):  # TensorFlow runs already: an earlier run of this process set it
                tf.config.threading.set_intra_op_parallelism_threads(config.threads)
        tf.config.list_logical_devices()


@contextmanager
def quick_imports() -> Iterator[None]:
    """Pause the garbage collector while TensorFlow and Keras are imported for the first time."""
    if "tensorflow" in sys.modules:
        yield
        return
    with without_garbage_collection():
        yield
