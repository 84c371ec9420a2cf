"""Measurements inside the network."""

import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.program import Program
from tests.support.programs import make_program
from tests.support.zoo import models


def test_relu_reports_its_largest_value_by_unit() -> None:
    program = make_program(models.cnn("glorot", 0, dense=20))
    measured = program.evaluate(program.inputs)[1]
    assert sorted(len(v) for n, v in measured.items() if n.startswith("rectifier:")) == [8, 16, 20]


def test_saturation_is_the_share_near_the_limits() -> None:
    program = make_program(models.mlp("glorot", 0, activation="sigmoid"))
    (share,) = (
        v
        for n, v in program.evaluate(Inputs(1e4 * program.inputs.arrays[0]))[1].items()
        if n.startswith("saturation:")
    )
    assert share > 0.9
    (share,) = (
        v for n, v in program.evaluate(program.inputs)[1].items() if n.startswith("saturation:")
    )
    assert share == 0


def test_output_activation_is_no_hidden_unit() -> None:
    program = make_program(models.softmax("glorot", 0, [layers.Activation("relu")]))
    assert not any(name.startswith("rectifier:") for name in program.evaluate(program.inputs)[1])
    assert program.taps.output_op == "Relu"


def test_input_scale_is_measured_behind_a_rescaling_layer() -> None:
    model = models.sequential(layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10))
    program = make_program(
        model, images=np.full((4, 28, 28, 1), 255, np.uint8), labels=np.arange(4)
    )
    assert program.evaluate(program.inputs)[1]["first:0"][0] == pytest.approx(1)


def inputs_are_normalised(program: Program) -> bool:
    flow = program.taps.flow
    return any(flow.origins[tensor.ref()].normalised for tensor in flow.first)


def test_normalisation_is_seen() -> None:
    program = make_program(models.mlp("glorot", 0, extra=[layers.BatchNormalization()]))
    assert program.taps.normalisation
    assert not inputs_are_normalised(program)
    before = make_program(
        models.sequential(layers.BatchNormalization(), layers.Flatten(), layers.Dense(10))
    )
    assert inputs_are_normalised(before)
    assert not make_program(models.mlp("glorot", 0)).taps.normalisation
