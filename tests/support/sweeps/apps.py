"""Task functions, and sweeps of them in processes of their own that a test can kill."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import optuna
from omegaconf import DictConfig

from mnist_exp.sweeper import current, report
from tests.support.waiting import until

CONFIG = """
x: 1.0
y: 1.0
z: 0
model: {lr: 0.1, name: plain}
items: [1]
extra: null
"""


def sphere(cfg: DictConfig) -> float:
    return float(cfg.x**2 + cfg.y**2)


def slow(cfg: DictConfig) -> float:
    time.sleep(0.3)
    return sphere(cfg)


def stays_after_one(cfg: DictConfig) -> float:
    """Run the first trial quickly, each later one until an interrupt or a file `quick`."""
    trial = current()
    assert trial is not None
    if trial.number > 0:
        until(Path("quick").exists, "an interruption")
    return sphere(cfg)


def loses_database(cfg: DictConfig) -> float:
    """The second trial's worker finds it moved."""
    trial = current()
    assert trial is not None
    database = Path("optuna.db")
    if trial.number == 1 and not Path(f"{database}.moved").exists():
        database.rename(f"{database}.moved")
    report(1.0, 1)
    return sphere(cfg)


def dies_once(cfg: DictConfig) -> float:
    """The first worker that comes by is killed."""
    try:
        os.close(os.open("died", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return slow(cfg)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0.0


def threads(cfg: DictConfig) -> float:
    """Its share of the cores; the first worker that comes by is killed."""
    trial = current()
    assert trial is not None
    dies_once(cfg)
    return trial.threads


def pruned(cfg: DictConfig) -> float:
    for step in range(1, 6):
        report(cfg.x * step, step)
    return float(cfg.x * 5)


def written(settings: dict[str, object]) -> list[str]:
    """Return overrides for settings of `hydra.sweeper`, for groups, and for the folder `output`."""
    keys = {
        "launcher": "hydra/launcher",
        "sampler": "hydra/sweeper/sampler",
        "pruner": "hydra/sweeper/pruner",
        "output": "hydra.sweep.dir",
    }
    return [f"{keys.get(key, f'hydra.sweeper.{key}')}={value}" for key, value in settings.items()]


def run(task: Callable[[DictConfig], Any], folder: Path, overrides: list[str]) -> None:
    """As `python app.py -m hydra/sweeper=optuna_study OVERRIDES`, in this process."""
    if not (folder / "config.yaml").exists():
        (folder / "config.yaml").write_text(CONFIG)
    argv, sys.argv = (
        sys.argv,
        ["app.py", "-m", "hydra.job.name=app", "hydra/sweeper=optuna_study", *overrides],
    )
    try:
        main = hydra.main(
            config_path=str(folder), config_name="config", execution_whitelist=["tests.*"]
        )
        main(task)()
    finally:
        sys.argv = argv


def start(
    task: Callable[[DictConfig], Any], folder: Path, *overrides: str, **settings: object
) -> subprocess.Popen[bytes]:
    """A sweep in a process group of its own, whose output is in `terminal.txt`."""
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    with (folder / "terminal.txt").open("a") as terminal:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.sweeps.apps",
                task.__name__,
                *overrides,
                *written(settings),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )


def kill_group(process: subprocess.Popen[bytes], signum: int = signal.SIGKILL) -> None:
    os.killpg(process.pid, signum)


def study(folder: Path) -> optuna.Study:
    """The only one of the folder's database."""
    url = f"sqlite:///{folder / 'optuna.db'}"
    (name,) = optuna.get_all_study_names(url)
    return optuna.load_study(study_name=name, storage=url)


def states(folder: Path) -> list[str]:
    """Of all trials by number; none when there is no study yet."""
    try:
        return [trial.state.name for trial in study(folder).get_trials(deepcopy=False)]
    except (ValueError, KeyError, optuna.exceptions.StorageInternalError):
        return []


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have left it ignored
    module = importlib.import_module("tests.support.sweeps.apps")  # workers cannot import __main__
    run(getattr(module, sys.argv[1]), Path.cwd(), sys.argv[2:])
