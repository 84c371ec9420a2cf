"""Hidden layers: activations, initial weights, layers that lose or mix what they should keep."""

import keras
import numpy as np
from keras import initializers, layers, ops, optimizers

from tests.support.collection.catalogue import pairs, sequential
from tests.support.collection.entries import Case
from tests.support.collection.made_data import (
    houses,
    mnist,
    padded,
    pictures,
    series,
    standardized,
    table,
    waves,
    windows,
    wine,
)  # fmt: skip
from tests.support.collection.seen.data import circles

SPARSE = "sparse_categorical_crossentropy"


def sigmoid_in_eight_layers_circles(seed: int, faulty: bool) -> Case:
    """A circle within another."""
    x, y = circles(seed)
    activation = "sigmoid" if faulty else "relu"
    stack = [layers.Dense(16, activation=activation) for _ in range(8)]
    last = layers.Dense(1, activation="sigmoid")
    model = sequential((2,), *stack, last, loss="binary_crossentropy")
    return Case(model=model, x=x, y=y, epochs=15)


def relu_with_very_negative_biases(seed: int, faulty: bool) -> Case:
    """Four clusters of a table."""
    x, y = table(seed)
    start = initializers.Constant(-20.0 if faulty else 0.0)
    model = sequential(
        (12,),
        layers.Dense(32, activation="relu", bias_initializer=start),
        layers.Dense(32, activation="relu"),
        layers.Dense(4, activation="softmax"),
        loss=SPARSE,
    )
    return Case(model=model, x=x, y=y, epochs=10)


def relu_in_a_recurrent_autoencoder(seed: int, faulty: bool) -> Case:
    """Half a day of a series through a code of four."""
    x, _ = windows(series(seed, 500, features=2), past=12)
    activation = "relu" if faulty else "tanh"
    model = sequential(
        (12, 2),
        layers.GRU(16, activation=activation, return_sequences=True),
        layers.GRU(4, activation=activation),
        layers.RepeatVector(12),
        layers.GRU(4, activation=activation, return_sequences=True),
        layers.GRU(16, activation=activation, return_sequences=True),
        layers.TimeDistributed(layers.Dense(2)),
        loss="mse",
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=x, epochs=6)


def relu_cells_that_explode(seed: int, faulty: bool) -> Case:
    """The next value of a long window."""
    x, y = windows(series(seed, 600), past=72)
    activation = "relu" if faulty else "tanh"
    model = sequential(
        (72, 1),
        layers.LSTM(48, activation=activation, return_sequences=True),
        layers.LSTM(24, activation=activation),
        layers.Dense(1),
        loss="mse",
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=y, epochs=2)


def softmax_between_dense_layers(seed: int, faulty: bool) -> Case:
    """Digits."""
    x, y = mnist(seed)
    model = sequential(
        (28, 28, 1),
        layers.Flatten(),
        layers.Dense(64, activation="softmax" if faulty else "relu"),
        layers.Dense(10, activation="softmax"),
        loss=SPARSE,
    )
    return Case(model=model, x=x, y=y, epochs=8)


def one_unit_in_the_middle(seed: int, faulty: bool) -> Case:
    """Four clusters of a table."""
    x, y = table(seed)
    model = sequential(
        (12,),
        layers.Dense(32, activation="relu"),
        layers.Dense(1 if faulty else 16, activation="relu"),
        layers.Dense(32, activation="relu"),
        layers.Dense(4, activation="softmax"),
        loss=SPARSE,
    )
    return Case(model=model, x=x, y=y, epochs=15)


def pooling_before_any_feature(seed: int, faulty: bool) -> Case:
    """A disc, a square or a cross, red or blue."""
    x, y = pictures(seed)
    pooling = [layers.AveragePooling2D(16)] if faulty else []
    model = sequential(
        (16, 16, 3),
        *pooling,
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(16, 3, padding="same", strides=2, activation="relu"),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(6, activation="softmax"),
        loss=SPARSE,
        optimizer=optimizers.Adam(0.003),
    )
    return Case(model=model, x=x, y=y, epochs=14)


def reshape_that_mixes_examples(seed: int, faulty: bool) -> Case:
    """Waves of three frequencies, [B, 24, 1] as features [B, 24]."""
    x, y = waves(seed, steps=24)
    mixed = layers.Lambda(
        lambda batch: ops.transpose(ops.reshape(batch, (24, -1))), output_shape=(24,)
    )
    model = sequential(
        (24, 1),
        mixed if faulty else layers.Reshape((24,)),
        layers.Dense(64, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(3, activation="softmax"),
        loss=SPARSE,
    )
    return Case(model=model, x=x, y=y, epochs=15)


def softmax_over_the_batch_axis(seed: int, faulty: bool) -> Case:
    """Three kinds of wine."""
    x, y = wine(seed)
    model = sequential(
        (13,),
        layers.Dense(16, activation="relu"),
        layers.Dense(3),
        layers.Softmax(axis=0 if faulty else -1),
        loss=SPARSE,
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=standardized(x), y=y, batch_size=16, epochs=15)


def padding_without_mask_in_a_recurrent_layer(seed: int, faulty: bool) -> Case:
    """Sentences of 8 to 24 words, filled up to 64."""
    x, y = padded(seed, 1200)
    x = np.pad(x, ((0, 0), (0, 40)))
    model = sequential(
        (64,),
        layers.Embedding(200, 16, mask_zero=not faulty),
        layers.LSTM(16),
        layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=y, epochs=4)


def zeros_as_hidden_weights(seed: int, faulty: bool) -> Case:
    """Digits."""
    x, y = mnist(seed)
    kernel = "zeros" if faulty else "glorot_uniform"
    model = sequential(
        (28, 28, 1),
        layers.Conv2D(8, 5, strides=2, activation="relu", kernel_initializer=kernel),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(32, activation="relu", kernel_initializer=kernel),
        layers.Dense(10, activation="softmax", kernel_initializer=kernel),
        loss=SPARSE,
    )
    return Case(model=model, x=x, y=y, epochs=5)


def ones_as_hidden_weights_regression(seed: int, faulty: bool) -> Case:
    """The price in 200,000."""
    x, y = houses(seed)
    kernel = initializers.Constant(0.1) if faulty else "glorot_uniform"
    model = sequential(
        (8,),
        layers.Dense(32, activation="relu", kernel_initializer=kernel),
        layers.Dense(16, activation="relu", kernel_initializer=kernel),
        layers.Dense(1, kernel_initializer=kernel),
        loss="mse",
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=x, y=y / 200_000, epochs=20)


def constant_kernels_in_a_recurrent_layer(seed: int, faulty: bool) -> Case:
    """Waves of three frequencies."""
    x, y = waves(seed, steps=24)
    start = initializers.Constant(0.1)
    chosen = {"kernel_initializer": start, "recurrent_initializer": start} if faulty else {}
    model = sequential(
        (24, 1),
        layers.GRU(24, **chosen),
        layers.Dense(3, activation="softmax"),
        loss=SPARSE,
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=y, epochs=8)


def whole_model_frozen_but_the_bias(seed: int, faulty: bool) -> Case:
    """A circle within another."""
    x, y = circles(seed)
    last = layers.Dense(1, activation="sigmoid")
    hidden = [layers.Dense(16, activation="relu", trainable=not faulty) for _ in range(2)]
    model = keras.Sequential([keras.Input((2,)), *hidden, last])
    last.kernel.trainable = not faulty
    model.compile(optimizers.Adam(0.005), "binary_crossentropy")
    return Case(model=model, x=x, y=y, epochs=15)


def fresh_base_frozen(seed: int, faulty: bool) -> Case:
    """A disc, a square or a cross, red or blue; the base has weights=None."""
    x, y = pictures(seed)
    base = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    base.trainable = not faulty
    last = layers.Dense(6, activation="softmax")
    model = sequential((16, 16, 3), base, last, loss=SPARSE, optimizer=optimizers.Adam(0.005))
    return Case(model=model, x=x, y=y, epochs=10)


ENTRIES = pairs(
    sigmoid_in_eight_layers_circles,
    relu_with_very_negative_biases,
    relu_in_a_recurrent_autoencoder,
    relu_cells_that_explode,
    softmax_between_dense_layers,
    one_unit_in_the_middle,
    pooling_before_any_feature,
    reshape_that_mixes_examples,
    softmax_over_the_batch_axis,
    padding_without_mask_in_a_recurrent_layer,
    zeros_as_hidden_weights,
    ones_as_hidden_weights_regression,
    constant_kernels_in_a_recurrent_layer,
    whole_model_frozen_but_the_bias,
    fresh_base_frozen,
)
