"""The callback: what it checks inside `fit`, and that it leaves the training as it is."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import Preflight
from mnist_exp.preflight.errors import PreflightError
from tests.preflight.test_randomness import draws
from tests.support.zoo import programs

IMAGES, LABELS = programs.sample(0, 200)


def softmax_again(labels: Any, outputs: Any) -> tf.Tensor:
    """Return a cross entropy of logits."""
    labels = tf.cast(tf.reshape(labels, [-1]), tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs)


def made(loss: Any = "sparse_categorical_crossentropy") -> keras.Model:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def trained(*callbacks: Any, **loss: Any) -> tuple[list[Any], Any, Any]:
    model = made(**loss)
    model.fit(IMAGES, LABELS, epochs=1, verbose=0)  # the optimizer has a state
    history = model.fit(IMAGES, LABELS, epochs=2, verbose=0, callbacks=list(callbacks))
    state = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    return state, history.history, draws()


def test_training_with_the_callback_is_the_same_to_the_last_bit() -> None:
    callback = Preflight(IMAGES, LABELS, batch_size=32)
    with_it, without = trained(callback), trained()
    assert callback.report is not None
    assert callback.report.task == "one of 10 classes, softmax"
    assert all(np.array_equal(a, b) for a, b in zip(with_it[0], without[0], strict=True))
    assert with_it[1:] == without[1:]


def trained_without_weights(*callbacks: Any) -> tuple[list[Any], Any, Any]:
    keras.utils.set_random_seed(1)
    attend = layers.MultiHeadAttention(1, 4)
    model = keras.Sequential([layers.Rescaling(1.0), Attends(attend), layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(IMAGES[..., 0], LABELS, verbose=0, callbacks=list(callbacks))
    return [v.numpy() for v in model.variables], history.history, draws()


class Attends(layers.Layer):
    """Attention of every row to all rows, of which the first is the answer."""

    def __init__(self, attend: Any) -> None:
        super().__init__()
        self.attend = attend

    def call(self, inputs: Any) -> Any:
        return self.attend(inputs, inputs)[:, 0]


@pytest.mark.slow
def test_training_of_a_model_without_weights_yet_is_the_same_with_the_callback() -> None:
    callback = Preflight(IMAGES[..., 0], LABELS)
    with_it, without = trained_without_weights(callback), trained_without_weights()
    assert callback.report is not None
    assert all(np.array_equal(a, b) for a, b in zip(with_it[0], without[0], strict=True))
    assert with_it[1:] == without[1:]


class Branches(keras.Model):
    """A model that asks in Python what is in a tensor, as only run_eagerly=True can."""

    def __init__(self) -> None:
        super().__init__()
        self.last = layers.Dense(10, "softmax")

    def call(self, inputs: Any) -> Any:
        return self.last(-inputs if tf.reduce_mean(inputs) > 0 else inputs)


def test_what_only_runs_eagerly_is_said_and_trains(capsys: pytest.CaptureFixture[str]) -> None:
    model, x = Branches(), IMAGES.reshape(-1, 784)
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    model.fit(x, LABELS, verbose=0, callbacks=[Preflight(x, LABELS)])
    said = capsys.readouterr().err
    assert "OperatorNotAllowedInGraphError in test_callback.py, line" in said
    assert "needs keras.ops.cond" in said


def test_warn_says_what_it_found_and_trains(capsys: pytest.CaptureFixture[str]) -> None:
    state, _, _ = trained(Preflight(IMAGES, LABELS), loss=softmax_again)
    assert "ERROR OUTPUT_ALREADY_PROBABILITIES" in capsys.readouterr().err
    assert all(np.isfinite(array).all() for array in state)


def test_stop_raises_two_lines_before_any_step() -> None:
    model = made(loss=softmax_again)
    before = [v.numpy() for v in model.variables]
    with pytest.raises(PreflightError, match="^OUTPUT_ALREADY_PROBABILITIES: ") as raised:
        model.fit(IMAGES, LABELS, verbose=0, callbacks=[Preflight(IMAGES, LABELS, on_error="stop")])
    assert str(raised.value).count("\n") == 1
    after = [v.numpy() for v in model.variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_what_cannot_be_checked_is_said_and_trains(capsys: pytest.CaptureFixture[str]) -> None:
    callback = Preflight(IMAGES[:, :20], LABELS)
    made().fit(IMAGES, LABELS, verbose=0, callbacks=[callback])
    assert callback.report is None
    assert "not checked: the model cannot be run" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [{"on_error": "raise"}, {"batchsize": 8}])
def test_wrong_arguments_are_refused_when_it_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(PreflightError, match="on_error must be|no argument batchsize"):
        Preflight(IMAGES, LABELS, **wrong)
