"""Penalties and weight decay, by what they keep training from."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, regularizers

from mnist_exp.preflight import check
from mnist_exp.preflight.learning.penalties import check_weight_decay
from mnist_exp.preflight.learning.schedules import Plan
from tests.support.programs import codes, make_program
from tests.support.zoo import models, programs

IMAGES, LABELS = programs.sample(0, 400)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("factor", "found"), [(1.0, True), (1e-2, False), (1e-3, False)])
def test_an_l2_that_outweighs_the_data(factor: float, found: bool) -> None:
    keras.utils.set_random_seed(0)
    penalty = regularizers.L2(factor)
    hidden = layers.Dense(32, "relu", kernel_regularizer=penalty)
    outputs = layers.Dense(10, kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), hidden, outputs])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    assert check(model, IMAGES, LABELS).codes == ("PENALTY_DOMINATES",) * found


def test_what_a_variational_autoencoder_adds_is_no_fault() -> None:
    keras.utils.set_random_seed(0)

    class Divergence(layers.Layer):
        def call(self, code: Any) -> Any:
            self.add_loss(0.1 * keras.ops.mean(code**2))
            return code

    x = IMAGES.reshape(-1, 784)
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(8, "relu"), Divergence(), layers.Dense(784, "sigmoid")]
    )
    model.compile("adam", "binary_crossentropy")
    assert check(model, x, x).codes == ()


def test_penalties_are_part_of_the_objective_of_a_compiled_model_only() -> None:
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, kernel_regularizer="l2")]
    )
    expected = 0.01 * np.sum(model.layers[-1].kernel.numpy() ** 2)
    for penalised in (True, False):
        program = make_program(model, penalised=penalised)
        first = program.gradients(program.inputs[:8], program.labels[:8])
        assert first.penalty == pytest.approx(expected * penalised, rel=1e-4)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("optimizer", "found"),
    [
        (keras.optimizers.SGD(0.1, weight_decay=5.0), True),
        (keras.optimizers.SGD(0.1, weight_decay=1e-3), False),
        (keras.optimizers.AdamW(1e-3, weight_decay=20.0), True),
    ],
)
def test_a_weight_decay_that_leaves_nothing(optimizer: Any, found: bool) -> None:
    program = make_program(
        models.softmax("zeros", 0), optimizer=optimizer, images=IMAGES, labels=LABELS
    )
    plan = Plan(optimizer=optimizer, steps=500)
    assert codes(check_weight_decay, program, plan, 0) == ["WEIGHT_DECAY_TOO_HIGH"] * found
