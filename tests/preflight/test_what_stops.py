"""Programs that stop: the words say what is wrong, and what may have been meant."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import check, explain
from mnist_exp.preflight.errors import PreflightError

X = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
Y = X[:, :1]


def line(loss: Any = "mse") -> keras.Model:
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
    model.compile("sgd", loss)
    return model


class Joined(keras.Model):
    """A model with twice as many answers as examples."""

    def __init__(self) -> None:
        super().__init__()
        self.last = layers.Dense(1)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.last(layers.Concatenate(axis=0)([inputs, inputs]))


def test_a_batch_axis_that_grows_is_named() -> None:
    model = Joined()
    model.compile("sgd", "mse")
    with pytest.raises(PreflightError, match="from 2 examples the model makes 4 answers"):
        check(model, X, Y)


def no_return(labels: tf.Tensor, outputs: tf.Tensor) -> None:
    tf.reduce_mean((labels - outputs) ** 2)


class NoReturn(keras.losses.Loss):
    """The same as an object."""

    def call(self, labels: tf.Tensor, outputs: tf.Tensor) -> None:
        no_return(labels, outputs)


@pytest.mark.parametrize(("loss", "name"), [(no_return, "no_return"), (NoReturn(), "NoReturn")])
def test_a_loss_without_return_is_told_so(loss: Any, name: str) -> None:
    said = f"^the loss '{name}' returns nothing: let it end with `return`$"
    for given in ((line(loss),), (line(), loss, "sgd")):
        with pytest.raises(PreflightError, match=said):
            check(*given, X, Y)


def test_inputs_and_labels_that_are_exchanged_are_asked_about() -> None:
    exchanged = tf.data.Dataset.from_tensor_slices((Y[:, 0], X)).batch(8)
    unbuilt = keras.Sequential([layers.Dense(1)])
    unbuilt.compile("sgd", "mse")
    for model, given in ((line(), (exchanged,)), (unbuilt, (Y[:, 0], X))):
        with pytest.raises(PreflightError, match=r"are x and y exchanged\?$"):
            check(model, *given)


def test_single_examples_that_look_like_batches_are_told_apart() -> None:
    model = keras.Sequential([keras.Input((6,)), layers.Dense(6)])
    model.compile("sgd", "mse")
    with pytest.raises(PreflightError, match=r"gives single examples: add \.batch\(32\) to it$"):
        check(model, tf.data.Dataset.from_tensor_slices((X, X)))


def test_labels_of_text_get_the_line_that_numbers_them() -> None:
    with pytest.raises(PreflightError, match=r"text, such as 'dog'.*np\.unique\(y, return_inv"):
        check(line(), X, np.where(Y > 9, "cat", "dog"))


def test_what_is_no_code_is_refused() -> None:
    with pytest.raises(PreflightError, match="a code is text, such as 'DEAD_UNITS', got None"):
        explain(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy"])
def test_weights_of_zero_are_one_finding(loss: str) -> None:
    labels = (Y > 0).astype(np.float32)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1, "sigmoid")])
    model.compile("sgd", loss)
    (finding,) = check(model, X, labels, sample_weight=np.zeros(64)).findings
    assert (finding.code, finding.severity) == ("GRADIENT_ZERO", "error")
    assert "The weights of all 64 examples are 0" in finding.message


def test_an_output_without_a_loss_is_a_warning_that_says_so() -> None:
    given = keras.Input((6,))
    outputs = {name: layers.Dense(1, name=name)(given) for name in ("price", "rent")}
    model = keras.Model(given, outputs)
    model.compile(keras.optimizers.SGD(0.1), {"price": "mse", "rent": None})
    (finding,) = check(model, X, {"price": Y, "rent": Y}).findings
    assert (finding.code, finding.severity) == ("VARIABLE_NOT_TRAINED", "warning")
    assert "judges 1 of the 2 outputs" in finding.message
