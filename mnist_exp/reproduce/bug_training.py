"""Train the cases of bug.md, and look at each: its course, answers, weights, and preflight."""

import math
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_exp.config.presets import find_preset, identify
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import compose
from mnist_exp.data import Dataset
from mnist_exp.errors import NonFiniteCost
from mnist_exp.experiment.console import Reporter
from mnist_exp.preflight.harness import preflight_report
from mnist_exp.reproduce.bug_cases import Case
from mnist_exp.tracking.job import Job
from mnist_exp.training.loop import fit
from mnist_exp.training.program import Program, build_program, predict_probabilities
from mnist_exp.training.results import EpochResult, final_test


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One seed of a case. Answers, confidence and accuracies are of the test images."""

    case: Case
    seed: int
    accuracy_at_start: float
    accuracy: float
    answers: tuple[int, ...]  # how many images got each class
    kept: float  # the share of images with the same answer as before training
    confidence: float  # the mean of the largest probability; NaN if the outputs are
    test_cost: float
    course: NDArray[np.float64]  # [points, 3] of training: step, cost and accuracy; may be empty
    broken_at: int | None  # the step after which the cost is NaN or infinite
    largest_change: float  # of a weight, in absolute value
    weights: tuple[NDArray[np.float32], NDArray[np.float32]]  # of the readout, before and after
    like_average: float  # correlation of `weights`' change with the average image; NaN if no image
    codes: tuple[str, ...]  # of what preflight finds
    seen: str  # the end of what the terminal shows
    steps: int
    seconds: float  # of training, by the clock
    processor_seconds: float  # of all cores, with evaluation and preflight

    @property
    def answer(self) -> int:
        """Return the class that most images get."""
        return self.answers.index(max(self.answers))

    @property
    def is_one_answer(self) -> bool:
        """Return whether all images get the same answer."""
        return max(self.answers) == sum(self.answers)


class _Lines:
    """A screen that keeps the lines it is given."""

    aside: Callable[[str], None] | None = None

    def __init__(self) -> None:
        self.lines: list[str] = []

    def print(self, text: str) -> None:
        """Keep a text."""
        self.lines += text.splitlines()

    def bar(self, total: int, unit: str = "step") -> AbstractContextManager[None]:
        """Draw no bar."""
        return nullcontext()

    def move(self, completed: int, text: Callable[[], str]) -> None:
        """Draw no bar."""


def train(case: Case, seed: int, dataset: Dataset) -> Trained:
    """Train one seed of a case, exactly as `python -m mnist_exp` does, but without a record."""
    began = time.process_time()
    settings = compose((*case.overrides, f"seed={seed}"))
    program = build_program(settings.config, len(dataset.train))
    codes = preflight_report(program, dataset.train, lambda line: None).codes
    before = _weights(program)
    first = predict_probabilities(program, dataset.test.images)
    epochs, broken = _fit(program, dataset)
    last = predict_probabilities(program, dataset.test.images)
    after, labels = _weights(program), dataset.test.labels
    answers = last.argmax(axis=1)
    return Trained(
        case=case,
        seed=seed,
        accuracy_at_start=float(np.mean(first.argmax(axis=1) == labels)),
        accuracy=float(np.mean(answers == labels)),
        answers=tuple(int(n) for n in np.bincount(answers, minlength=last.shape[1])),
        kept=float(np.mean(answers == first.argmax(axis=1))),
        confidence=float(last.max(axis=1).mean()),
        test_cost=final_test(epochs).cost,
        course=np.array([p for epoch in epochs for p in epoch.step_points], float).reshape(-1, 3),
        broken_at=None if broken is None else broken.step,
        largest_change=max(
            float(np.abs(new - old).max()) for new, old in zip(after, before, strict=True)
        ),
        weights=(_readout(before), _readout(after)),
        like_average=_likeness(after, before, dataset, int(np.bincount(answers).argmax())),
        codes=codes,
        seen=_seen(settings, dataset, epochs, broken),
        steps=epochs[-1].step,
        seconds=sum(epoch.seconds for epoch in epochs),
        processor_seconds=time.process_time() - began,
    )


def _fit(program: Program, dataset: Dataset) -> tuple[list[EpochResult], NonFiniteCost | None]:
    """Train; return the epochs, and what ended the training too early, if anything did."""
    epochs: list[EpochResult] = []
    try:
        epochs.extend(fit(program, dataset))  # keeps those before an error
    except NonFiniteCost as error:
        return epochs, error
    return epochs, None


def _weights(program: Program) -> list[NDArray[np.float32]]:
    return [tf.identity(weight).numpy() for weight in program.model.trainable_variables]


def _readout(weights: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the last matrix, [inputs, classes]."""
    return next(weight for weight in reversed(weights) if weight.ndim == 2)


def _likeness(
    after: list[NDArray[np.float32]],
    before: list[NDArray[np.float32]],
    dataset: Dataset,
    digit: int,
) -> float:
    """Return how a class's weights change like the average training image: their correlation.

    NaN for weights that are not of pixels, and if they do not change.
    """
    average = dataset.train.images.reshape(len(dataset.train), -1).mean(axis=0)
    change = (_readout(after) - _readout(before))[:, digit]
    if change.shape != average.shape or not np.isfinite(change).all() or not np.ptp(change):
        return math.nan
    return float(np.corrcoef(change, average)[0, 1])


def _seen(
    settings: Settings, dataset: Dataset, epochs: list[EpochResult], broken: NonFiniteCost | None
) -> str:
    """Return what the terminal shows at the end, without times, which are others each time."""
    screen = _Lines()
    reporter = Reporter(screen)
    variant, reference, changes = identify(settings, find_preset(settings.config))
    job = Job(
        settings=settings.with_config(variant=variant),
        run_name=f"{variant}-s{settings.config.seed}",
        variant=variant,
        reference=reference,
        changes=tuple(changes),
        dataset=dataset,
    )
    for result in epochs:
        reporter.epoch(result, reference, 0.0)
    if broken is None:
        reporter.summary(job, epochs)
    else:
        reporter.warn(str(broken))
    times = r"  [\d,]+ images/s.*$|, [^,]* of training$"
    lines = [re.sub(times, "", line) for line in screen.lines]
    return "\n".join(lines).replace("warning: training", "mnist_exp: training")
