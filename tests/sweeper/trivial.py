"""A task that does nothing but wait, report and return x squared: what goes wrong is the sweep's doing.

In `tests/`: `python -m sweeper.trivial -m hydra/sweeper=optuna_study 'x=interval(0.0,1.0)' hydra/launcher=processes`
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
from sweeper import processes  # noqa: F401  # the launcher of that name


@dataclass
class Task:
    """`seconds` is the time a trial takes, in `steps` reports; the worker of trial `kills_worker` dies.

    So does the first one of trial `loses_machine`, and nobody can see that its process is gone.
    """

    x: float = 0.0
    seconds: float = 0.0
    steps: int = 1
    kills_worker: int | None = None
    loses_machine: int | None = None


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
