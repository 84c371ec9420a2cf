"""Why a program cannot learn a few examples by heart."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.learning.diagnosis import cause
from mnist_exp.preflight.learning.memorising import few_examples
from tests.support.programs import make_program
from tests.support.zoo import losses, models

SPARSE = keras.losses.SparseCategoricalCrossentropy


def change(model: Any, loss: Any = losses.mean, **changes: Any) -> str:
    """Return the name of the change after which the program learns."""
    program = make_program(model, loss, **changes)
    found = cause(program, *few_examples(program))
    return found.name if found else ""


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("penalised", [True, False])
def test_a_relu_on_the_logits(penalised: bool) -> None:
    keras.utils.set_random_seed(0)
    relu = models.sequential(layers.Flatten(), layers.Dense(10), layers.ReLU())
    assert change(relu, penalised=penalised) == "activation"


def test_a_penalty() -> None:
    keras.utils.set_random_seed(0)
    readout = layers.Dense(10, kernel_regularizer=keras.regularizers.L2(100.0))
    assert change(models.sequential(layers.Flatten(), readout), penalised=True) == "penalty"


def test_dropout_near_1() -> None:
    keras.utils.set_random_seed(0)
    stack = layers.Flatten(), layers.Dropout(0.999, seed=1), layers.Dense(10)
    assert change(models.sequential(*stack)) == "dropout"


def test_a_loss_that_has_no_slope() -> None:
    assert change(models.mlp("glorot", 0), lambda y, z: 0.0 * losses.mean(y, z)) == "loss"


def test_one_hidden_unit_is_not_helped_by_any_change() -> None:
    assert change(models.mlp("glorot", 0, units=1)) == ""


@pytest.mark.slow
def test_dead_units_come_to_life_with_other_weights() -> None:
    assert change(models.mlp("dead", 0)) == "weights"


@pytest.mark.slow
def test_inputs_that_hardly_differ() -> None:
    keras.utils.set_random_seed(0)
    images = 1000 + make_program().inputs.arrays[0].reshape(-1, 28, 28, 1)
    assert change(models.mlp("glorot", 0), images=np.asarray(images)) == "inputs"
