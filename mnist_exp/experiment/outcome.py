"""What a run leaves when it has ended: its summary, predictions, figures and model."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_exp.config.identity import DEBUG_EXPERIMENT
from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.data import Dataset, Form, Split
from mnist_exp.outside import plot_style
from mnist_exp.tracking import metric_names, params, predictions
from mnist_exp.tracking.job import Job
from mnist_exp.training import seeds
from mnist_exp.training.results import EpochResult, best_epoch

if TYPE_CHECKING:
    from mnist_exp.figures.figure import Figure
    from mnist_exp.serving.registry import Entry
    from mnist_exp.tracking.tracker import RunTracker
    from mnist_exp.training.program import Program


def objectives(names: Sequence[str], epochs: Sequence[EpochResult]) -> list[float]:
    """Return the values of these objectives after the last of the epochs."""
    last = epochs[-1]
    values = {
        "val/accuracy": last.val.accuracy,
        "val/cost": last.val.cost,
        "time/training_seconds": sum(epoch.seconds for epoch in epochs),
        **({} if last.test is None else {"test/accuracy": last.test.accuracy}),
    }
    return [values[name] for name in names]


def log(
    job: Job, program: "Program", epochs: list[EpochResult], tracker: "RunTracker"
) -> NDArray[np.float32]:
    """Log all that a finished run leaves beside its epochs.

    Returns the probabilities of the test images, [N, K].
    """
    from mnist_exp.training.program import predict_probabilities

    best = best_epoch(epochs)
    summary = {metric_names.BEST_ACCURACY: best.val.accuracy, metric_names.BEST_EPOCH: best.epoch}
    tracker.log_summary(summary, epochs[-1].epoch)
    probabilities = predict_probabilities(program, job.dataset.test.images)
    log_predictions(tracker, job.dataset, probabilities)
    if job.origin.keeps_model:
        log_figures(tracker, job, probabilities, epochs)
        entry = _registry_entry(job, epochs)
        tracker.log_model(program.model, epochs[-1].step, entry)
    return probabilities


def log_predictions(
    tracker: "RunTracker", dataset: Dataset, probabilities: NDArray[np.float32]
) -> None:
    """Log label, prediction and probabilities [N, K] of each test image, in the files' order."""
    with _artifacts(tracker, "predictions") as folder:
        labels, names = dataset.test.labels, dataset.form.class_names
        predictions.save(folder / "test.npz", labels, probabilities, names)


@plot_style.plain()
def log_figures(
    tracker: "RunTracker", job: Job, probabilities: NDArray[np.float32], epochs: list[EpochResult]
) -> None:
    """Log the figures of a run as PNGs; the test images have these probabilities [N, K]."""
    seed, data = job.settings.config.seed, job.dataset
    drawn = drawn_figures(seed, data.test, data.form, probabilities, epochs, job.reference)
    with _artifacts(tracker, "figures") as folder:
        for name, figure in drawn.items():
            figure.savefig(folder / f"{name}.png", dpi=120)


def drawn_figures(
    seed: int,
    test: Split,
    form: Form,
    probabilities: NDArray[np.float32],
    epochs: Sequence[EpochResult],
    reference: ReferenceConfig | None,
) -> "dict[str, Figure]":
    """Return the figures of a run by name; the test images have these probabilities [N, K]."""
    from mnist_exp.figures import confusion, curves, pictures

    random = np.random.default_rng(seeds.sequence(seed, "figures"))
    index = int(random.integers(len(test)))
    answers = probabilities.argmax(axis=1)
    drawn = {
        "learning_curves": curves.learning_curves(epochs, reference),
        "confusion_matrix": confusion.confusion_matrix(test.labels, answers, form.class_names),
        "mistakes": pictures.mistakes(test, probabilities, form),
        f"random_{'digit' if form.is_digits else 'image'}": pictures.random_image(
            test, probabilities, form, index
        ),
    }
    if any(result.batch_accuracies for result in epochs):
        drawn["batch_accuracy"] = curves.batch_accuracy(epochs, reference)
    return drawn


def _registry_entry(job: Job, epochs: list[EpochResult]) -> "Entry | None":
    """Return the model's entry in the registry.

    None for a debug run, one with a part of the images, and one scored on training images: their
    models are not registered.
    """
    from mnist_exp.serving.registry import Entry

    config = job.settings.config
    is_debug = "debug" in job.settings.choices or config.tracking.experiment == DEBUG_EXPERIMENT
    is_limited = not (config.data.train_limit is None and config.data.eval_limit is None)
    if is_debug or is_limited or config.data.eval_on_train:
        return None
    return Entry(
        variant=job.variant,
        accuracy=epochs[-1].val.accuracy,
        images=len(job.dataset.val),
        program=params.program(config, job.dataset.digest, job.own.code),
    )


@contextmanager
def _artifacts(tracker: "RunTracker", name: str) -> Iterator[Path]:
    """Make an empty folder whose files are logged, below this name, when the block ends."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        folder.mkdir()
        yield folder
        tracker.log_files(Path(temporary))
