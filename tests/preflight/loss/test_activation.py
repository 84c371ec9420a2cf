"""Activations that the outputs of a task do not want, by what the outputs can be."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.loss.activation import check_activation
from mnist_exp.preflight.loss.output_form import output_form
from tests.support import targets as t
from tests.support.programs import findings
from tests.support.small import dense, program_of

L = keras.losses
SHARES = ((t.NUMBERS - t.NUMBERS.min()) / np.ptp(t.NUMBERS)).astype(np.float32)


def found(make: Any, loss: Any, labels: np.ndarray, inputs: Any = t.PICTURES) -> list[Any]:
    program = program_of(make, loss, labels, inputs)
    form = output_form(program)
    return [(f.code, str(f.severity)) for f in findings(check_activation, program, form)]


def softmax_over_positions(shape: Any) -> keras.Model:
    stack = [layers.Reshape((8, 8)), layers.Dense(7), layers.Softmax(axis=1)]
    return keras.Sequential([keras.Input(shape), *stack])


def twice(units: int, activation: str) -> Any:
    """Return what makes a model whose outputs go through an activation twice."""

    def make(shape: Any) -> keras.Model:
        stack = [layers.Dense(units, activation), layers.Activation(activation)]
        return keras.Sequential([keras.Input(shape), *stack])

    return make


@pytest.mark.parametrize("units", [32, 128])
def test_a_sigmoid_of_small_numbers_is_held_between_0_and_1(units: int) -> None:
    """What a recurrent layer gives at first hardly moves an output: its bias has to."""
    small = [layers.Dense(units), layers.Rescaling(1e-4), layers.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((5,)), layers.Flatten(), *small])
    rows = np.random.default_rng(0).random((64, 5)).astype(np.float32)
    program = program_of(lambda _: model, L.BinaryCrossentropy(), np.arange(64) % 2, rows)
    form = output_form(program)
    assert form is not None
    assert form.shares


def alike(shape: Any) -> keras.Model:
    """Return the cosine of what one layer gives for two halves: the same with minus its weights."""
    rows = keras.Input(shape)
    halves = [layers.Cropping1D(side)(layers.Reshape((64, 1))(rows)) for side in ((0, 32), (32, 0))]
    shared = layers.Dense(4)
    return keras.Model(
        rows, layers.Dot(1, normalize=True)([shared(layers.Flatten()(half)) for half in halves])
    )


def test_the_largest_of_some_cosines_is_no_limit() -> None:
    assert found(alike, L.MeanSquaredError(), 2 * t.YES - 1) == []


@pytest.mark.parametrize(
    ("make", "loss", "labels"),
    [
        (dense(1), L.MeanSquaredError(), t.NUMBERS),
        (dense(1, "relu"), L.MeanSquaredError(), t.COUNTS),
        (dense(1, "softplus"), L.Poisson(), t.COUNTS),
        (dense(1, "sigmoid"), L.MeanSquaredError(), SHARES),
        (dense(1, "tanh"), L.MeanSquaredError(), SHARES),
        (dense(1, "tanh"), L.MeanSquaredError(), 2 * t.YES - 1),
        (dense(1, "tanh"), L.Hinge(), 2 * t.YES - 1),
        (dense(64, "sigmoid"), L.MeanSquaredError(), t.PICTURES),
        (dense(64, "tanh"), L.MeanSquaredError(), t.PICTURES),
        (dense(1), L.BinaryCrossentropy(from_logits=True), t.YES),
        (dense(10, "softmax"), L.SparseCategoricalCrossentropy(), t.CLASSES),
        (dense(10), L.SparseCategoricalCrossentropy(from_logits=True), t.CLASSES),
        (dense(10, "softmax"), L.KLDivergence(), t.ONE_HOT),
        (dense(5, "sigmoid"), L.BinaryCrossentropy(), t.SEVERAL),
        (dense(2), t.gaussian, t.NUMBERS),
    ],
)
def test_activations_that_a_task_wants(make: Any, loss: Any, labels: np.ndarray) -> None:
    assert found(make, loss, labels) == []


@pytest.mark.parametrize(
    ("make", "loss", "labels", "severity"),
    [
        (dense(1, "softmax"), L.MeanSquaredError(), t.NUMBERS, "error"),
        (dense(1, "softmax"), L.BinaryCrossentropy(), t.YES, "error"),
        (dense(1, "relu"), L.MeanSquaredError(), t.NUMBERS, "error"),
        (dense(1, "sigmoid"), L.MeanSquaredError(), t.PRICES, "error"),
        (dense(1, "tanh"), L.MeanAbsoluteError(), 5 * t.NUMBERS, "error"),
        (dense(1, "relu6"), L.MeanSquaredError(), 3 * t.COUNTS, "error"),
        (dense(6, "softmax"), L.MeanSquaredError(), t.ROWS, "error"),
        (dense(5, "softmax"), L.BinaryCrossentropy(), t.SEVERAL, "error"),
        (dense(1, "relu"), L.BinaryCrossentropy(from_logits=True), t.YES, "error"),
        (dense(10, "relu"), L.CategoricalCrossentropy(), t.ONE_HOT, "error"),
        (twice(10, "softmax"), L.SparseCategoricalCrossentropy(), t.CLASSES, "error"),
        (twice(1, "sigmoid"), L.BinaryCrossentropy(), t.YES, "error"),
        (softmax_over_positions, L.SparseCategoricalCrossentropy(), t.TAGS[:, :8], "error"),
        (dense(10, "relu"), L.CategoricalCrossentropy(from_logits=True), t.ONE_HOT, "warning"),
        (dense(10, "tanh"), L.CategoricalCrossentropy(from_logits=True), t.ONE_HOT, "warning"),
        (dense(1, "sigmoid"), L.Hinge(), 2 * t.YES - 1, "warning"),
    ],
)
def test_activations_that_it_does_not(
    make: Any, loss: Any, labels: np.ndarray, severity: str
) -> None:
    assert found(make, loss, labels) == [("OUTPUT_ACTIVATION", severity)]


def test_the_weights_are_as_before() -> None:
    program = program_of(dense(1), L.MeanSquaredError(), t.NUMBERS)
    before = [variable.numpy() for variable in program.trainable]
    output_form(program)
    after = [variable.numpy() for variable in program.trainable]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("activation", "lowest", "highest", "shares"),
    [
        (None, -np.inf, np.inf, False),
        ("relu", 0, np.inf, False),
        ("sigmoid", 0, 1, True),
        ("tanh", -1, 1, False),
        ("softmax", 0, 1, True),
        ("relu6", 0, 6, False),
    ],
)
@pytest.mark.parametrize("zeros", [True, False])
def test_what_outputs_can_be(
    activation: str | None, lowest: float, highest: float, shares: bool, zeros: bool
) -> None:
    def make(shape: Any) -> keras.Model:
        start = "zeros" if zeros else "glorot_uniform"
        readout = layers.Dense(5, activation, kernel_initializer=start)
        return keras.Sequential([keras.Input(shape), layers.Dense(8), readout])

    form = output_form(program_of(make, L.MeanSquaredError(), t.SEVERAL))
    assert form is not None
    assert (form.lowest, form.highest) == pytest.approx((lowest, highest), abs=1e-3)
    assert form.shares == shares


def test_the_sigmoid_of_a_distance_is_a_share_though_it_comes_near_one_end_only() -> None:
    class Near(layers.Layer):
        def call(self, x: Any) -> Any:
            return keras.ops.sqrt(keras.ops.sum(x**2, -1, keepdims=True))

    def make(shape: Any) -> keras.Model:
        stack = [Near(), layers.Rescaling(0.01), layers.Dense(1, "sigmoid", use_bias=False)]
        return keras.Sequential([keras.Input(shape), *stack])

    form = output_form(program_of(make, L.BinaryCrossentropy(), t.YES))
    assert form is not None
    assert form.shares
    assert 0 < form.least < form.most < 1
    assert found(make, L.BinaryCrossentropy(), t.YES) == []
