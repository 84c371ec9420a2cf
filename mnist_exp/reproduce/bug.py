"""Why the notebook's first model ends at 0.098: every number from its own loss, model and data."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_exp import data, losses, training
from mnist_exp.config import Config, LossConfig
from mnist_exp.losses import PerExampleLoss

_MEANT = losses.build(LossConfig(kind="cross_entropy", reduction="sum"))
_RANGE = 6.0  # of the logit in the curves, both ways


@dataclass(frozen=True)
class Ending:
    """The trained model, with the loss in one of two forms that are equal on paper."""

    steps: int
    test_loss: float  # mean per test image
    largest_weight: float  # absolute, biases too
    tied: tuple[int, ...]  # classes with exactly the largest logit, for every test image
    predicted: tuple[int, ...]  # classes given to test images; of ties, argmax takes the first
    right: int  # test images


@dataclass(frozen=True)
class Bug:
    """Losses are means per training image; gradients are those of the sum over all training images.

    `logit`, `entropy`, `cross_entropy` [points]: the losses of an image when one logit moves and the others stay 0;
    the cross entropy is that of an image of the class whose logit moves.
    """

    images: int  # training
    test_images: int
    zeros: int  # test images that show a 0
    loss_at_start: float
    probabilities_at_start: tuple[float, ...]  # that occur
    gradient_at_start: float  # largest absolute entry, weights and biases
    meant_gradient_at_start: float  # the same of the loss that was meant
    literal: Ending  # log of softmax, as the notebook wrote it
    stable: Ending  # log-softmax, as the preset has it
    logit: NDArray[np.float64]
    entropy: NDArray[np.float32]
    cross_entropy: NDArray[np.float32]


def analyse(config: Config, dataset: data.Dataset) -> Bug:
    """Train the preset in both forms (seconds) and look at it before and after."""
    program = training.build_program(config, len(dataset.train))
    x, y = training.to_float(tf.constant(dataset.train.images)), tf.constant(dataset.train.labels)
    probabilities = training.predict_probabilities(program, dataset.train.images)
    logit = np.linspace(-_RANGE, _RANGE, 121)
    moved = tf.constant(np.pad(logit[:, None], ((0, 0), (0, data.NUM_CLASSES - 1))), tf.float32)
    own = tf.zeros(len(logit), tf.int32)
    return Bug(
        images=len(dataset.train),
        test_images=len(dataset.test),
        zeros=int((dataset.test.labels == 0).sum()),
        loss_at_start=float(tf.reduce_mean(program.loss(y, program.model(x)))),
        probabilities_at_start=tuple(float(p) for p in np.unique(probabilities)),
        gradient_at_start=_largest_gradient(program, program.loss, x, y),
        meant_gradient_at_start=_largest_gradient(program, _MEANT, x, y),
        literal=_ending(
            replace(config, loss=replace(config.loss, from_probabilities=True)), dataset
        ),
        stable=_ending(
            replace(config, loss=replace(config.loss, from_probabilities=False)), dataset
        ),
        logit=logit,
        entropy=program.loss(own, moved).numpy(),
        cross_entropy=_MEANT(own, moved).numpy(),
    )


def _largest_gradient(
    program: training.Program, loss: PerExampleLoss, x: tf.Tensor, y: tf.Tensor
) -> float:
    variables = program.model.trainable_variables
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(loss(y, program.model(x)))
    return _largest(tape.gradient(total, variables))


def _largest(tensors: list[tf.Tensor]) -> float:
    return max(float(tf.reduce_max(tf.abs(tensor))) for tensor in tensors)


def _ending(config: Config, dataset: data.Dataset) -> Ending:
    program = training.build_program(config, len(dataset.train))
    *_, last = training.fit(program, dataset, config.schedule)
    logits = program.logits(tf.constant(dataset.test.images)).numpy()
    is_largest = logits == logits.max(axis=1, keepdims=True)
    prediction = logits.argmax(axis=1)
    return Ending(
        steps=last.step,
        test_loss=last.test.cost,
        largest_weight=_largest(program.model.trainable_variables),
        tied=tuple(int(c) for c in np.flatnonzero(is_largest.all(axis=0))),
        predicted=tuple(int(c) for c in np.unique(prediction)),
        right=int((prediction == dataset.test.labels).sum()),
    )
