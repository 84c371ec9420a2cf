"""Checks of the averages with which a model is evaluated."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import Finding
from mnist_exp.preflight.checks import AFTER_A_RUN
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.structure.averages import check_averages
from mnist_exp.preflight.subject import Subject
from tests.support.layer_kinds import chain, program, softmax
from tests.support.programs import findings


class LostUpdates(layers.Layer):
    """A normalisation that computes averages and does not assign them."""

    def build(self, input_shape: Any) -> None:
        self.mean = self.add_weight(shape=(input_shape[-1],), trainable=False, name="average")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return inputs - (tf.reduce_mean(inputs, 0) if training else self.mean)


class Inference(layers.BatchNormalization):
    """The mistake of passing training=False by hand."""

    def call(self, inputs: tf.Tensor, training: bool = False, mask: Any = None) -> tf.Tensor:
        return super().call(inputs, training=False, mask=mask)


def averages(normalisation: layers.Layer, steps: int = 500) -> list[Finding]:
    checked = program(chain(layers.Dense(8), normalisation, layers.ReLU(), softmax(3), shape=(5,)))
    checked.gradients(checked.inputs, checked.labels)
    return findings(check_averages, checked, steps)


def trained(normalisation: layers.Layer) -> layers.Layer:
    normalisation.build((None, 8))
    normalisation.moving_mean.assign(np.arange(8.0))
    normalisation.moving_variance.assign(np.full(8, 2.0))
    return normalisation


@pytest.mark.parametrize(
    ("normalisation", "severity"),
    [
        (layers.BatchNormalization(momentum=1.0), "error"),
        (LostUpdates(), "error"),
        (Inference(), "warning"),
        (layers.BatchNormalization(trainable=False), "warning"),
    ],
)
def test_averages_that_never_move(normalisation: layers.Layer, severity: str) -> None:
    (finding,) = averages(normalisation)
    assert (finding.code, finding.severity) == ("MOVING_AVERAGES_FIXED", severity)


@pytest.mark.parametrize(
    "normalisation",
    [
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.GroupNormalization(4),
        trained(layers.BatchNormalization(trainable=False)),
    ],
)
def test_normalisation_that_is_right(normalisation: layers.Layer) -> None:
    assert averages(normalisation) == []


def test_momentum_for_the_length_of_the_training() -> None:
    (finding,) = averages(layers.BatchNormalization(momentum=0.999), steps=100)
    assert finding.severity == "warning"
    assert "still 90%" in finding.message
    assert averages(layers.BatchNormalization(momentum=0.999), steps=2000) == []
    assert averages(layers.BatchNormalization(momentum=0.999)) == []


@pytest.mark.parametrize(("momentum", "expected"), [(0.9997, 1), (0.999, 0)])
def test_length_of_the_training_is_guessed(momentum: float, expected: int) -> None:
    slow = layers.BatchNormalization(momentum=momentum)
    checked = program(chain(layers.Dense(8), slow, layers.ReLU(), softmax(3), shape=(5,)))
    checked.gradients(checked.inputs, checked.labels)
    (check,) = (check for check in AFTER_A_RUN if check.judges == "moving averages")
    checkup = Checkup()
    check.run(checkup, Subject(checked, 0))
    assert [finding.code for finding in checkup.findings] == ["MOVING_AVERAGES_FIXED"] * expected
