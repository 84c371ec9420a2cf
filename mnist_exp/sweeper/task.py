"""The run of an application's task function for one trial, with its output in a file."""

import contextlib
import logging
import math
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

import optuna
from hydra.core.hydra_config import HydraConfig
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from mnist_exp.sweeper.foreign_text import short
from mnist_exp.sweeper.interruption import Held
from mnist_exp.sweeper.job import run_job

OUTPUT_FILE = "output.txt"  # what a trial printed, in its folder


class TrialFailed(Exception):
    """A trial ended with a value that cannot be used."""


def run_task(
    hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig, hold: Held
) -> Any:
    """Run the task function as a Hydra job with a folder of its own, and return what it returns.

    Raises what the task function raises, optuna.TrialPruned included. Signals that `hold` holds
    back interrupt the task function.
    """
    within = partial(_with_output_in_file, task_function, hold)
    returned = run_job(hydra_context, within, config)
    if isinstance(returned, optuna.TrialPruned):
        raise returned
    return returned


def _with_output_in_file(task_function: TaskFunction, hold: Held, config: DictConfig) -> Any:
    """Run the task function with its output in a file: one progress display serves all workers."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    with (folder / OUTPUT_FILE).open("a") as output, _output_to(output):
        try:
            with hold.released(), _without_its_children():
                return task_function(config)
        except optuna.TrialPruned as pruned:
            return pruned  # Hydra would log an exception as the job's failure


def objective_values(returned: Any, n_objectives: int) -> float | list[float]:
    """Return the objective's value or values. Raises TrialFailed for what is no such value."""
    several = n_objectives > 1
    try:
        values = [float(value) for value in (returned if several else [returned])]
    except (TypeError, ValueError):
        raise TrialFailed(
            f"returned {short(repr(returned))}, expected {'numbers' if several else 'a number'}"
        ) from None
    if len(values) != n_objectives:
        raise TrialFailed(f"expected {n_objectives} values, returned {len(values)}")
    if any(math.isnan(value) for value in values):
        raise TrialFailed(f"returned {short(repr(returned))}")
    return values if several else values[0]


@contextmanager
def _without_its_children() -> Iterator[None]:
    """End a child that was forked in the block when it reaches the end of the block.

    It would end there in a program of its own, too. The trial is its parent's.
    """
    parent = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() != parent:
            _end_process(error)
        raise
    if os.getpid() != parent:
        _end_process(SystemExit())


def _end_process(error: BaseException) -> NoReturn:
    """End this process with Python's message and exit code for the error, but no exit handlers."""
    code = error.code if isinstance(error, SystemExit) else 1
    if not isinstance(error, SystemExit):
        traceback.print_exception(error)
    elif not isinstance(code, int | None):
        print(code, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code & 0xFF if isinstance(code, int) else int(code is not None))


@contextmanager
def _output_to(file: TextIO) -> Iterator[None]:
    """Write to the file what is printed in the block, and what is logged to the terminal."""
    terminals = [
        (handler, handler.stream)
        for handler in logging.getLogger().handlers
        if type(handler) is logging.StreamHandler
    ]
    with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        for handler, _ in terminals:
            handler.setStream(file)
        try:
            yield
        finally:
            for handler, stream in terminals:
                handler.setStream(stream)
