"""Checks of the outputs against the loss and the batch."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.loss import LossFacts, Reduction
from mnist_exp.preflight.loss_kind import LossInput
from mnist_exp.preflight.output_form import output_form
from mnist_exp.preflight.outputs import check_probabilities
from tests.support.programs import codes, make_program
from tests.support.zoo import losses, models


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


def test_negative_log_likelihood_needs_log_softmax() -> None:
    assert judge("log-probabilities", models.softmax("glorot", 0)) == ["OUTPUT_NOT_PROBABILITIES"]
    assert (
        judge("log-probabilities", models.softmax("glorot", 0, [layers.Activation("log_softmax")]))
        == []
    )


def test_outputs_that_are_not_finite_are_left_to_another_check() -> None:
    program = make_program(models.softmax("glorot", 0, [models.CallLayer(lambda x: x * np.nan)]))
    facts = LossFacts(takes=LossInput.PROBABILITIES, reduction=Reduction.MEAN)
    assert codes(check_probabilities, program, facts, program.outputs(program.inputs), None) == []
