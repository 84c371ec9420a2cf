"""One experiment end to end: config -> objects -> training -> tracked result."""

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnist_exp import data, seeds
from mnist_exp.config import Config, ReferenceConfig, Settings, compose, find_preset
from mnist_exp.errors import Killed

if TYPE_CHECKING:
    from mnist_exp.tracking import RunTracker
    from mnist_exp.training import EpochResult, Program


@dataclass(frozen=True)
class RunResult:
    """What a run ended with; accuracies are fractions in [0, 1] after the last epoch."""

    run_id: str
    run_name: str
    epochs: "tuple[EpochResult, ...]"
    test_accuracy: float
    val_accuracy: float


def run(overrides: Sequence[str] = ()) -> RunResult:
    """The same as `python -m mnist_exp OVERRIDES`, from Python: run(["model=softmax", "seed=3"]).

    Raises UserError, HydraException or OmegaConfBaseException for settings that cannot be used.
    """
    return run_experiment(compose(overrides))


def run_experiment(settings: Settings) -> RunResult:
    """Load, build, train, track and report. Everything a user can get wrong is refused before TensorFlow loads."""
    config = settings.config
    dataset = data.load(
        config.data.dir,
        validation_size=config.data.validation_size,
        train_limit=config.data.train_limit,
        eval_limit=config.data.eval_limit,
        eval_on_train=config.data.eval_on_train,
    )
    variant, reference, changes = _identify(settings, find_preset(config))
    run_name = config.run_name or f"{variant}-s{config.seed}"
    with _without_startup_noise():
        import tensorflow as tf

        tf.config.list_logical_devices()
    from mnist_exp import models, reporting, tracking, training

    program = training.build_program(config, len(dataset.train))
    layers = models.layer_table(program.model)
    reporter = reporting.Reporter()
    reporter.start(settings, run_name, dataset, layers)
    total_steps = training.total_steps(config.schedule, len(dataset.train))
    with _sigterm_raises(), tracking.track_run(settings, variant, run_name, dataset) as tracker:
        tracker.log_text(reporting.layer_text(layers), "layers.txt")
        epochs: list[EpochResult] = []
        left = _time_left(total_steps)
        with reporter.training(total_steps):
            for result in training.fit(
                program, dataset, config.schedule, on_progress=lambda p: reporter.progress(p, left(p.step))
            ):
                epochs.append(result)
                reporter.epoch(result, reference, left(result.step))
                tracker.log_epoch(result, reference.cost_of(result.epoch) if reference else None)
        best = reporting.best_epoch(epochs)
        tracker.log_summary({"best/val_accuracy": best.val.accuracy, "best/epoch": best.epoch})
        _log_artifacts(tracker, program, dataset, epochs, reference, config.seed)
        how_to_see = tracking.ui_command(), tracker.page
    reporter.summary(run_name, epochs, reference, changes)
    reporter.tracked(tracker.run_id, *how_to_see)
    last = epochs[-1]
    return RunResult(tracker.run_id, run_name, tuple(epochs), last.test.accuracy, last.val.accuracy)


def _time_left(total_steps: int, first_step: int = 0) -> Callable[[int], float]:
    """Seconds until the last step, from the wall time that the steps since now took, evaluation included."""
    started = time.perf_counter()

    def left(step: int) -> float:
        return (total_steps - step) * (time.perf_counter() - started) / (step - first_step)

    return left


def _identify(settings: Settings, preset: Config | None) -> tuple[str, ReferenceConfig | None, list[str]]:
    """Variant, reference, and how the run differs from the tutorial's.

    Settings equal to a preset's are that preset, named or not; a preset with other settings keeps its name.
    """
    config = settings.config
    if preset is not None and preset.variant is not None:
        return preset.variant, preset.reference, []
    variant = config.variant or f"{settings.choices['model']}-{settings.choices['optimizer']}"
    return variant, config.reference, settings.changes


def _log_artifacts(
    tracker: "RunTracker",
    program: "Program",
    dataset: data.Dataset,
    epochs: "list[EpochResult]",
    reference: ReferenceConfig | None,
    seed: int,
) -> None:
    """All test predictions, the figures drawn from them, and the model."""
    from mnist_exp import figures, training

    test = dataset.test
    probabilities = training.predict_probabilities(program, test.images)
    index = int(np.random.default_rng(seeds.sequence(seed, "figures")).integers(len(test)))
    drawn = {
        "learning_curves": figures.learning_curves(epochs, reference),
        "confusion_matrix": figures.confusion_matrix(test.labels, probabilities),
        "mistakes": figures.mistakes(test, probabilities),
        "random_digit": figures.random_digit(test, probabilities, index),
    }
    if any(result.batch_accuracies for result in epochs):
        drawn["batch_accuracy"] = figures.batch_accuracy(epochs, reference)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "predictions").mkdir()
        np.savez(
            folder / "predictions" / "test.npz",
            label=test.labels,
            prediction=probabilities.argmax(axis=1),
            probability=probabilities,
        )
        (folder / "figures").mkdir()
        for name, figure in drawn.items():
            figure.savefig(folder / "figures" / f"{name}.png", dpi=120)
        tracker.log_files(folder)
    tracker.log_model(program.model, test.images[:1].astype(np.float32) / 255)


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Raise Killed in the block on SIGTERM, so that a run asked to end still records that it was killed."""

    def terminate(signum: int, frame: object) -> None:
        raise Killed(f"received signal {signum}")

    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield
        return
    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _without_startup_noise() -> Iterator[None]:
    """Hide what TensorFlow's C++ side writes to standard error about absent GPUs; show it if the block fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as noise:
        saved = os.dup(2)
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(saved, noise.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
