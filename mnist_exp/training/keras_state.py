"""The global state of Keras and TensorFlow that changes a result: set for a run, then put back.

Neither keras.json, KERAS_BACKEND and other variables nor the calling program change a run.
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

# Variables while Keras and TensorFlow are imported, None for unset: those that they read then and
# that would change or stop a run. TF_XLA_FLAGS, TF_ENABLE_ONEDNN_OPTS and the like stay: they are a
# user's choice of kernels, which env/hardware.json records.
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

_State = tuple[str, float, str, Any, bool]  # floatx, epsilon, data format, policy, runs eagerly

_imported_state: _State | None = None  # Keras' own, when `pin` imported it


def pin() -> None:
    """Import Keras on TensorFlow and set what a run needs.

    That is float32, channels last, epsilon 1e-7 and compiled functions. Raises UserError for a
    keras.json that Keras cannot read, and if this process uses another backend already.
    """
    global _imported_state
    is_first = "keras" not in sys.modules
    # Empty, KERAS_HOME would mean the keras.json of the current folder.
    home = {"KERAS_HOME": None} if os.environ.get("KERAS_HOME") == "" else {}
    try:
        with _environment({**_VARIABLES, **home}):
            plot_style.load()  # Keras imports matplotlib, which fails for an absent MPLBACKEND
            import keras
    except Exception as error:
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
        if not any(file.endswith("keras/src/backend/config.py") for file in files):
            raise
        raise UserError(
            f"{_settings_file()}: Keras cannot read its settings ({first_line(error)}); correct or "
            "remove the file"
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
    """Put Keras' state back after the block: the calling program may use Keras itself.

    If the block is the first to import Keras, its state becomes what the user's keras.json says.
    """
    before = _state() if "keras" in sys.modules else None
    try:
        yield
    finally:
        if state := before or _imported_state:
            _set(*state)


def _state() -> _State:
    """Return the state as it is now."""
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
    """Return where Keras looks for keras.json."""
    if home := os.environ.get("KERAS_HOME"):
        return Path(home).expanduser() / "keras.json"
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp") / ".keras" / "keras.json"


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
    """Set these variables, None for unset."""
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
