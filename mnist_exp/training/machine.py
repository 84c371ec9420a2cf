"""What a run needs of the machine, checked before anything is loaded."""

import contextlib
import datetime
import os
import time

import psutil

from mnist_exp.config.schema import MAX_THREADS, Config
from mnist_exp.data import MNIST, Form
from mnist_exp.errors import ConfigError, UserError
from mnist_exp.training.memory import memory_needed

# The earliest time that a model's file, a ZIP archive, can hold.
_EARLIEST = datetime.datetime(1980, 1, 1, tzinfo=datetime.UTC)
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def check(config: Config, num_train: int, form: Form = MNIST) -> None:
    """Raise UserError for a machine that this config cannot be trained on."""
    check_memory(memory_needed(config, num_train, form), config.schedule.batch_size)
    _check_clock()
    _check_threads()


def can_be_watched() -> bool:
    """Return whether psutil can measure what MLflow logs as system metrics.

    In some sandboxes it cannot, and MLflow's thread would end with a traceback.
    """
    try:
        psutil.cpu_percent()
        psutil.virtual_memory()
    except Exception:  # noqa: BLE001  # psutil has many errors for what it does not find
        return False
    return True


def check_memory(needed: int, batch_size: int) -> None:
    """Raise ConfigError if training needs more bytes of memory than the machine has."""
    total = None
    # A sandbox may show no /proc/meminfo, or a part of it.
    with contextlib.suppress(OSError, KeyError, psutil.Error):
        total = psutil.virtual_memory().total
    if total is not None and needed > total:
        raise ConfigError(
            f"model: needs at least {needed / 1e9:,.0f} GB of memory with schedule.batch_size="
            f"{batch_size}; this machine has {total / 1e9:,.0f} GB"
        )


def _check_clock() -> None:
    """Raise UserError for a clock at 1970, where boards without a battery start.

    The model could not be saved after the training.
    """
    if time.time() < _EARLIEST.timestamp():
        now = datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
        raise UserError(f"this machine's clock says {now:%Y-%m-%d}; set it to the time of today")


def _check_threads() -> None:
    """Raise ConfigError for more threads than can start: TensorFlow would crash."""
    for name in _THREADS:
        value = os.environ.get(name, "")
        if value.strip().isdecimal() and int(value) > MAX_THREADS:
            raise ConfigError(f"{name}={value}: expected a number <= {MAX_THREADS}")
