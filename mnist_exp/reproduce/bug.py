"""Why the notebook's first model ends at 0.098: the numbers of its own loss, model and data."""

from dataclasses import replace

import numpy as np
import tensorflow as tf

from mnist_exp import data
from mnist_exp.config.group_schemas import EntropyConfig
from mnist_exp.config.schema import Config
from mnist_exp.reproduce.bug_numbers import Bug, Ending
from mnist_exp.training import losses
from mnist_exp.training.loop import fit
from mnist_exp.training.losses import PerExampleLoss
from mnist_exp.training.program import Program, build_program, predict_probabilities, to_float
from mnist_exp.training.results import final_test

_MEANT_CONFIG = EntropyConfig(kind="cross_entropy", reduction="sum")
_MEANT = losses.build(_MEANT_CONFIG)
_RANGE = 6.0  # of the logit in the curves, both ways


def analyse(config: Config, dataset: data.Dataset) -> Bug:
    """Measure the loss at the start, then train the preset in each form, which takes seconds."""
    assert isinstance(config.loss, EntropyConfig)
    program, loss = build_program(config, len(dataset.train)), config.loss
    images = to_float(tf.constant(dataset.train.images))
    labels = tf.constant(dataset.train.labels)
    probabilities = predict_probabilities(program, dataset.train.images)
    logit = np.linspace(-_RANGE, _RANGE, 121)
    others = data.MNIST.num_classes - 1
    moved = tf.constant(np.pad(logit[:, None], ((0, 0), (0, others))), tf.float32)
    moved_class = tf.zeros(len(logit), tf.int32)
    return Bug(
        images=len(dataset.train),
        test_images=len(dataset.test),
        zeros=int((dataset.test.labels == 0).sum()),
        loss_at_start=float(tf.reduce_mean(program.loss(labels, program.model(images)))),
        probabilities_at_start=tuple(float(p) for p in np.unique(probabilities)),
        gradient_at_start=_largest_gradient(program, program.loss, images, labels),
        meant_gradient_at_start=_largest_gradient(program, _MEANT, images, labels),
        literal=_ending(config, dataset, replace(loss, from_probabilities=True)),
        stable=_ending(config, dataset, replace(loss, from_probabilities=False)),
        meant=_ending(config, dataset, _MEANT_CONFIG),
        logit=logit,
        entropy=program.loss(moved_class, moved).numpy(),
        cross_entropy=_MEANT(moved_class, moved).numpy(),
    )


def _largest_gradient(
    program: Program, loss: PerExampleLoss, images: tf.Tensor, labels: tf.Tensor
) -> float:
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(loss(labels, program.model(images)))
    return _largest(tape.gradient(total, program.model.trainable_variables))


def _largest(tensors: list[tf.Tensor]) -> float:
    return max(float(tf.reduce_max(tf.abs(tensor))) for tensor in tensors)


def _ending(config: Config, dataset: data.Dataset, loss: EntropyConfig) -> Ending:
    program = build_program(replace(config, loss=loss), len(dataset.train))
    epochs = list(fit(program, dataset))
    last = epochs[-1]
    logits = program.logits(tf.constant(dataset.test.images)).numpy()
    is_largest = logits == logits.max(axis=1, keepdims=True)
    predictions = logits.argmax(axis=1)
    return Ending(
        steps=last.step,
        test_loss=final_test(epochs).cost,
        largest_weight=_largest(program.model.trainable_variables),
        tied=tuple(int(c) for c in np.flatnonzero(is_largest.all(axis=0))),
        predicted=tuple(int(c) for c in np.unique(predictions)),
        right=int((predictions == dataset.test.labels).sum()),
        course=np.array([point for epoch in epochs for point in epoch.step_points]),
    )
