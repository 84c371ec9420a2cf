"""Outputs at which a loss is judged, whatever the model gives."""

import math

import numpy as np

from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.tasks import NUMBERS, ONE_OF_MANY, YES_OR_NO, Target


def reference_outputs(target: Target, labels: np.ndarray, seed: int) -> np.ndarray:
    """Draw outputs [N, ...] that any loss of this target can take.

    For classes they are probabilities, which are also valid as mild logits. For numbers they are
    other examples' labels, changed by up to a half, so that a loss that takes positive numbers
    gets such.
    """
    generator = np.random.default_rng(seed)
    shape = (len(labels), *target.shape)
    if target.task in NUMBERS and target.takes in (LossInput.NUMBERS, LossInput.UNKNOWN):
        numbers = np.nan_to_num(labels.astype(np.float64)).reshape(shape)
        spread = float(numbers.std()) or 1.0
        shuffled = generator.permutation(numbers) * generator.uniform(0.5, 1.5, shape)
        return np.asarray(shuffled + generator.uniform(0.05, 0.15, shape) * spread, np.float32)
    if target.num_classes == 1 or target.task not in ONE_OF_MANY:
        return generator.uniform(0.2, 0.8, shape).astype(np.float32)
    exponentials = np.exp(generator.normal(size=shape))
    return np.asarray(exponentials / exponentials.sum(-1, keepdims=True), np.float32)


def uniform_outputs(target: Target, labels: np.ndarray) -> np.ndarray | None:
    """Return the outputs [N, ...] of a model that knows nothing; None if it is not known.

    Every class gets 1/C and every yes 1/2; numbers get their mean.
    """
    if target.takes is LossInput.UNKNOWN:
        return None
    shape = (len(labels), *target.shape)
    if target.task in ONE_OF_MANY:
        classes = target.num_classes
        special = {LossInput.LOGITS: 0.0, LossInput.LOG_PROBABILITIES: -math.log(classes)}
        return np.full(shape, special.get(target.takes, 1 / classes), np.float32)
    if target.task in YES_OR_NO:
        middle = 0.0 if target.takes is LossInput.LOGITS or labels.min() < 0 else 0.5
        return np.full(shape, middle, np.float32)
    return target.constant_outputs(labels)


def cross_entropy(target: Target, labels: np.ndarray, outputs: np.ndarray) -> float:
    """Return the cross entropy per answer of outputs in the form that the loss takes.

    An answer is an example or a position; of several labels at once each is one.
    """
    outputs = outputs.astype(np.float64)
    if target.task in ONE_OF_MANY:
        log = outputs if target.takes is not LossInput.PROBABILITIES else np.log(outputs)
        log = log - np.log(np.exp(log).sum(-1, keepdims=True))
        if labels.size == outputs.size:
            return float(-(labels.reshape(log.shape) * log).sum(-1).mean())
        classes = target.answers(labels).reshape(log.shape[:-1])
        return float(-np.take_along_axis(log, classes[..., None], axis=-1).mean())
    if target.takes is LossInput.LOGITS:
        outputs = 1 / (1 + np.exp(-outputs))
    yes = labels.reshape(outputs.shape)
    return float(-(yes * np.log(outputs) + (1 - yes) * np.log(1 - outputs)).mean())
