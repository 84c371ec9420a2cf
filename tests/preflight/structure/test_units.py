"""Checks of hidden units."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight import Finding
from mnist_exp.preflight.structure.units import (
    check_activations,
    check_symmetry,
    check_units,
    twin_share,
)
from tests.support.layer_kinds import chain, program, relu_conv, softmax
from tests.support.programs import codes, findings, make_program
from tests.support.zoo import models

CONSTANT = keras.initializers.Constant(0.1)


def symmetry(model: Any) -> list[Finding]:
    program = make_program(model)
    return findings(check_symmetry, program, program.inputs, program.labels)


@pytest.mark.parametrize("model", [models.mlp, models.cnn])
@pytest.mark.parametrize("init", ["zeros", "constant"])
def test_equal_hidden_units_are_found(model: Any, init: str) -> None:
    (finding,) = symmetry(model(init, 0))
    assert (finding.code, finding.severity) == ("SYMMETRIC_INIT", "error")
    assert finding.evidence["share"] == 1


def test_dropout_does_not_hide_equal_units() -> None:
    (finding,) = symmetry(models.cnn("constant", 0, dense=50, dropout=0.5))
    assert len(finding.evidence["variables"]) == 3


@pytest.mark.parametrize("init", ["zeros", "constant"])
def test_linear_model_may_start_equal(init: str) -> None:
    assert symmetry(models.softmax(init, 0)) == []


def test_zero_layer_before_random_ones_is_fine() -> None:
    model = models.mlp("glorot", 0, activation="tanh")
    model.layers[1].kernel.assign(np.zeros((784, 100)))
    assert symmetry(model) == []


def test_twin_share() -> None:
    columns = np.random.default_rng(0).normal(size=(5, 4))
    assert twin_share([columns]) == 0
    columns[:, 1] = columns[:, 0]
    assert twin_share([columns]) == 0.5
    assert twin_share([columns, np.arange(4.0)[None]]) == 0


def test_dead_units_by_their_largest_value() -> None:
    measured = {"rectifier:a": np.arange(-70, 30), "rectifier:b": np.array([1.0, 2.0])}
    (finding,) = findings(check_activations, measured)
    assert (finding.code, finding.severity) == ("DEAD_UNITS", "warning")
    assert "71%" in finding.message
    (finding,) = findings(check_activations, {"rectifier:a": np.zeros(9)})
    assert finding.severity == "error"
    assert codes(check_activations, {"rectifier:a": np.array([0, 1.0, 1.0, 1.0])}) == []


def test_most_of_a_few_units_may_be_dead_by_chance() -> None:
    assert codes(check_activations, {"rectifier:squeeze": np.array([0, 0, 0, 1.0])}) == []


def test_units_that_a_fresh_normalisation_keeps_alive_in_training() -> None:
    """In evaluation its averages are those of no data, and the shift lies below 0."""
    low = layers.Dense(16, bias_initializer=keras.initializers.Constant(-50.0))
    for parts, found in ([low], ["DEAD_UNITS"]), ([low, layers.BatchNormalization()], []):
        checked = program(chain(*parts, layers.ReLU(), softmax(3), shape=(5,)))
        measured = checked.evaluate(checked.inputs)[1]
        assert codes(check_units, checked, measured, checked.inputs) == found


def test_saturated_activations_by_their_share() -> None:
    saturated = {"saturation:a": np.array(0.8)}
    assert codes(check_activations, saturated) == ["SATURATED_ACTIVATIONS"]
    assert codes(check_activations, {"saturation:a": np.array(0.2)}) == []


def test_dead_cells_of_a_recurrent_layer() -> None:
    dead = {"states:gru": np.array([[0.0, 0, 0], [0, 0, 0]])}
    (finding,) = findings(check_activations, dead)
    assert (finding.code, finding.severity) == ("DEAD_UNITS", "error")
    assert codes(check_activations, {"states:gru": np.array([[0.0, 0, 0], [1, 1, 1]])}) == []


@pytest.mark.parametrize(
    "hidden",
    [
        layers.GRU(8, kernel_initializer=CONSTANT, recurrent_initializer=CONSTANT),
        layers.Conv1D(8, 3, kernel_initializer=CONSTANT),
    ],
)
def test_constant_kernels_of_any_kind(hidden: Any) -> None:
    parts = [hidden] if isinstance(hidden, layers.GRU) else [hidden, layers.Flatten()]
    checked = program(chain(*parts, softmax(3), shape=(6, 2)))
    (finding,) = findings(check_symmetry, checked, checked.inputs, checked.labels)
    assert (finding.code, finding.severity) == ("SYMMETRIC_INIT", "warning")


def test_scales_and_slopes_may_begin_as_constants() -> None:
    parts = relu_conv(), layers.LayerNormalization((1, 2, 3)), layers.PReLU(CONSTANT)
    checked = program(chain(*parts, layers.Flatten(), softmax()))
    assert codes(check_symmetry, checked, checked.inputs, checked.labels) == []
