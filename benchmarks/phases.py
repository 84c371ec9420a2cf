"""One run of the project with a stopwatch on its parts: the inside of `benchmarks.watched`."""

import importlib
import json
import os
import sys
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
from mnist_exp.config.groups import CONF_DIR
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import EXECUTION_WHITELIST

IMPORTED = time.time()
FILE = "WATCHED_RUNS"

as_command = hydra.main(
    config_path=str(CONF_DIR), config_name="config", execution_whitelist=EXECUTION_WHITELIST
)

_TRACKER = "mnist_exp.tracking.tracker:RunTracker"
IMPORT_TENSORFLOW = "mnist_exp.training.startup:import_tensorflow"
STEPS = "mnist_exp.training.loop:InnerLoop.call"
# The functions that are watched, by the phase in which their time counts.
FUNCTIONS = {
    "data": ["mnist_exp.data:load"],
    "checkpoints": ["mnist_exp.training.checkpoint:Writer.save"],
    "figures": ["mnist_exp.experiment.outcome:log_figures"],
    "tracking": [
        *(f"{_TRACKER}.log_{what}" for what in ("epoch", "summary", "preflight", "files", "text")),
        f"{_TRACKER}.log_settings",
        f"{_TRACKER}.end",
        "mnist_exp.tracking.store:answer",
    ],
    "model file": [f"{_TRACKER}.log_model"],
    "build": ["mnist_exp.training.program:build_program"],
    "preflight": ["mnist_exp.preflight.harness:preflight_report"],
    "evaluation": [
        "mnist_exp.training.program:evaluate",
        "mnist_exp.training.program:predict_probabilities",
    ],
    "compile": ["mnist_exp.training.loop:InnerLoop.__init__"],
    "training": [STEPS],
}
LIGHT_PHASES = ("data", "checkpoints", "figures")  # their modules load without TensorFlow

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
        _watch_functions()
    _watch.lap()
    _until_first_step.clear()
    started = time.time()
    settings = Settings.from_hydra(composed, HydraConfig.get())
    from mnist_exp.experiment.runner import run_experiment

    try:
        result = run_experiment(settings)
        objectives = result.objectives()
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
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    seconds_after_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + seconds_after_boot


def find(function: str) -> tuple[Any, str]:
    """Return the module or class that has a function of `FUNCTIONS`, and its name there.

    Raises LookupError if there is no such function: its phase would be counted as "other".
    """
    module, _, path = function.partition(":")
    *classes, name = path.split(".")
    try:
        owner = importlib.import_module(module)
        for part in classes:
            owner = getattr(owner, part)
        getattr(owner, name)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"{function}: benchmarks/phases.py watches it, but it is gone") from error
    return owner, name


def watch(function: str, phase: str) -> None:
    """Count the time of a function in a phase, whatever name a loaded module calls it by."""
    owner, name = find(function)
    original = getattr(owner, name)
    _watch.watch(owner, name, phase)
    _replace(original, getattr(owner, name))


def _replace(original: object, replacement: object) -> None:
    """Put a replacement wherever a module of the project has imported the original by name."""
    for module in [m for name, m in sys.modules.items() if name.startswith("mnist_exp.")]:
        for name in [name for name, value in vars(module).items() if value is original]:
            setattr(module, name, replacement)


def _watch_functions() -> None:
    """Watch the functions of a run; those that need TensorFlow, once the run has imported it."""
    _watched.append(True)
    for phase in LIGHT_PHASES:
        for function in FUNCTIONS[phase]:
            watch(function, phase)
    owner, name = find(IMPORT_TENSORFLOW)
    import_tensorflow = getattr(owner, name)

    def import_and_watch(settings: schema.Config) -> None:
        with _watch.phase("import tensorflow"):
            import_tensorflow(settings)
            import keras  # noqa: F401
        with _watch.phase("import mlflow"):
            # MLflow imports it when it opens a database.
            import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
        with _watch.phase("import mnist_exp"):  # `find` imports
            late = {phase: FUNCTIONS[phase] for phase in FUNCTIONS if phase not in LIGHT_PHASES}
            for function in (function for functions in late.values() for function in functions):
                find(function)
        for phase, functions in late.items():
            for function in functions:
                watch(function, phase)
        _mark_first_step(*find(STEPS))
        setattr(owner, name, import_tensorflow)
        _replace(import_and_watch, import_tensorflow)

    setattr(owner, name, import_and_watch)
    _replace(import_tensorflow, import_and_watch)


def _mark_first_step(loop: Any, name: str) -> None:
    """Let the first call of a run end its start, of which the call is a part."""
    call = getattr(loop, name)

    def marked(*arguments: Any) -> Any:
        progress = call(*arguments)
        if not _until_first_step:
            lap = _watch.lap()
            lap["first step"] = lap.pop("training")
            _until_first_step.update(lap)
        return progress

    setattr(loop, name, marked)
