"""Checks of the outputs against the loss and the batch."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import check
from mnist_exp.preflight.loss.function import LossFacts, Reduction
from mnist_exp.preflight.loss.output_form import output_form
from mnist_exp.preflight.loss.outputs import check_probabilities
from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.program import Program
from tests.support.programs import codes, findings, make_program
from tests.support.zoo import losses, models, programs


def judge(takes: str, model: Any, loss: Any = losses.mean) -> list[str]:
    program = make_program(model, loss)
    facts = LossFacts(takes=LossInput(takes), reduction=Reduction.MEAN)
    form = output_form(program)
    return codes(check_probabilities, program, facts, program.outputs(program.inputs), form)


@pytest.mark.parametrize("init", ["zeros", "glorot"])
def test_softmax_belongs_to_a_loss_on_probabilities(init: str) -> None:
    softmax, logits = models.softmax(init, 0, [layers.Softmax()]), models.softmax(init, 0)
    assert judge("logits", softmax) == ["OUTPUT_ALREADY_PROBABILITIES"]
    assert judge("logits", logits) == []
    assert judge("probabilities", softmax, losses.clipped_log) == []
    assert judge("probabilities", logits, losses.clipped_log) == ["OUTPUT_NOT_PROBABILITIES"]


def test_sigmoid_is_fine_only_where_the_loss_normalises() -> None:
    model = models.softmax("glorot", 0, [layers.Activation("sigmoid")])
    assert judge("probabilities", model, losses.clipped_log) == ["OUTPUT_NOT_PROBABILITIES"]
    assert judge("probabilities", model, keras.losses.SparseCategoricalCrossentropy()) == []
    assert judge("logits", model) == ["OUTPUT_ALREADY_PROBABILITIES"]


def twice(labels: Any, logits: Any) -> tf.Tensor:
    """Return a cross entropy that applies softmax to the softmax of the logits."""
    shares = tf.nn.softmax(logits)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, shares)


def exchanged(labels: Any, logits: Any) -> tf.Tensor:
    """Return Keras' cross entropy with labels and outputs exchanged."""
    one_hot = tf.one_hot(labels, logits.shape[-1])
    return keras.losses.categorical_crossentropy(tf.nn.softmax(logits), one_hot)


def margin_of_directions(labels: Any, logits: Any) -> tf.Tensor:
    """Return a cross entropy of normalised logits with a margin (Deng et al., ArcFace, 2019)."""
    margin = 0.1 * tf.one_hot(labels, logits.shape[-1])
    scaled = 10 * (tf.math.l2_normalize(logits, -1) - margin)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scaled)


@pytest.mark.parametrize(
    ("loss", "code"),
    [
        (twice, ["OUTPUT_ALREADY_PROBABILITIES"]),
        (lambda y, z: 7 * tf.reduce_sum(twice(y, z)), ["OUTPUT_ALREADY_PROBABILITIES"]),
        (exchanged, ["INITIAL_LOSS_UNEXPECTED"]),
        (margin_of_directions, []),
    ],
)
def test_losses_of_logits_that_somebody_wrote(loss: Any, code: list[str]) -> None:
    report = check(models.mlp("glorot", 0), loss, "adam", *programs.sample(0))
    assert [finding.code for finding in report.findings if finding.severity == "error"] == code


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_smoothed_labels_are_no_softmax_twice(smoothing: float) -> None:
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    assert (
        judge("logits", models.softmax("glorot", 0), lambda y, z: loss(tf.one_hot(y, 10), z)) == []
    )


def test_negative_log_likelihood_needs_log_softmax() -> None:
    assert judge("log-probabilities", models.softmax("glorot", 0)) == ["OUTPUT_NOT_PROBABILITIES"]
    assert (
        judge("log-probabilities", models.softmax("glorot", 0, [layers.Activation("log_softmax")]))
        == []
    )


class TensorFlowSoftmax(layers.Layer):
    """A softmax that Keras can find in a graph only."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(x)


class Doubled(layers.Layer):
    """Something after a softmax that hides it, and leaves probabilities."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return 1.0 * x


KERAS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.mark.parametrize(
    ("last", "loss", "compiled", "severity"),
    [
        (layers.Softmax(), KERAS, True, "warning"),
        (layers.Softmax(), KERAS, False, "warning"),
        (layers.Activation("sigmoid"), KERAS, True, "warning"),
        (TensorFlowSoftmax(), KERAS, True, "warning"),
        (TensorFlowSoftmax(), KERAS, False, "error"),
        (layers.Softmax(), losses.mean, True, "error"),
        (layers.Softmax(), losses.mean, False, "error"),
    ],
)
@pytest.mark.parametrize("init", ["blog", "glorot"])
def test_probabilities_whose_logits_the_loss_can_take_do_no_harm(
    last: Any, loss: Any, compiled: bool, severity: str, init: str
) -> None:
    program = make_program(models.softmax(init, 0, [last]), loss, penalised=compiled)
    assert already(program) == [("OUTPUT_ALREADY_PROBABILITIES", severity)]


@pytest.mark.parametrize("hidden", [False, True])
def test_the_logit_of_a_sigmoid_is_taken_unless_something_hides_it(hidden: bool) -> None:
    stack: list[Any] = [layers.Dense(1, "sigmoid"), *([Doubled()] if hidden else [])]
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), *stack])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    program = make_program(model, loss, penalised=True, labels=np.arange(64)[:, None] % 2)
    severity = "error" if hidden else "warning"
    assert already(program) == [("OUTPUT_ALREADY_PROBABILITIES", severity)]


def already(program: Program) -> list[tuple[str, str]]:
    facts = LossFacts(takes=program.target.takes, reduction=Reduction.MEAN)
    outputs, form = program.outputs(program.inputs), output_form(program)
    found = findings(check_probabilities, program, facts, outputs, form)
    return [(finding.code, str(finding.severity)) for finding in found]


def test_outputs_that_are_not_finite_are_left_to_another_check() -> None:
    program = make_program(models.softmax("glorot", 0, [models.CallLayer(lambda x: x * np.nan)]))
    facts = LossFacts(takes=LossInput.PROBABILITIES, reduction=Reduction.MEAN)
    assert codes(check_probabilities, program, facts, program.outputs(program.inputs), None) == []
