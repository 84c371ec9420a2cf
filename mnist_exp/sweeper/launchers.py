"""Hydra's launchers: how many workers each can run, and running workers with the chosen one."""

import contextlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hydra.core.plugins import Plugins
from omegaconf import DictConfig, read_write

from mnist_exp.sweeper.interruption import blocked_in_new_programs
from mnist_exp.sweeper.plan import samples
from mnist_exp.sweeper.worker import Worker


def is_basic(config: DictConfig) -> bool:
    """Return True for Hydra's default launcher, which runs jobs one by one in this process."""
    return str(config.hydra.launcher._target_).endswith(".BasicLauncher")


def n_workers(config: DictConfig) -> int:
    """Return how many workers to run."""
    if is_basic(config):
        return 1
    return int(config.hydra.sweeper.n_workers or config.hydra.sweeper.n_jobs or 2)


def unused_workers(config: DictConfig) -> list[str]:
    """Return notes for a user who asked for more workers than the launcher runs."""
    sweeper = config.hydra.sweeper
    keys = [key for key in ("n_workers", "n_jobs") if is_basic(config) and (sweeper[key] or 1) > 1]
    return [
        f"hydra.sweeper.{key}={sweeper[key]}, but hydra/launcher=basic runs one; "
        "hydra/launcher=joblib runs several"
        for key in keys
    ]


def run_workers(worker: Worker, count: int) -> None:
    """Run so many workers until all have ended. Raises what they or the launcher raise."""
    config = worker.config.copy()
    own = ["hydra.output_subdir=null", "hydra.job.chdir=false"]
    is_joblib = str(config.hydra.launcher._target_).endswith(".JoblibLauncher")
    if is_joblib and config.hydra.launcher.n_jobs == -1:
        processes = max(2, worker.n_workers)  # joblib would run a single worker in this process
        own.append(f"hydra.launcher.n_jobs={processes}")
        with read_write(config.hydra.launcher):
            config.hydra.launcher.n_jobs = processes
    no_callbacks = type(worker.hydra_context.callbacks)()  # the application's are for trials
    launcher = Plugins.instance().instantiate_launcher(
        config=config,
        hydra_context=replace(worker.hydra_context, callbacks=no_callbacks),
        task_function=worker,
    )
    # A worker's config gets a trial's overrides, too: with them it chooses this same launcher.
    own.extend(worker.space.overrides(samples(worker.plan, worker.space)[0]))
    jobs = [[*own, f"hydra.sweep.subdir=workers/{i}"] for i in range(count)]
    with _quiet_start() if is_joblib else contextlib.nullcontext():
        ended = launcher.launch(jobs, initial_job_idx=0)
    for job in ended:
        with contextlib.redirect_stderr(io.StringIO()):  # where Hydra announces a job's failure
            job.return_value  # noqa: B018  # raises what the worker raised


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Keep Ctrl-C from joblib's processes while they import: each would print a traceback."""
    from multiprocessing import resource_tracker

    from joblib.externals.loky.backend import resource_tracker as lokys_tracker

    for tracker in (resource_tracker, lokys_tracker):
        tracker.ensure_running()  # it lets Ctrl-C through when it starts
    with blocked_in_new_programs():
        yield
