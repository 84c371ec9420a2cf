"""What training reports, as frozen values that need no TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Evaluation:
    """Mean loss per example, and the fraction of examples in [0, 1] that are right, of a split."""

    cost: float
    accuracy: float


class Sums(NamedTuple):
    """Sums over some training examples."""

    cost: float = 0.0
    """The sum of their losses."""
    correct: int = 0
    """How many were right."""
    examples: int = 0
    """How many they are."""

    def less(self, other: "Sums") -> "Sums":
        """Return the sums over these examples without the others."""
        cost, correct, examples = other
        return Sums(self.cost - cost, self.correct - correct, self.examples - examples)


NOTHING = Sums()


class StepPoint(NamedTuple):
    """A point of a run's step curve: means over the training steps since the point before it."""

    step: int
    """The training steps since the start of the run."""
    cost: float
    """The mean loss per training example, as the batches came, dropout on."""
    accuracy: float
    """The fraction in [0, 1] of the training examples that were right."""


@dataclass(frozen=True, kw_only=True)
class EpochResult:
    """What one epoch did.

    Costs are means per example in the loss' own unit, accuracies fractions in [0, 1].
    """

    epoch: int
    """The number of the epoch, from 1."""
    step: int
    """The training steps since the start of the run."""
    examples: int
    """The training examples used in this epoch."""
    complete: bool
    """False if `schedule.max_steps` ended the epoch early."""
    cost: float
    """Over the epoch's training batches as they came, dropout on; so is `train_accuracy`."""
    train_accuracy: float
    val: Evaluation
    test: Evaluation | None
    """None where the test images are scored only after the last epoch, and this is an earlier one.
    """
    batch_accuracies: tuple[tuple[int, float], ...]
    """(step, accuracy of the batch before its step, dropout off)."""
    seconds: float
    """The time of training, without evaluation."""
    step_points: tuple[StepPoint, ...] = ()
    """The points of the step curve in this epoch."""
    after_point: Sums = NOTHING
    """Over the steps after the last point of the step curve."""

    @property
    def images_per_second(self) -> float:
        """The training examples a second."""
        return self.examples / self.seconds

    @property
    def progress(self) -> "Progress":
        """The place of the run right after this epoch."""
        return Progress(epoch=self.epoch, step=self.step, at_point=NOTHING.less(self.after_point))


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The place of a run: with weights and optimizer state, it can go on from there exactly.

    Counts and sums are over the epoch so far.
    """

    epoch: int = 0
    """The number of the epoch, from 1; 0 before the first."""
    step: int = 0
    """The training steps since the start of the run."""
    examples: int = 0
    cost_sum: float = 0.0
    correct: int = 0
    bad_step: int = -1
    """The first step with a NaN or infinite cost; -1 if there is none."""
    seconds: float = 0.0
    batch_accuracies: tuple[tuple[int, float], ...] = ()
    step_points: tuple[StepPoint, ...] = ()
    at_point: Sums = NOTHING
    """What the epoch's sums were at the last point of the step curve.

    If that lies in an earlier epoch: minus the sums of earlier epochs since then.
    """
    evaluated: bool = True
    """True if the epoch's result was yielded, so that a new epoch begins."""

    @property
    def sums(self) -> Sums:
        """The sums over the epoch so far."""
        return Sums(self.cost_sum, self.correct, self.examples)

    @property
    def cost(self) -> float:
        """The mean loss per example."""
        return self.cost_sum / self.examples

    @property
    def accuracy(self) -> float:
        """The fraction of examples in [0, 1] that were right."""
        return self.correct / self.examples

    @property
    def images_per_second(self) -> float:
        """The training examples a second."""
        return self.examples / self.seconds


def final_test(epochs: Sequence[EpochResult]) -> Evaluation:
    """Return the scores of the test images after the last epoch of a run that has ended."""
    scores = epochs[-1].test
    assert scores is not None  # `fit` scores them after the last epoch
    return scores


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """A row in the table of a model's layers."""

    name: str
    shape: tuple[int, ...] | None
    """The shape of the layer's output without the batch axis; None if Keras does not know it."""
    parameters: int
    """How many numbers the layer has."""


def best_epoch(epochs: Sequence[EpochResult]) -> EpochResult:
    """Return the first epoch with the highest validation accuracy."""
    return max(epochs, key=lambda result: (result.val.accuracy, -result.epoch))
