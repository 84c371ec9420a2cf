"""Inputs of the wrong scale or content, embeddings that are too small, and sums that overflow."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, losses, ops, optimizers

from tests.support.collection.catalogue import pairs, sequential
from tests.support.collection.entries import Case
from tests.support.collection.made_data import (
    digits,
    houses,
    mnist,
    padded,
    shuffled,
    standardized,
    wine,
)  # fmt: skip
from tests.support.collection.seen.data import colour_digits, ratings

SPARSE = "sparse_categorical_crossentropy"


def _perceptron(activation: str, optimizer: Any = "adam") -> keras.Model:
    return sequential(
        (28, 28, 1),
        layers.Flatten(),
        layers.Dense(64, activation=activation),
        layers.Dense(10, activation="softmax"),
        loss=SPARSE,
        optimizer=optimizer,
    )


def digits_as_0_to_255_sigmoid(seed: int, faulty: bool) -> Case:
    """Digits."""
    x, y = mnist(seed)
    model = _perceptron("sigmoid", optimizers.SGD(0.1, momentum=0.9))
    return Case(model=model, x=255 * x if faulty else x, y=y, epochs=10)


def colour_pictures_as_0_to_255(seed: int, faulty: bool) -> Case:
    """Digits in colour."""
    x, y = colour_digits(seed)
    model = sequential(
        (14, 14, 3),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
        loss=SPARSE,
        optimizer=optimizers.SGD(0.05, momentum=0.9),
    )
    return Case(model=model, x=255 * x if faulty else x, y=y, epochs=6)


def autoencoder_of_raw_pixels(seed: int, faulty: bool) -> Case:
    """Digits through a code of 32."""
    x = mnist(seed, 1500)[0].reshape(-1, 784)
    x = 255 * x if faulty else x
    model = sequential(
        (784,),
        layers.Dense(32, activation="relu"),
        layers.Dense(784, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=x, y=x, epochs=10)


def integer_division_of_pixels(seed: int, faulty: bool) -> Case:
    """Digits."""
    x, y = mnist(seed)
    x = np.rint(255 * x).astype(np.uint8)
    return Case(model=_perceptron("relu"), x=x // 255 if faulty else x / 255, y=y, epochs=8)


def constant_column_divided_by_its_deviation(seed: int, faulty: bool) -> Case:
    """The price in 200,000; a column of the table has one value only."""
    x, y = houses(seed)
    x[:, 7] = 3
    deviation = x.std(0) + (0 if faulty else 1e-6)
    with np.errstate(invalid="ignore"):
        x = (x - x.mean(0)) / deviation
    model = sequential(
        (8,),
        layers.Dense(32, activation="relu"),
        layers.Dense(1),
        loss="mse",
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=x, y=y / 200_000, epochs=15)


def augmentation_turns_and_shifts_too_far(seed: int, faulty: bool) -> Case:
    """Digits."""
    x, y = mnist(seed, 1000)
    turn, shift = (0.5, 0.6) if faulty else (0.02, 0.05)
    model = sequential(
        (28, 28, 1),
        layers.RandomRotation(turn),
        layers.RandomTranslation(shift, shift, fill_mode="constant"),
        layers.Conv2D(16, 5, strides=2, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(10, activation="softmax"),
        loss=SPARSE,
        optimizer=optimizers.Adam(0.003),
    )
    return Case(model=model, x=x, y=y, epochs=6)


def one_input_of_two_left_raw(seed: int, faulty: bool) -> Case:
    """A digit and a table in thousands, which add up."""
    pictures, digit = digits(seed)
    numbers = np.random.default_rng(seed).normal(size=(len(digit), 4))
    y = ((digit - 4.5) / 3 + numbers[:, 0]).astype(np.float32)
    numbers = (5000 * numbers + 20_000 if faulty else numbers).astype(np.float32)
    picture, table = keras.Input((8, 8, 1), name="picture"), keras.Input((4,), name="table")
    seen = layers.Dense(48, activation="relu")(layers.Flatten()(picture))
    told = layers.Dense(16, activation="relu")(table)
    hidden = layers.Dense(32, activation="relu")(layers.Concatenate()([seen, told]))
    model = keras.Model([picture, table], layers.Dense(1)(hidden))
    model.compile(optimizers.Adam(0.002), "mse")
    return Case(model=model, x={"picture": pictures, "table": numbers}, y=y, epochs=12)


def embedding_one_row_short(seed: int, faulty: bool) -> Case:
    """What a reader thinks of a book."""
    x, y = ratings(seed)
    rows = [int(ids.max()) + (0 if faulty else 1) for ids in x]
    reader, book = keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")
    taste = layers.Flatten()(layers.Embedding(rows[0], 5)(reader))
    theme = layers.Flatten()(layers.Embedding(rows[1], 5)(book))
    hidden = layers.Dense(32, activation="relu")(layers.Concatenate()([taste, theme]))
    model = keras.Model([reader, book], layers.Dense(1)(hidden))
    model.compile(optimizers.Adam(0.01), "mse")
    return Case(model=model, x=x, y=y, epochs=10)


def padding_with_minus_one(seed: int, faulty: bool) -> Case:
    """Sentences of 8 to 24 words."""
    x, y = padded(seed, 1500)
    model = sequential(
        (24,),
        layers.Embedding(200, 16),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=np.where(x == 0, -1, x) if faulty else x, y=y, epochs=8)


def own_crossentropy_of_unbounded_outputs(seed: int, faulty: bool) -> Case:
    """Digits."""

    def loss(labels: Any, outputs: Any) -> Any:
        outputs = outputs if faulty else tf.clip_by_value(tf.sigmoid(outputs), 1e-6, 1 - 1e-6)
        told = labels * tf.math.log(outputs) + (1 - labels) * tf.math.log(1 - outputs)
        return -tf.reduce_sum(told, axis=-1)

    x, y = mnist(seed)
    model = sequential(
        (28, 28, 1),
        layers.Flatten(),
        layers.Dense(64, activation="sigmoid"),
        layers.Dense(10, use_bias=False),
        loss=loss,
        optimizer=optimizers.SGD(0.05),
    )
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 10), epochs=8)


def log_of_softmax_by_hand(seed: int, faulty: bool) -> Case:
    """Three kinds of wine, from raw columns."""

    def by_hand(labels: Any, outputs: Any) -> Any:
        return -tf.reduce_sum(labels * tf.math.log(tf.nn.softmax(outputs)), axis=-1)

    x, y = wine(seed)
    loss = by_hand if faulty else losses.CategoricalCrossentropy(from_logits=True)
    model = sequential((13,), layers.Dense(3), loss=loss, optimizer=optimizers.Adam(0.05))
    x = x if faulty else standardized(x)
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 3), batch_size=16, epochs=15)


def root_of_the_squared_error_at_zero(seed: int, faulty: bool) -> Case:
    """Amounts of rain, some of them zero; the output is a ReLU as amounts are."""

    def loss(labels: Any, outputs: Any) -> Any:
        squares = tf.reduce_mean(tf.square(labels - outputs), axis=-1)
        return tf.sqrt(squares + (0.0 if faulty else 1e-6))

    x, y = houses(seed)
    rain = np.maximum(y / 100_000 - 1.6, 0)
    model = sequential(
        (8,),
        layers.Dense(32, activation="relu"),
        layers.Dense(1, activation="relu", bias_initializer="ones"),
        loss=loss,
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=rain, epochs=25)


def distance_with_a_root_of_equal_pictures(seed: int, faulty: bool) -> Case:
    """Two pictures of the same digit or not; some pairs are one picture twice."""
    x, y = digits(seed)
    other, label = shuffled(seed + 1, x, y)
    same = np.arange(len(y)) % 2 == 0
    order = np.lexsort((np.arange(len(y)), y))
    partner = order.copy()
    partner[order[:-1]] = order[1:]
    partner[::20] = np.arange(len(y))[::20]
    other = np.where(same[:, None, None, None], x[partner], other)
    told = np.where(same, y[partner] == y, label == y).astype(np.float32)
    tower = keras.Sequential([layers.Flatten(), layers.Dense(48, activation="tanh")])
    tower.add(layers.Dense(16))
    first, second = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    least = 0.0 if faulty else 1e-4
    distance = layers.Lambda(
        lambda both: ops.sqrt(ops.sum((both[0] - both[1]) ** 2, -1, keepdims=True) + least),
        output_shape=(1,),
    )([tower(first), tower(second)])
    scaled = layers.BatchNormalization(momentum=0.9)(distance)
    nearer_is_likelier = keras.initializers.Constant(-1.0)
    told_by = layers.Dense(1, activation="sigmoid", kernel_initializer=nearer_is_likelier)
    model = keras.Model([first, second], told_by(scaled))
    model.compile(optimizers.Adam(0.005), "binary_crossentropy")
    return Case(model=model, x=[x, other], y=told, epochs=10)


ENTRIES = pairs(
    digits_as_0_to_255_sigmoid,
    colour_pictures_as_0_to_255,
    autoencoder_of_raw_pixels,
    integer_division_of_pixels,
    constant_column_divided_by_its_deviation,
    augmentation_turns_and_shifts_too_far,
    one_input_of_two_left_raw,
    embedding_one_row_short,
    padding_with_minus_one,
    own_crossentropy_of_unbounded_outputs,
    log_of_softmax_by_hand,
    root_of_the_squared_error_at_zero,
    distance_with_a_root_of_equal_pictures,
)
