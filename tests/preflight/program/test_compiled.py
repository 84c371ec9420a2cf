"""The loss of a compiled model, or in any form of Keras'."""

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.compiled import (
    CompiledLoss,
    NoLoss,
    as_loss,
    compiled_loss,
    loss_name,
    trains_itself,
    weighted,
)
from tests.support.zoo import losses

LABELS, OUTPUTS = np.array([0, 1]), np.array([[0.9, 0.1], [0.5, 0.5]], np.float32)
VALUES = -np.log([0.9, 0.5])
SPARSE = keras.losses.SparseCategoricalCrossentropy


def model(**compiled: Any) -> keras.Model:
    made = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    made.compile("sgd", **compiled)
    return made


@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        ["sparse_categorical_crossentropy"],
        SPARSE,
        keras.losses.sparse_categorical_crossentropy,
        SPARSE(),
    ],
)
def test_every_form_of_a_loss_has_the_same_value(loss: Any) -> None:
    value = compiled_loss(model(loss=loss))(LABELS, OUTPUTS)
    assert float(value) == pytest.approx(VALUES.mean())
    alone = weighted(as_loss(loss), LABELS, OUTPUTS)
    assert np.mean(alone) == pytest.approx(VALUES.mean())


def test_examples_are_weighted_where_the_loss_tells_them_apart() -> None:
    weights = np.array([2.0, 0.0], np.float32)
    expected = VALUES[0] * 2 / 2
    for loss in (SPARSE(), as_loss("sparse_categorical_crossentropy")):
        assert float(weighted(loss, LABELS, OUTPUTS, weights)) == pytest.approx(expected)
    each = weighted(lambda y, z: VALUES, LABELS, OUTPUTS, weights)
    assert np.mean(each) == pytest.approx(expected)
    assert weighted(lambda y, z: 3.0, LABELS, OUTPUTS, weights).numpy() == 3


def test_what_is_no_loss_is_refused_by_name() -> None:
    with pytest.raises(PreflightError, match="Keras has no loss called 'cross'"):
        compiled_loss(model(loss="cross"))
    with pytest.raises(PreflightError, match="loss must be a function"):
        as_loss(3)
    with pytest.raises(PreflightError, match=r"call model.compile\(optimizer, loss\)"):
        compiled_loss(keras.Sequential([layers.Dense(1)]))
    assert isinstance(compiled_loss(model()), NoLoss)


def test_loss_has_the_name_that_its_program_gives_it() -> None:
    names = [loss_name(loss) for loss in (CompiledLoss("mse"), SPARSE(), losses.mean)]
    assert names == ["mse", "SparseCategoricalCrossentropy", "mean"]
    assert loss_name(CompiledLoss(["mse", "mae"])) == "mse + mae"
    assert loss_name(partial(losses.mean)) == "mean"


def test_model_with_its_own_step_or_loss_trains_itself() -> None:
    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    assert trains_itself(Own())
    assert not trains_itself(model())
    assert not trains_itself(lambda x: x)
