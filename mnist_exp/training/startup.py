"""TensorFlow loaded quickly, quietly, and as the config asks."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mnist_exp.command import without_garbage_collection
from mnist_exp.config.schema import Config
from mnist_exp.outside import lazy_imports
from mnist_exp.training import keras_state

_SECONDS = 5.0  # for which a failed block waits until what TensorFlow wrote is shown
# TensorFlow's C++ side ends the process by itself for a wrong XLA flag or a processor without AVX.
# So another process keeps what it writes, and shows it unless a zero byte at the end says that all
# went well.
_KEEPER = """
import os
noise = b""
while part := os.read(0, 65536):
    noise += part
if not noise.endswith(b"\\0"):
    while noise:
        noise = noise[os.write(2, noise):]
"""


def import_tensorflow(config: Config) -> None:
    """Load TensorFlow and Keras without their start-up messages, set up as the config asks."""
    with quiet():
        keras_state.pin()
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")  # it warns of retracing when many runs share a process
        if config.deterministic and tf.config.list_physical_devices("GPU"):
            tf.config.experimental.enable_op_determinism()  # a CPU is deterministic without it
        if config.threads is not None:
            with contextlib.suppress(RuntimeError):  # an earlier run of this process has set it
                tf.config.threading.set_intra_op_parallelism_threads(config.threads)
        tf.config.list_logical_devices()


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import TensorFlow and Keras for the first time quickly in the block.

    The garbage collector pauses, and what no training uses is loaded when somebody uses it.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    with without_garbage_collection(), lazy_imports.put_off(lazy_imports.UNUSED_BY_TRAINING):
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Hide what the block writes to descriptor 2, unless the block fails or the process ends in it.

    While it loads, TensorFlow's C++ side writes there about absent GPUs and much else.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with contextlib.suppress(AttributeError, OSError, ValueError):  # it is missing or closed
        sys.stderr.flush()
    try:
        standard_error = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _KEEPER],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
        )
    except OSError:  # no more processes may start: then everything is shown
        os.close(standard_error)
        yield
        return
    assert keeper.stdin is not None
    os.dup2(keeper.stdin.fileno(), 2)
    is_well = False
    try:
        yield
        is_well = True
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        with contextlib.suppress(OSError):  # the keeper was killed
            keeper.stdin.write(b"\0" if is_well else b"")
            keeper.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # another process writes there, too
            keeper.wait(_SECONDS)
