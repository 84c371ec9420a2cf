"""The global state of Keras and TensorFlow that changes the result of a run is set by the run.

Whatever keras.json, KERAS_BACKEND and other variables say, and whatever the program did that has called us.
"""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mnist_exp.errors import UserError, first_line
from mnist_exp.outside import plot_style

# While Keras and TensorFlow are imported, None for unset: what they read then that would change or stop a run.
# TF_XLA_FLAGS, TF_ENABLE_ONEDNN_OPTS and the like are a user's choice of kernels, which env/hardware.json records.
_VARIABLES = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_NNX_ENABLED": "false",
    "KERAS_MAX_EPOCHS": None,
    "KERAS_MAX_STEPS_PER_EPOCH": None,
    "TF_FUNCTION_JIT_COMPILE_DEFAULT": None,
    "TF_JIT_COMPILE_REWRITE": None,
    "TF_OPTIONALS_IN_GRADIENTS": None,
    "TF_ENABLE_CONTROL_FLOW_V2": None,
    "TF_ENABLE_WHILE_V2": None,
    "TF_ENABLE_COND_V2": None,
    "TF_ENABLE_TENSOR_ARRAY_V2": None,
}

_imported_state: tuple[str, float, str, Any, bool] | None = (
    None  # as Keras had it when `pin` imported it
)


def pin() -> None:
    """Import Keras on TensorFlow and set what a run needs: float32, channels last, epsilon 1e-7, compiled functions.

    Raises UserError for a keras.json that Keras cannot read, and if this process uses another backend already.
    """
    global _imported_state
    is_first = "keras" not in sys.modules
    home = (
        {"KERAS_HOME": None} if os.environ.get("KERAS_HOME") == "" else {}
    )  # else keras.json of this folder
    try:
        with _environment({**_VARIABLES, **home}):
            plot_style.load()  # Keras imports matplotlib, and a backend in MPLBACKEND that is not here would end both
            import keras
    except Exception as error:
        if not any(
            frame.filename.endswith("keras/src/backend/config.py") for frame in _frames(error)
        ):
            raise
        raise UserError(
            f"{_settings_file()}: Keras cannot read its settings ({first_line(error)}); correct or remove the file"
        ) from error
    if (backend := keras.config.backend()) != "tensorflow":
        raise UserError(
            f"Keras runs on {backend} in this process, and a run needs TensorFlow; "
            "set KERAS_BACKEND=tensorflow before Keras is imported"
        )
    if is_first:
        _imported_state = _state()
    _set("float32", 1e-7, "channels_last", "float32", False)


@contextmanager
def restored() -> Iterator[None]:
    """Put Keras' state back after the block, for a program that has called us and uses Keras itself.

    If the block is the first to import Keras, its state becomes what the user's keras.json says.
    """
    before = _state() if "keras" in sys.modules else None
    try:
        yield
    finally:
        if state := before or _imported_state:
            _set(*state)


def _state() -> tuple[str, float, str, Any, bool]:
    import keras
    import tensorflow as tf

    settings = keras.config
    eagerly = tf.config.functions_run_eagerly()
    return (
        settings.floatx(),
        settings.epsilon(),
        settings.image_data_format(),
        settings.dtype_policy(),
        eagerly,
    )


def _set(floatx: str, epsilon: float, data_format: str, policy: Any, eagerly: bool) -> None:
    import keras
    import tensorflow as tf

    keras.config.set_floatx(floatx)
    keras.config.set_epsilon(epsilon)
    keras.config.set_image_data_format(data_format)
    keras.config.set_dtype_policy(policy)
    tf.config.run_functions_eagerly(eagerly)


def _settings_file() -> Path:
    """Where Keras looks for keras.json."""
    if home := os.environ.get("KERAS_HOME"):
        return Path(home).expanduser() / "keras.json"
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp") / ".keras" / "keras.json"


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set these variables in the block, None for unset."""
    before = {name: os.environ.get(name) for name in values}
    _put(values)
    try:
        yield
    finally:
        _put(before)


def _put(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
