"""A task that only waits, reports and returns x squared: what goes wrong is the sweeper's fault.

With or without `hydra/launcher=processes`:
`python -m tests.support.sweeps.trivial -m hydra/sweeper=optuna_study 'x=interval(0.0,1.0)'`
"""

import os
import signal
import time
from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from mnist_exp.sweeper import current, report
from mnist_exp.sweeper.attributes import WORKER
from tests.support.sweeps import processes  # noqa: F401  # the launcher of that name


@dataclass(kw_only=True)
class Task:
    """What the task is to do."""

    x: float = 0.0
    seconds: float = 0.0  # that a trial takes
    steps: int = 1  # reports of a trial
    kills_worker: int | None = None  # number of the trial whose worker dies
    loses_machine: int | None = None  # the same, but nobody can see that its process is gone


ConfigStore.instance().store("task", Task)


@hydra.main(config_path=None, config_name="task")
def main(config: DictConfig) -> float:
    for step in range(config.steps):
        time.sleep(config.seconds / config.steps)
        report(config.x**2, step)
    running = current()
    assert running is not None
    lost = running.number == config.loses_machine and not running.recall("lost")
    if lost:
        running.remember("lost", True)
        running.remember(WORKER, "elsewhere/1/1.00")
    if lost or running.number == config.kills_worker:
        os.kill(os.getpid(), signal.SIGKILL)
    return float(config.x**2)


if __name__ == "__main__":
    main()
