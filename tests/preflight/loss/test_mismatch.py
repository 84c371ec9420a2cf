"""Loss, outputs and labels that are not of one task."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight.loss.mismatch import check_match
from tests.support import targets as t
from tests.support.programs import findings
from tests.support.small import dense, program_of

L = keras.losses


def found(make: Any, loss: Any, labels: np.ndarray, inputs: Any = t.PICTURES) -> list[Any]:
    program = program_of(make, loss, labels, inputs)
    return [(f.code, str(f.severity)) for f in findings(check_match, program)]


def positions(units: int, activation: str) -> Any:
    """Return what makes a model with an output for each of eight positions."""

    def make(shape: Any) -> keras.Model:
        readout = layers.Dense(units, activation)
        return keras.Sequential([keras.Input(shape), layers.Reshape((8, 8)), readout])

    return make


def own_entropy(labels: Any, logits: Any) -> tf.Tensor:
    """Return a cross entropy of classes."""
    return -tf.reduce_sum(tf.cast(labels, tf.float32) * tf.nn.log_softmax(logits), axis=-1)


def of_one_shape(labels: Any, outputs: Any) -> tf.Tensor:
    """Return a squared error; raise ValueError for labels and outputs of different shapes."""
    if labels.shape != outputs.shape:
        raise ValueError("labels and outputs differ")
    return tf.reduce_mean((labels - outputs) ** 2)


def nothing_yet(labels: Any, outputs: Any) -> tf.Tensor:
    """Return 0, as the loss of an output does whose layer adds one itself."""
    return 0 * tf.reduce_mean(outputs)


def one_hot_itself(loss: Any) -> Any:
    """Return a loss of class numbers that gives another one the same labels as one-hot ones."""
    return lambda labels, outputs: loss(tf.one_hot(labels, outputs.shape[-1]), outputs)


def hinge_of_all(labels: Any, outputs: Any) -> tf.Tensor:
    """Return the hinge loss of Weston and Watkins."""
    own = tf.gather(outputs, tf.cast(labels, tf.int32), axis=1, batch_dims=1)
    others = 1 - tf.one_hot(labels, outputs.shape[-1])
    return tf.reduce_sum(tf.nn.relu(1 + outputs - own[:, None]) * others, -1)


def number_and_outputs(labels: Any, outputs: Any) -> tf.Tensor:
    """Return a squared error between each of the outputs and the class number."""
    return tf.reduce_mean((outputs - tf.cast(labels, tf.float32)[:, None]) ** 2, -1)


@pytest.mark.parametrize(
    ("make", "loss", "labels"),
    [
        (dense(10), one_hot_itself(L.BinaryCrossentropy(from_logits=True)), t.CLASSES),
        (dense(10), one_hot_itself(L.BinaryFocalCrossentropy(from_logits=True)), t.CLASSES),
        (dense(10), one_hot_itself(L.Hinge()), t.CLASSES),
        (dense(10), one_hot_itself(L.SquaredHinge()), t.CLASSES),
        (dense(10), one_hot_itself(L.MeanSquaredError()), t.CLASSES),
        (dense(10), hinge_of_all, t.CLASSES),
        (dense(10, "softmax"), L.SparseCategoricalCrossentropy(), t.CLASSES),
        (dense(11, "softmax"), L.SparseCategoricalCrossentropy(), t.CLASSES),
        (dense(2, "softmax"), L.BinaryCrossentropy(), np.eye(2, dtype=np.float32)[t.YES[:, 0]]),
        (dense(10, "sigmoid"), L.BinaryCrossentropy(), t.ONE_HOT),
        (dense(10), L.CategoricalHinge(), t.ONE_HOT),
        (dense(1, "sigmoid"), L.MeanSquaredError(), t.YES),
        (dense(1), L.MeanSquaredError(), t.RATINGS),
        (dense(1), L.MeanAbsoluteError(), t.COUNTS - 3.0),
        (dense(1), L.Huber(), t.COUNTS - 3.0),
        (dense(1), L.LogCosh(), 10.0 * t.COUNTS - 30.0),
        (dense(1), L.Poisson(), t.COUNTS),
        (dense(64), L.CosineSimilarity(), t.PICTURES.reshape(-1, 64)),
        (dense(1), L.MeanSquaredError(), t.PRICES.astype(np.int64)),
        (dense(64, "sigmoid"), L.BinaryCrossentropy(), t.PICTURES),
        (dense(2), t.gaussian, t.NUMBERS),
        (dense(1), t.weighted_error, t.PACKED),
        (positions(7, "softmax"), L.SparseCategoricalCrossentropy(), t.TAGS[:, :8]),
        (dense(1), nothing_yet, t.YES),
        (dense(1000), L.SparseCategoricalCrossentropy(True), 5 * np.arange(200)),
    ],
)
def test_what_belongs_together(make: Any, loss: Any, labels: np.ndarray) -> None:
    assert found(make, loss, labels) == []


@pytest.mark.parametrize(
    ("make", "loss", "labels", "code", "severity"),
    [
        (dense(1), L.CategoricalCrossentropy(), t.NUMBERS, "LOSS_MISMATCH", "error"),
        (dense(1, "sigmoid"), L.CategoricalCrossentropy(), t.YES, "LOSS_MISMATCH", "error"),
        (dense(1), own_entropy, t.YES, "LOSS_MISMATCH", "error"),
        (dense(1), L.SparseCategoricalCrossentropy(True), t.YES, "LOSS_MISMATCH", "error"),
        (dense(1, "sigmoid"), L.BinaryCrossentropy(), t.PRICES, "LOSS_MISMATCH", "error"),
        (dense(10, "softmax"), L.MeanSquaredError(), t.CLASSES[:, None], "LOSS_MISMATCH", "error"),
        (dense(10), number_and_outputs, t.CLASSES, "LOSS_MISMATCH", "error"),
        (dense(5, "softmax"), L.CategoricalCrossentropy(), t.SEVERAL, "LOSS_MISMATCH", "error"),
        (dense(10, "softmax"), L.MeanSquaredError(), t.ONE_HOT, "LOSS_MISMATCH", "warning"),
        (dense(10, "softmax"), L.MeanAbsoluteError(), t.ONE_HOT, "LOSS_MISMATCH", "warning"),
        (dense(10, "softmax"), L.BinaryCrossentropy(), t.ONE_HOT, "LOSS_MISMATCH", "warning"),
        (dense(1, "sigmoid"), L.MeanAbsoluteError(), t.YES, "LOSS_MISMATCH", "warning"),
        (dense(1), L.MeanSquaredError(), t.CLASSES, "LOSS_MISMATCH", "warning"),
        (dense(10), L.SparseCategoricalCrossentropy(), t.ONE_HOT, "LOSS_MISMATCH", "error"),
        (dense(10), L.CategoricalCrossentropy(), t.CLASSES, "LOSS_MISMATCH", "error"),
        (dense(1), L.MeanSquaredError(), t.ROWS, "OUTPUT_UNITS", "error"),
        (dense(6), L.MeanSquaredError(), t.NUMBERS, "OUTPUT_UNITS", "error"),
        (positions(1, "sigmoid"), L.BinaryCrossentropy(), t.YES, "OUTPUT_UNITS", "error"),
        (positions(1, "linear"), L.MeanSquaredError(), t.NUMBERS, "OUTPUT_UNITS", "error"),
        (positions(1, "linear"), of_one_shape, t.NUMBERS, "OUTPUT_UNITS", "error"),
        (dense(100), L.SparseCategoricalCrossentropy(), t.YES, "OUTPUT_UNITS", "warning"),
    ],
)
def test_what_does_not(make: Any, loss: Any, labels: np.ndarray, code: str, severity: str) -> None:
    assert found(make, loss, labels) == [(code, severity)]


def test_a_loss_that_never_looks_at_the_labels_is_no_mismatch() -> None:
    assert found(dense(1), lambda y, o: tf.reduce_mean((o - o) ** 2), t.NUMBERS) == []
    assert found(dense(10), lambda y, o: tf.reduce_mean(o**2), t.ONE_HOT) == []


@pytest.mark.parametrize(
    ("loss", "move", "expected"),
    [
        (L.MeanAbsolutePercentageError(), 0, ["LOSS_MISMATCH"]),
        (L.MeanAbsolutePercentageError(), 1, []),
        (L.MeanSquaredLogarithmicError(), -1, ["LOSS_MISMATCH"]),
        (L.MeanSquaredLogarithmicError(), 0, []),
        (L.Poisson(), 0, []),
        (L.MeanSquaredError(), -1, []),
    ],
)
def test_targets_of_which_a_relative_error_makes_nothing(
    loss: Any, move: float, expected: list[str]
) -> None:
    targets = np.maximum(np.round(3 * t.NUMBERS, 1), 0) + np.float32(move)
    assert [code for code, _ in found(dense(1), loss, targets)] == expected
