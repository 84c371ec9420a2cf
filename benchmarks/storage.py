"""Measure the trials a second of trials that do nothing: `python -m benchmarks.storage`.

Two things are measured on SQLite and on PostgreSQL, with 1, 2, 4 and 8 workers. One is the storage
alone: claim a trial, draw a parameter, report once, store the result. The other is whole trials of
a sweep, for which Hydra composes a config and makes an output folder. The time goes from the start
of the first trial to the end of the last, so that starting processes does not count.
"""

import argparse
import contextlib
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import optuna
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from benchmarks import postgresql
from mnist_exp.sweeper import report
from mnist_exp.sweeper.cache import StudyCache
from mnist_exp.sweeper.storage import StudyStorage

WORKERS = (1, 2, 4, 8)
_NAME = "benchmark"

ConfigStore.instance().store("trivial", {"x": 0.0})


@hydra.main(config_path=None, config_name="trivial")
def task(config: DictConfig) -> float:
    """Do nothing but report and return the parameter."""
    report(config.x, 0)
    return float(config.x)


def rate(url: str) -> float:
    """Return the finished trials a second of the database's study."""
    trials = optuna.load_study(study_name=_NAME, storage=StudyStorage(url, 60)).get_trials()
    begun = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    ended = [trial.datetime_complete for trial in trials if trial.datetime_complete is not None]
    assert len(begun) == len(ended) == len(trials)
    return len(trials) / (max(ended) - min(begun)).total_seconds()


def storage_alone(url: str, n_workers: int, n_trials: int) -> float:
    """Measure the storage with random parameters. All workers are ready before the first trial."""
    storage = StudyStorage(url, 60)
    study = optuna.create_study(study_name=_NAME, storage=storage)
    storage.add_waiting(study._study_id, [({}, {})] * n_trials)
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(n_workers)
    workers = [context.Process(target=_work, args=(url, ready)) for _ in range(n_workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return rate(url)


def _work(url: str, ready: Any) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = StudyStorage(url, 60)
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name=_NAME, storage=StudyCache(storage), sampler=sampler)
    ready.wait()
    while (trial_id := storage.claim(study._study_id)) is not None:
        trial = optuna.Trial(study, trial_id)
        x = trial.suggest_float("x", 0, 1)
        trial.report(x, 0)
        study.tell(trial, x)


def whole_trials(url: str, n_workers: int, n_trials: int) -> float:
    """Measure the trials of a sweep through the joblib launcher."""
    command = [
        *(sys.executable, "-m", "benchmarks.storage", "-m", "x=interval(0.0,1.0)"),
        *("hydra/sweeper=optuna_study", "hydra/launcher=joblib", "hydra/sweeper/sampler=random"),
        *(f"hydra.sweeper.study_name={_NAME}", f"hydra.sweeper.storage={url}"),
        *(f"hydra.sweeper.n_workers={n_workers}", f"hydra.sweeper.n_trials={n_trials}"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        here = str(Path(__file__).parent.parent)
        environment = {**os.environ, "PYTHONPATH": here}
        subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    return rate(url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--trials", type=int, default=60, help="trials of each measurement; default: 60"
    )
    n_trials = parser.parse_args().trials
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = Table(
        "trials/s", *map(str, WORKERS), title=f"by number of workers, {os.cpu_count()} cores"
    )
    table.caption = (
        f"Python {platform.python_version()}, Optuna {optuna.__version__}, {n_trials} trials each"
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        backends: dict[str, Callable[[str], str]] = {
            "SQLite": lambda name: f"sqlite:///{folder}/{name}.db"
        }
        try:
            server = stack.enter_context(postgresql.running(durable=True))
            backends["PostgreSQL"] = server.create_database
        except postgresql.Unavailable as reason:
            print(f"not measured: {reason}")
        for backend, new_database in backends.items():
            for what in (storage_alone, whole_trials):
                name = what.__name__.replace("_", " ")
                rates = [what(new_database(f"{what.__name__}{n}"), n, n_trials) for n in WORKERS]
                table.add_row(f"{backend}, {name}", *(f"{value:.1f}" for value in rates))
    Console().print(table)


if __name__ == "__main__":
    task() if "-m" in sys.argv else main()
