"""Tell what a program is to learn, from its outputs and labels, and judge outputs by it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np


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


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the labels of a program ask of its outputs.

    task: what is to be learned.
    num_classes: how many outputs there are for one answer, C; 1 where a single one says yes or no.
    """

    task: Task
    num_classes: int

    def answers(self, labels: np.ndarray) -> np.ndarray:
        """Return the labels as one array without needless axes.

        int64 [N] or [N, positions] of classes for `ONE_OF_MANY`, else float32 in the shape of the
        outputs [N, ...].
        """
        if self.task not in ONE_OF_MANY:
            return labels.astype(np.float32)
        if is_one_hot(labels, self.num_classes):
            classes: np.ndarray = np.argmax(labels, axis=-1)
            return classes
        return _without_last(labels).astype(np.int64)

    def score(self, labels: np.ndarray, outputs: np.ndarray) -> float:
        """Return how right the outputs are: 1.0 if all are, about 0 for a guess of numbers.

        For classes it is the share of right answers; for numbers, 1 minus the squared error over
        the variance of the labels.
        """
        answers = self.answers(labels)
        if self.task in ONE_OF_MANY:
            return float(np.mean(np.argmax(outputs, axis=-1) == answers))
        answers = answers.reshape(outputs.shape)
        if self.task in YES_OR_NO:
            # A logit is above 0 where a probability is above 0.5.
            limit = 0.5 if outputs.min() >= 0 and outputs.max() <= 1 else 0.0
            return float(np.mean((outputs > limit) == (answers > 0.5)))
        spread = float(np.sum((answers - answers.mean(axis=0)) ** 2))
        return 1 - float(np.sum((answers - outputs) ** 2)) / max(spread, 1e-30)

    def toward(self, labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Return the direction [N, ...] from these outputs to better ones."""
        answers = self.answers(labels)
        if self.task in ONE_OF_MANY:
            direction: np.ndarray = np.eye(self.num_classes)[answers] - 1 / self.num_classes
            return direction
        answers = answers.reshape(outputs.shape)
        if self.task in YES_OR_NO:
            return np.where(answers > 0.5, 1.0, -1.0)
        rest: np.ndarray = answers - outputs
        return rest


def tell_target(shape: tuple[int, ...], labels: np.ndarray, inputs: Sequence[np.ndarray]) -> Target:
    """Tell the task from the shape of an example's outputs, the labels [N, ...] and the inputs."""
    width = shape[-1] if shape else 1
    return Target(task=_task(shape, labels, inputs, width), num_classes=width)


def _task(
    shape: tuple[int, ...], labels: np.ndarray, inputs: Sequence[np.ndarray], width: int
) -> Task:
    if labels.dtype.kind not in "buif":
        return Task.UNKNOWN
    per_position = len(shape) > 1
    if width > 1 and (is_one_hot(labels, width) or is_integer(labels, shape[:-1])):
        return Task.CLASSES_PER_POSITION if per_position else Task.CLASSES
    if math.prod(labels.shape[1:]) != math.prod(shape):
        return Task.UNKNOWN
    if np.isin(labels, (0, 1)).all():
        if width > 1:
            return Task.MULTILABEL
        return Task.BINARY_PER_POSITION if per_position else Task.BINARY
    same = (array.shape == labels.shape and np.array_equal(array, labels) for array in inputs)
    return Task.AUTOENCODER if any(same) else Task.REGRESSION


def is_one_hot(labels: np.ndarray, width: int) -> bool:
    """Return True for labels [..., width] that are shares of classes: not negative, with sum 1."""
    if labels.ndim < 2 or labels.shape[-1] != width or width == 1:
        return False
    return bool((labels >= 0).all() and np.allclose(labels.sum(axis=-1), 1, atol=1e-3))


def is_integer(labels: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return True for whole numbers [N, *shape] or [N, *shape, 1], one for each answer."""
    if labels.shape[1:] not in (shape, (*shape, 1)):
        return False
    return bool(np.equal(np.mod(labels.astype(np.float64), 1), 0).all())


def _without_last(labels: Any) -> np.ndarray:
    """Return [..., 1] as [...], all else as it is."""
    array = np.asarray(labels)
    return array[..., 0] if array.ndim > 1 and array.shape[-1] == 1 else array
