"""Losses for another task, own losses with a mistake, and a wrong number of outputs."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, optimizers

from tests.support.collection.catalogue import pairs, sequential
from tests.support.collection.entries import Case
from tests.support.collection.made_data import (
    breast_cancer,
    class_masks,
    diabetes,
    houses,
    mnist,
    standardized,
    table,
    waves,
    xor,
)  # fmt: skip
from tests.support.collection.seen.data import colour_digits


def categorical_crossentropy_over_one_sigmoid(seed: int, faulty: bool) -> Case:
    """Two classes of tumours."""
    x, y = breast_cancer(seed)
    model = sequential(
        (30,),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
        loss="categorical_crossentropy" if faulty else "binary_crossentropy",
    )
    return Case(model=model, x=standardized(x), y=y[:, None], epochs=15)


def binary_crossentropy_for_prices(seed: int, faulty: bool) -> Case:
    """The price in 100,000."""
    x, y = houses(seed)
    model = sequential(
        (8,),
        layers.Dense(32, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid" if faulty else None),
        loss="binary_crossentropy" if faulty else "mse",
    )
    return Case(model=model, x=x, y=y / 100_000, epochs=20)


def mean_squared_error_over_softmax_with_sgd(seed: int, faulty: bool) -> Case:
    """Four clusters of a table, one-hot."""
    x, y = table(seed)
    model = sequential(
        (12,),
        layers.Dense(32, activation="relu"),
        layers.Dense(32, activation="relu"),
        layers.Dense(4, activation="softmax"),
        loss="mean_squared_error" if faulty else "categorical_crossentropy",
        optimizer="sgd",
    )
    return Case(model=model, x=x, y=keras.utils.to_categorical(y), epochs=10)


def mean_absolute_error_for_sigmoid_xor(seed: int, faulty: bool) -> Case:
    """The exclusive or of two noisy bits, with the optimizer of the question."""
    x, y = xor(seed)
    slow = optimizers.SGD(0.05, momentum=0.11, nesterov=True)
    model = sequential(
        (2,),
        layers.Dense(8, activation="sigmoid"),
        layers.Dense(1, activation="sigmoid"),
        loss="mae" if faulty else "mse",
        optimizer=slow if faulty else optimizers.Adam(0.05),
    )
    return Case(model=model, x=x, y=y, epochs=25)


def mean_squared_error_over_one_hot_logits_cnn(seed: int, faulty: bool) -> Case:
    """Digits, one-hot."""
    x, y = mnist(seed)
    model = sequential(
        (28, 28, 1),
        layers.Conv2D(8, 5, strides=2, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
        loss="mean_squared_error" if faulty else "categorical_crossentropy",
        optimizer=optimizers.SGD(0.01, momentum=0.9),
    )
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 10), epochs=4)


def sparse_crossentropy_on_one_hot_labels(seed: int, faulty: bool) -> Case:
    """Digits, one-hot."""
    x, y = mnist(seed, 1000)
    model = sequential(
        (28, 28, 1),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
        loss="sparse_categorical_crossentropy" if faulty else "categorical_crossentropy",
    )
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 10), epochs=5)


def _two_layers(loss: Any) -> keras.Model:
    hidden = layers.Dense(32, activation="relu")
    return sequential((10,), hidden, layers.Dense(1), loss=loss, optimizer=optimizers.Adam(0.01))


def _diabetes(seed: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = diabetes(seed)
    return standardized(x), standardized(y)


def own_squared_error_with_flipped_sign(seed: int, faulty: bool) -> Case:
    """The course of a disease, standardised."""

    def loss(labels: Any, outputs: Any) -> Any:
        error = tf.reduce_mean(tf.square(labels - outputs), axis=-1)
        return -error if faulty else error

    x, y = _diabetes(seed)
    return Case(model=_two_layers(loss), x=x, y=y, epochs=15)


def own_error_without_the_square(seed: int, faulty: bool) -> Case:
    """The course of a disease, standardised."""

    def loss(labels: Any, outputs: Any) -> Any:
        difference = outputs - labels
        return tf.reduce_mean(difference if faulty else tf.square(difference), axis=-1)

    x, y = _diabetes(seed)
    return Case(model=_two_layers(loss), x=x, y=y, epochs=15)


def labels_of_one_axis_against_outputs_of_two(seed: int, faulty: bool) -> Case:
    """The course of a disease; own code flattens the labels alone."""

    def loss(labels: Any, outputs: Any) -> Any:
        labels = tf.reshape(labels, [-1])
        outputs = outputs if faulty else tf.reshape(outputs, [-1])
        return tf.reduce_mean(tf.square(labels - outputs))

    x, y = _diabetes(seed)
    return Case(model=_two_layers(loss), x=x, y=y, epochs=15)


def crossentropy_summed_over_the_batch(seed: int, faulty: bool) -> Case:
    """Digits with the rate 0.5 of the tutorial."""

    def loss(labels: Any, outputs: Any) -> Any:
        logarithms = tf.math.log(tf.clip_by_value(outputs, 1e-10, 1.0))
        total = -tf.reduce_sum(labels * logarithms)
        return total if faulty else total / tf.cast(tf.shape(outputs)[0], tf.float32)

    x, y = mnist(seed)
    model = sequential(
        (28, 28, 1),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
        loss=loss,
        optimizer=optimizers.SGD(0.5),
    )
    labels = keras.utils.to_categorical(y, 10)
    return Case(model=model, x=x, y=labels, batch_size=100, epochs=8)


def one_unit_for_ten_classes(seed: int, faulty: bool) -> Case:
    """Digits in colour; the question's rate is too high beside."""
    x, y = colour_digits(seed)
    model = sequential(
        (14, 14, 3),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(1) if faulty else layers.Dense(10, activation="softmax"),
        loss="binary_crossentropy" if faulty else "sparse_categorical_crossentropy",
        optimizer=optimizers.Adam(0.1 if faulty else 0.003),
    )
    return Case(model=model, x=x, y=y, epochs=5)


def last_state_missing_so_every_step_is_compared(seed: int, faulty: bool) -> Case:
    """Slow and fast waves."""
    x, y = waves(seed, steps=24, classes=2)
    model = sequential(
        (24, 1),
        layers.LSTM(16, return_sequences=faulty),
        layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=y[:, None], epochs=10)


def flatten_missing_before_the_readout(seed: int, faulty: bool) -> Case:
    """Waves of three frequencies."""
    x, y = waves(seed)
    stack = [layers.Conv1D(16, 3, activation="relu"), layers.MaxPooling1D(2)]
    stack += [layers.Conv1D(16, 3, activation="relu"), layers.MaxPooling1D(2)]
    stack += [] if faulty else [layers.Flatten()]
    stack += [layers.Dense(32, activation="relu"), layers.Dense(3, activation="softmax")]
    model = sequential((48, 1), *stack, loss="categorical_crossentropy")
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 3), epochs=8)


def one_number_per_pixel_for_three_kinds(seed: int, faulty: bool) -> Case:
    """Background, red and blue."""
    x, y = class_masks(seed)
    last = layers.Conv2D(1, 1, activation="sigmoid")
    model = sequential(
        (16, 16, 3),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        last if faulty else layers.Conv2D(3, 1, activation="softmax"),
        loss="binary_crossentropy" if faulty else "sparse_categorical_crossentropy",
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=y[..., None], epochs=6)


ENTRIES = pairs(
    categorical_crossentropy_over_one_sigmoid,
    binary_crossentropy_for_prices,
    mean_squared_error_over_softmax_with_sgd,
    mean_absolute_error_for_sigmoid_xor,
    mean_squared_error_over_one_hot_logits_cnn,
    sparse_crossentropy_on_one_hot_labels,
    own_squared_error_with_flipped_sign,
    own_error_without_the_square,
    labels_of_one_axis_against_outputs_of_two,
    crossentropy_summed_over_the_batch,
    one_unit_for_ten_classes,
    last_state_missing_so_every_step_is_compared,
    flatten_missing_before_the_readout,
    one_number_per_pixel_for_three_kinds,
)
