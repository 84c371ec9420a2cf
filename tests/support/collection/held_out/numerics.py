"""Faults in numerics, and in what the gradient reaches."""

import keras
import numpy as np
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.catalogue import pairs
from tests.support.collection.entries import Case


def root_layer_after_relu(seed: int, faulty: bool) -> Case:
    x, y = made_data.table(seed)
    inputs = keras.Input((12,))
    h = layers.Dense(32, activation="relu")(inputs)
    h = ops.sqrt(h) if faulty else ops.sqrt(h + 1e-3)
    model = keras.Model(inputs, layers.Dense(4, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=6)


def logarithm_of_counts_with_zeros(seed: int, faulty: bool) -> Case:
    rng = np.random.default_rng(seed)
    rates = rng.lognormal(1.5, 1.0, (1500, 6))
    x = rng.poisson(rates).astype(np.float32)
    y = np.log(1 + x[:, :3]).sum(axis=1) - np.log(1 + x[:, 3:]).sum(axis=1)
    y = (y + rng.normal(0, 0.2, 1500)).astype(np.float32)
    inputs = keras.Input((6,))
    h = ops.log(inputs) if faulty else ops.log1p(inputs)
    h = layers.Dense(32, activation="relu")(h)
    model = keras.Model(inputs, layers.Dense(1)(h))
    model.compile("adam", "mse")
    return Case(model=model, x=x, y=y, epochs=10)


def float16_layers_with_adam(seed: int, faulty: bool) -> Case:
    x, y = made_data.fuel(seed)
    x, y = made_data.standardized(x), made_data.standardized(y)
    dtype = "float16" if faulty else "float32"
    model = keras.Sequential()
    model.add(keras.Input((7,), dtype=dtype))
    model.add(layers.Dense(64, activation="relu", dtype=dtype))
    model.add(layers.Dense(64, activation="relu", dtype=dtype))
    model.add(layers.Dense(1, dtype=dtype))
    model.compile(optimizer="adam", loss="mse")
    return Case(model=model, x=x.astype(dtype), y=y.astype(dtype), epochs=10)


def argmax_inside_the_model(seed: int, faulty: bool) -> Case:
    x, y = made_data.table(seed)
    inputs = keras.Input((12,))
    h = layers.Dense(32, activation="relu")(inputs)
    h = layers.Dense(16, activation="relu")(h)
    if faulty:
        h = ops.one_hot(ops.argmax(h, axis=-1), 16)
    model = keras.Model(inputs, layers.Dense(4, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=10)


def stop_gradient_before_the_readout(seed: int, faulty: bool) -> Case:
    x, y = made_data.windows(made_data.series(seed), past=24)
    inputs = keras.Input((24, 1))
    h = layers.LSTM(32)(inputs)
    if faulty:
        h = ops.stop_gradient(h)
    model = keras.Model(inputs, layers.Dense(1)(h))
    model.compile(optimizer="adam", loss="mse")
    return Case(model=model, x=x, y=y, epochs=5)


ENTRIES = pairs(
    root_layer_after_relu,
    logarithm_of_counts_with_zeros,
    float16_layers_with_adam,
    argmax_inside_the_model,
    stop_gradient_before_the_readout,
)
