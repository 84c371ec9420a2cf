"""A Hydra launcher for tests: `hydra/launcher=processes`, once this module is imported."""

import multiprocessing
import signal
import time
from collections.abc import Sequence
from typing import Any

import cloudpickle
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

import mnist_exp.sweeper.run  # noqa: F401  # what a worker imports when it starts


class ProcessLauncher(Launcher):
    """A process a job; one that dies is replaced while the others go on, as a cluster does it.

    They are forked from a process that has imported what they need: many can die in a short time.
    """

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self._job = (hydra_context, task_function)
        self._loader, self._config = hydra_context.config_loader, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        context: Any = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        configs = [self._loader.load_sweep_config(self._config, list(job)) for job in job_overrides]
        jobs = [
            cloudpickle.dumps((*self._job, config, Singleton.get_state())) for config in configs
        ]
        processes = [context.Process(target=_run, args=(job,)) for job in jobs]
        for process in processes:
            process.start()
        while any(process.is_alive() for process in processes):
            time.sleep(0.05)
            for i, process in enumerate(processes):
                if process.exitcode == -signal.SIGKILL:
                    processes[i] = context.Process(target=_run, args=(jobs[i],))
                    processes[i].start()
        if failed := [process.exitcode for process in processes if process.exitcode != 0]:
            raise RuntimeError(f"workers ended with {failed}")
        return []


def _run(job: bytes) -> None:
    hydra_context, task_function, config, state = cloudpickle.loads(job)
    Singleton.set_state(state)
    setup_globals()
    run_job(  # noqa: B018
        task_function, config, "hydra.sweep.dir", "hydra.sweep.subdir", hydra_context
    ).return_value


Plugins.instance().register(ProcessLauncher)
ConfigStore.instance().store(
    "processes", {"_target_": f"{__name__}.ProcessLauncher"}, group="hydra/launcher"
)
