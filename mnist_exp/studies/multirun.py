"""A plain `-m`, which is no study: its runs are tagged, and the command ends with a table of them.

Hydra makes this callback for every command, so that all that loads slowly is imported at the end.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from mnist_exp.tracking.status import MULTIRUN, MULTIRUN_JOB

_tags: dict[str, str] = {}  # of the run that this process makes now


def tags_of_job() -> Mapping[str, str]:
    """Return the tags of the run that this process makes; none outside of a plain `-m`."""
    return dict(_tags)


def new_name() -> str:
    """Return a name for the runs of one command. Two commands may begin in one second."""
    return f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{secrets.token_hex(2)}"


@contextmanager
def tagged(name: str, number: int) -> Iterator[None]:
    """Let the run that this process makes in the block have the tags of a job."""
    _tags.update({MULTIRUN: name, MULTIRUN_JOB: str(number)})
    try:
        yield
    finally:
        _tags.clear()


class Multirun(Callback):
    """Hydra's callback, which is sent to the processes of the jobs with the name that it chose."""

    def __init__(self) -> None:
        self._name: str | None = None

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Name the command, unless its sweeper is another than Hydra's own, which names its own."""
        if str(config.hydra.sweeper._target_).endswith(".BasicSweeper"):
            self._name = new_name()

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """Let the run of this job have the tags."""
        _tags.clear()
        if self._name is not None:
            _tags.update({MULTIRUN: self._name, MULTIRUN_JOB: str(config.hydra.job.num)})

    def on_job_end(self, config: DictConfig, job_return: Any, **_: Any) -> None:
        """Let the next run of this process have none."""
        _tags.clear()

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Print the table, also where jobs failed or Ctrl-C ended the command."""
        if self._name is not None:
            from mnist_exp.studies import multirun_table

            multirun_table.show(self._name, config)
