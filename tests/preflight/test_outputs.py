"""Checks of the outputs against the loss and the batch."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import Finding
from mnist_exp.preflight.loss import LossFacts, Reduction
from mnist_exp.preflight.loss_kind import LossInput
from mnist_exp.preflight.outputs import (
    check_evaluation,
    check_leak,
    check_probabilities,
    output_leak,
)
from tests.support.programs import codes, findings, make_program
from tests.support.zoo import losses, models


def judge(takes: str, model: Any, loss: Any = losses.mean) -> list[str]:
    program = make_program(model, loss)
    facts = LossFacts(takes=LossInput(takes), reduction=Reduction.MEAN)
    return codes(check_probabilities, program, facts, program.outputs(program.inputs))


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


def test_negative_log_likelihood_needs_log_softmax() -> None:
    assert judge("log-probabilities", models.softmax("glorot", 0)) == ["OUTPUT_NOT_PROBABILITIES"]
    assert (
        judge("log-probabilities", models.softmax("glorot", 0, [layers.Activation("log_softmax")]))
        == []
    )


def leak_of(*head: layers.Layer) -> float:
    program = make_program(models.softmax("glorot", 0, list(head)))
    return output_leak(program, program.inputs[:48])


def test_leak_is_zero_without_an_operation_over_the_batch() -> None:
    assert leak_of() < 1e-6
    assert codes(check_leak, leak_of()) == []


def test_softmax_over_the_batch_leaks() -> None:
    leak = leak_of(models.CallLayer(lambda x: tf.nn.softmax(x, axis=0)))
    assert codes(check_leak, leak) == ["EXAMPLES_LEAK"]


def evaluation(model: Any) -> list[Finding]:
    program = make_program(model)
    images = program.inputs[:48]
    return findings(check_evaluation, program, images, output_leak(program, images))


def test_dropout_that_stays_on_is_found_and_one_that_does_not_is_not() -> None:
    dropout = layers.Dropout(0.5, seed=1)
    (finding,) = evaluation(models.mlp("glorot", 0, extra=[models.AlwaysTraining(dropout)]))
    assert finding.code == "TRAIN_EVAL_MISMATCH"
    assert finding.evidence["noise"] > 0.01
    assert evaluation(models.mlp("glorot", 0, extra=[dropout])) == []


@pytest.mark.parametrize("model", [models.mlp, models.cnn])
def test_batch_norm_that_stays_in_training_mode(model: Any) -> None:
    always = models.AlwaysTraining(layers.BatchNormalization())
    assert [f.code for f in evaluation(model("glorot", 0, extra=[always]))] == [
        "TRAIN_EVAL_MISMATCH"
    ]
    assert evaluation(model("glorot", 0, extra=[layers.BatchNormalization()])) == []


def test_outputs_that_are_not_finite_are_left_to_another_check() -> None:
    program = make_program(models.softmax("glorot", 0, [models.CallLayer(lambda x: x * np.nan)]))
    facts = LossFacts(takes=LossInput.PROBABILITIES, reduction=Reduction.MEAN)
    assert codes(check_probabilities, program, facts, program.outputs(program.inputs)) == []
