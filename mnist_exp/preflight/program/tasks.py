"""Tell what a program is to learn, from its loss, outputs and labels, and judge outputs by it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mnist_exp.preflight.program.label_looks import is_copy, is_index, is_one_hot, is_same_size
from mnist_exp.preflight.program.loss_kind import Compares, LossInput, LossKind


class Task(StrEnum):
    """What a program is to learn."""

    CLASSES = "one of several classes"
    BINARY = "one of two classes"
    MULTILABEL = "several labels at once"
    REGRESSION = "numbers"
    CLASSES_PER_POSITION = "a class for every position"
    BINARY_PER_POSITION = "one of two classes for every position"
    AUTOENCODER = "its own inputs"
    UNKNOWN = "unknown"


EVERY_TASK = frozenset(Task)
# Tasks with an output for each class, of which the largest is the answer.
ONE_OF_MANY = frozenset({Task.CLASSES, Task.CLASSES_PER_POSITION})
# Tasks whose every output is a yes or a no.
YES_OR_NO = frozenset({Task.BINARY, Task.MULTILABEL, Task.BINARY_PER_POSITION})
NUMBERS = frozenset({Task.REGRESSION, Task.AUTOENCODER})

_TIE = 0.1  # soft labels whose two largest shares are nearer have no one answer
UNKNOWN_LOSS = LossKind()

_MOST_CLASSES = 20  # more different whole numbers for one output are numbers
_LOGIT = 5.0  # of a certain answer in a constant guess


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the labels of a program ask of its outputs.

    task: what is to be learned.
    num_classes: how many outputs there are for one answer, C; 1 where a single one says yes or no.
    shape: of the outputs of one example.
    kind: what is known of the loss.
    activation: the operation that makes the outputs, such as "Softmax"; "" if it is not known.
    why: the task is not known; "" if it is.
    """

    task: Task
    num_classes: int
    shape: tuple[int, ...] = ()
    kind: LossKind = UNKNOWN_LOSS
    activation: str = ""
    why: str = ""

    @property
    def takes(self) -> LossInput:
        """Return what the loss takes as outputs."""
        return self.kind.takes

    @property
    def words(self) -> str:
        """Return the task and its outputs for a person: "one of 10 classes, logits"."""
        if self.task is Task.UNKNOWN:
            return f"{self.task}: {self.why}" if self.why else str(self.task)
        made = {"Softmax": "softmax", "Sigmoid": "sigmoid"}.get(self.activation, "")
        if self.takes is LossInput.LOGITS and not made:
            made = "logits"
        what = {
            Task.CLASSES: f"one of {self.num_classes} classes",
            Task.CLASSES_PER_POSITION: f"one of {self.num_classes} classes for every position",
            Task.BINARY: "one of two classes",
            Task.MULTILABEL: f"{math.prod(self.shape)} labels at once",
            Task.REGRESSION: f"{math.prod(self.shape)} numbers",
        }.get(self.task, str(self.task))
        if self.task is Task.REGRESSION and math.prod(self.shape) == 1:
            what = "a number"
        if self.task is Task.BINARY:
            made = f"one {made.removesuffix('s')}" if made else "one output"
        return f"{what}, {made}" if made else what

    def answers(self, labels: np.ndarray) -> np.ndarray:
        """Return the labels as one array without needless axes.

        int64 [N] or [N, positions] of classes for `ONE_OF_MANY`, else float32 in the shape of the
        outputs [N, ...]. A label that is left out as NaN is the mean of the others.
        """
        if self.task not in ONE_OF_MANY:
            return self._without_gaps(labels).astype(np.float32)
        if is_one_hot(labels, self.num_classes):
            classes: np.ndarray = np.argmax(labels, axis=-1)
            return classes
        return _without_last(labels).astype(np.int64)

    def counted(self, labels: np.ndarray) -> np.ndarray:
        """Return which answers are judged, bool: not padding, nor soft labels without a winner."""
        if self.task in ONE_OF_MANY and is_one_hot(labels, self.num_classes):
            top = np.sort(labels, axis=-1)[..., -2:]
            clear: np.ndarray = top[..., 1] - top[..., 0] >= _TIE
            return clear
        answers = _without_last(labels) if self.task in ONE_OF_MANY else labels
        kept: np.ndarray = ~np.isin(answers, self.kind.ignored)
        return kept & ~np.isnan(answers) if self.kind.gaps else kept

    def _without_gaps(self, labels: np.ndarray) -> np.ndarray:
        """Return the labels, with the mean of its column for what the loss leaves out as NaN."""
        if not self.kind.gaps:
            return labels
        known = ~np.isnan(labels)
        means = np.sum(labels, axis=0, where=known) / np.maximum(known.sum(axis=0), 1)
        return np.where(known, labels, means)

    def yes(self, labels: np.ndarray) -> np.ndarray:
        """Return which labels of a task of `YES_OR_NO` say yes, bool, whether 0 or -1 says no."""
        return np.asarray(labels > (0.0 if np.nanmin(labels) < 0 else 0.5))

    def yes_per_answer(self, labels: np.ndarray) -> np.ndarray:
        """Return how many outputs of an answer the labels of `YES_OR_NO` ask for, [N, ...]."""
        return np.asarray(self.yes(labels).reshape(len(labels), *self.shape).sum(axis=-1))

    def score(
        self, labels: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """Return how right the outputs are: 1.0 if all are, about 0 for a guess of numbers.

        For classes it is the share of right answers; for numbers, 1 minus the squared error over
        the variance of the labels. Padding that the loss leaves out is not counted, nor is
        what has the weight 0; weights: [N] or one for each position.
        """
        counted = self.counted(labels)
        if weights is not None:
            missing = counted.ndim - weights.ndim
            counted = counted & (weights.reshape(weights.shape + (1,) * missing) != 0)
        if not counted.any():
            return 1.0
        if self.task in ONE_OF_MANY:
            right = np.argmax(outputs, axis=-1).reshape(counted.shape) == self.answers(labels)
            return float(np.mean(right[counted]))
        outputs = outputs.reshape(labels.shape)
        if self.task in YES_OR_NO:
            right = (outputs > self._limit(labels, outputs)) == self.yes(labels)
            return float(np.mean(right[counted]))
        answers = np.where(counted, self.answers(labels), 0.0)
        centre = answers.sum(axis=0) / np.maximum(counted.sum(axis=0), 1)
        spread = float(np.sum(((answers - centre) ** 2)[counted]))
        return 1 - float(np.sum(((answers - outputs) ** 2)[counted])) / max(spread, 1e-30)

    def _limit(self, labels: np.ndarray, outputs: np.ndarray) -> float:
        """Return the output from which a yes is meant: a logit of 0, or a probability of 0.5.

        A sigmoid's outputs are probabilities, also where the loss takes the logits behind it.
        """
        if np.nanmin(labels) < 0:
            return 0.0
        if self.takes is LossInput.LOGITS:
            return 0.5 if self.activation == "Sigmoid" else 0.0
        if self.takes is not LossInput.UNKNOWN:
            return 0.5
        return 0.5 if outputs.min() >= 0 and outputs.max() <= 1 else 0.0

    def toward(self, labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Return the direction [N, ...] from these outputs to better ones, 0 for padding."""
        counted = self.counted(labels)
        if self.task in ONE_OF_MANY:
            answers = np.clip(self.answers(labels), 0, self.num_classes - 1)
            direction = np.eye(self.num_classes)[answers] - 1 / self.num_classes
            return np.asarray((direction * counted[..., None]).reshape(outputs.shape))
        soft = self.takes is not LossInput.UNKNOWN and np.nanmin(labels) >= 0
        if self.task in YES_OR_NO and not soft:
            direction = np.where(self.yes(labels), 1.0, -1.0) * counted
            return np.asarray(direction.reshape(outputs.shape))
        if self.takes is LossInput.LOGITS:
            outputs = 1 / (1 + np.exp(-outputs))
        rest = (self.answers(labels) - outputs.reshape(labels.shape)) * counted
        return np.asarray(rest.reshape(outputs.shape))

    def constant_outputs(self, labels: np.ndarray) -> np.ndarray | None:
        """Return the outputs [N, ...] of the best guess that does not look at the inputs.

        In the form that the loss takes, from the shares of the classes or the mean of the numbers
        in these labels; None if it is not known what the loss takes.
        """
        if self.task is Task.UNKNOWN or self.takes is LossInput.UNKNOWN:
            return None
        if self.task in ONE_OF_MANY:
            width = self.num_classes
            if is_one_hot(labels, width):
                share = labels.reshape(-1, width).mean(axis=0)
            else:
                share = np.bincount(self._counted_classes(labels), minlength=width)[:width]
                share = share / max(share.sum(), 1)
        else:
            fitted = self._without_gaps(labels)
            if self.task in YES_OR_NO and np.nanmin(labels) < 0:
                fitted = self.yes(fitted)
            share = fitted.astype(np.float64).mean(axis=0).reshape(self.shape)
        if self.takes is LossInput.LOGITS and self.task in YES_OR_NO | NUMBERS:
            share = np.clip(np.log(share + 1e-9) - np.log(1 - share + 1e-9), -_LOGIT, _LOGIT)
        elif self.takes in (LossInput.LOGITS, LossInput.LOG_PROBABILITIES):
            share = np.log(np.maximum(share, 1e-6))
        return np.broadcast_to(share, (len(labels), *self.shape)).astype(np.float32)

    def _counted_classes(self, labels: np.ndarray) -> np.ndarray:
        chosen = self.answers(labels)[self.counted(labels)]
        return np.asarray(chosen[(chosen >= 0) & (chosen < self.num_classes)])

    def constant_loss(
        self, labels: np.ndarray, loss_of: Callable[[np.ndarray, np.ndarray], float]
    ) -> float:
        """Return the loss of the best guess that does not look at the inputs; NaN if not known.

        loss_of(labels, outputs): the loss of a batch, as `Program.loss_of` gives it.
        """
        outputs = self.constant_outputs(labels)
        return math.nan if outputs is None else loss_of(labels, outputs)


def tell_target(
    shape: tuple[int, ...],
    labels: np.ndarray,
    inputs: Sequence[np.ndarray],
    kind: LossKind,
    activation: str = "",
) -> Target:
    """Tell what is to be learned.

    shape: of an example's outputs. labels [N, ...]. kind: what is known of the loss. activation:
    the operation that makes the outputs.
    """
    task, softmax = Task.UNKNOWN, activation == "Softmax"
    relative = kind.compares in (Compares.DISTANCES, Compares.ALIKE)
    if labels.dtype.kind in "buif" and not relative and not kind.dummies:
        task = _task(shape, np.nan_to_num(labels), inputs, kind.compares, softmax)
    why = _why_unknown(shape, labels, kind) if task is Task.UNKNOWN else ""
    width = shape[-1] if shape else 1
    return Target(
        task=task, num_classes=width, shape=shape, kind=kind, activation=activation, why=why
    )


def _why_unknown(shape: tuple[int, ...], labels: np.ndarray, kind: LossKind) -> str:
    if kind.dummies:
        return "the labels are all the same, and the loss does not use them"
    if kind.compares is Compares.DISTANCES:
        return "the loss takes distances, small for one kind of pairs, large for the other"
    if kind.compares is Compares.ALIKE:
        return "the loss compares the examples of a batch with one another"
    entries, outputs = math.prod(labels.shape[1:]), math.prod(shape)
    return (
        f"a label has {entries} {'entry' if entries == 1 else 'entries'} and an answer "
        f"{outputs}, and only the loss knows which belong together"
    )


def _task(
    shape: tuple[int, ...],
    labels: np.ndarray,
    inputs: Sequence[np.ndarray],
    compares: Compares,
    softmax: bool,
) -> Task:
    per_position = len(shape) > 1
    classes = Task.CLASSES_PER_POSITION if per_position else Task.CLASSES
    width = shape[-1] if shape else 1
    if is_index(labels, shape) and (
        compares is not Compares.NUMBERS or _is_below(labels, width) or softmax
    ):
        return classes
    if not is_same_size(labels, shape):
        return Task.UNKNOWN
    shares = labels.reshape(len(labels), *shape)
    exact = np.isin(labels, (0, 1)).all()
    if is_one_hot(shares, width) and not (compares is Compares.NUMBERS and not exact):
        if compares is not Compares.YES_OR_NO or softmax:
            return classes
        return Task.MULTILABEL
    two = len(np.unique(labels)) <= 2  # masks of pictures are no copies of them
    copied = [array for array in inputs if not two or len(np.unique(array)) <= 2]
    if compares is not Compares.CLASSES and any(is_copy(array, labels) for array in copied):
        return Task.AUTOENCODER
    signs = np.isin(labels, (-1, 1)).all() and (width == 1 or compares is Compares.YES_OR_NO)
    soft = compares is Compares.YES_OR_NO and labels.min() >= 0 and labels.max() <= 1
    one_unit = compares is Compares.YES_OR_NO and _are_few_classes(labels)
    if exact or signs or soft or one_unit:
        if width > 1:
            return Task.MULTILABEL
        return Task.BINARY_PER_POSITION if per_position else Task.BINARY
    return Task.REGRESSION


def _is_below(labels: np.ndarray, width: int) -> bool:
    return bool(labels.min() >= 0 and labels.max() < width)


def _are_few_classes(labels: np.ndarray) -> bool:
    return len(np.unique(labels)) <= _MOST_CLASSES and bool(np.equal(np.mod(labels, 1), 0).all())


def _without_last(labels: np.ndarray) -> np.ndarray:
    """Return [..., 1] as [...], all else as it is."""
    return labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels
