"""What training reports, as frozen values that need no TensorFlow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Evaluation:
    """cost: mean loss per example; accuracy: fraction in [0, 1]; both of the whole split."""

    cost: float
    accuracy: float


@dataclass(frozen=True)
class EpochResult:
    """What one epoch did. Costs are means per example in the loss' own unit, accuracies fractions in [0, 1].

    `cost` and `train_accuracy` are over the epoch's training batches as they were met, dropout on.
    `batch_accuracies`: (step, accuracy of the batch about to be trained on, dropout off).
    `complete` is False if `schedule.max_steps` ended the epoch early.
    """

    epoch: int  # 1-based
    step: int  # training steps since the start of the run
    examples: int  # training examples used in this epoch
    complete: bool
    cost: float
    train_accuracy: float
    val: Evaluation
    test: Evaluation
    batch_accuracies: tuple[tuple[int, float], ...]
    seconds: float  # of training, without evaluation

    @property
    def images_per_second(self) -> float:
        return self.examples / self.seconds

    @property
    def progress(self) -> "Progress":
        """Where the run is right after this epoch."""
        return Progress(epoch=self.epoch, step=self.step)


@dataclass(frozen=True)
class Progress:
    """Where a run is: with the weights and the optimizer's state, all it takes to go on as if it had never stopped.

    Sums are over the epoch so far. `evaluated` says that the epoch's result was yielded, so that a new one begins.
    """

    epoch: int = 0  # 1-based; 0 before the first
    step: int = 0  # training steps since the start of the run
    examples: int = 0
    cost_sum: float = 0.0
    correct: int = 0
    bad_step: int = -1
    seconds: float = 0.0
    batch_accuracies: tuple[tuple[int, float], ...] = ()
    evaluated: bool = True

    @property
    def cost(self) -> float:
        return self.cost_sum / self.examples

    @property
    def accuracy(self) -> float:
        return self.correct / self.examples

    @property
    def images_per_second(self) -> float:
        return self.examples / self.seconds


@dataclass(frozen=True)
class LayerRow:
    """`shape` without the batch axis; `parameters` counts single numbers."""

    name: str
    shape: tuple[int, ...]
    parameters: int


def confusion_counts(
    labels: NDArray[np.integer], predictions: NDArray[np.integer], classes: int
) -> NDArray[np.int64]:
    """Count images by label (rows) and prediction (columns): [classes, classes]."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def best_epoch(epochs: list[EpochResult]) -> EpochResult:
    """Return the first epoch with the highest validation accuracy."""
    return max(epochs, key=lambda result: (result.val.accuracy, -result.epoch))
