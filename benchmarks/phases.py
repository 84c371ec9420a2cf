"""One run of the project with a stopwatch on its parts: the inside of `benchmarks.watched`."""

import json
import os
import time
from pathlib import Path
from typing import Any

# The imports from here on are measured, too.
ENTERED = time.time()

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from benchmarks.rounds import peak_mb
from benchmarks.stopwatch import Stopwatch
from mnist_exp.config import schema
from mnist_exp.config import tree as config

IMPORTED = time.time()
FILE = "WATCHED_RUNS"

as_command = hydra.main(
    config_path=str(config.CONF_DIR),
    config_name="config",
    execution_whitelist=config.EXECUTION_WHITELIST,
)

_watch = Stopwatch()
_until_first_step: dict[str, float] = {}
_watched: list[bool] = []  # not empty if this process' modules are watched already


def run(composed: DictConfig) -> float | list[float]:
    """Run and watch one config. The first run of a process includes what came before it."""
    born = _born()
    before = {}
    if not _watched:
        before = {
            "python": ENTERED - born,
            "import hydra": IMPORTED - ENTERED,
            "config": time.time() - IMPORTED,
        }
        _watch_modules()
    _watch.lap()
    _until_first_step.clear()
    started = time.time()
    settings = config.Settings.from_hydra(composed, HydraConfig.get())
    from mnist_exp.experiment import runner as experiment

    try:
        result = experiment.run_experiment(settings)
        objectives = result.objectives(settings.config.objective)
    finally:  # for a pruned trial, too
        line = {
            "pid": os.getpid(),
            "process_started": born,
            "started": started,
            "ended": time.time(),
            "until_first_step": before | _until_first_step,
            "after": _watch.lap(),
            "peak_mb": peak_mb(),
        }
        with Path(os.environ[FILE]).open("a") as file:
            file.write(f"{json.dumps(line)}\n")
    return objectives if len(objectives) > 1 else objectives[0]


def _born() -> float:
    """Return the time at which this process began.

    psutil is not exact enough: it adds to the time of the boot, which Linux gives in whole seconds.
    """
    ticks = int(
        Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    )  # since the boot
    return time.time() - (
        time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    )


def _watch_modules() -> None:
    """Watch the functions of a run; those that need TensorFlow, once the run has imported it."""
    from mnist_exp import data
    from mnist_exp.experiment import runner as experiment
    from mnist_exp.training import checkpoint, startup

    _watched.append(True)
    _watch.watch(data, "load", "data")
    _watch.watch(checkpoint.Writer, "save", "checkpoints")
    _watch.watch(experiment, "_log_figures", "figures")
    import_tensorflow = startup.import_tensorflow

    def import_and_watch(settings: schema.Config) -> None:
        with _watch.phase("import tensorflow"):
            import_tensorflow(settings)
            import keras  # noqa: F401
        with _watch.phase("import mlflow"):
            import mlflow.store.tracking.sqlalchemy_store  # noqa: F401  # MLflow does when it opens a database

            from mnist_exp.tracking import tracker as tracking
        with _watch.phase("import mnist_exp"):
            from mnist_exp.training import loop as training
        for name in (
            "log_epoch",
            "log_summary",
            "log_preflight",
            "log_files",
            "log_text",
            "log_settings",
            "end",
        ):
            _watch.watch(tracking.RunTracker, name, "tracking")
        _watch.watch(tracking.RunTracker, "log_model", "model file")
        _watch.watch(tracking, "_answered", "tracking")
        _watch.watch(training, "build_program", "build")
        _watch.watch(training, "preflight_report", "preflight")
        for name in ("evaluate", "predict_probabilities"):
            _watch.watch(training, name, "evaluation")
        _watch.watch(training._Training, "__init__", "compile")
        _watch.watch(training._Training, "_call", "training")
        _mark_first_step(training._Training)
        startup.import_tensorflow = import_tensorflow

    startup.import_tensorflow = import_and_watch  # type: ignore[assignment]


def _mark_first_step(loop: Any) -> None:
    """Let the first call of a run end its start, of which the call is a part."""
    call = loop._call

    def marked(*arguments: Any) -> Any:
        progress = call(*arguments)
        if not _until_first_step:
            lap = _watch.lap()
            lap["first step"] = lap.pop("training")
            _until_first_step.update(lap)
        return progress

    loop._call = marked
