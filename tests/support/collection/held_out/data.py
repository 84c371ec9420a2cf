"""Faults in labels, splits and inputs."""

from typing import Any

import keras
import numpy as np
from keras import layers

from tests.support.collection import made_data
from tests.support.collection.catalogue import pairs
from tests.support.collection.entries import Case


def padding_counts_as_a_tag(seed: int, faulty: bool) -> Case:
    words, tags = made_data.tagged(seed)
    steps = 40
    lengths = np.random.default_rng(seed).integers(3, 13, len(words))
    inside = np.arange(12) < lengths[:, None]
    x = np.zeros((len(words), steps), np.int32)
    y = np.zeros((len(words), steps), np.int32)  # tag 0 is the padding's
    x[:, :12], y[:, :12] = np.where(inside, words, 0), np.where(inside, tags + 1, 0)
    inputs = keras.Input((steps,), dtype="int32")
    h = layers.Embedding(60, 32)(inputs)
    h = layers.Bidirectional(layers.LSTM(32, return_sequences=True))(h)
    model = keras.Model(inputs, layers.Dense(5, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    weights = None if faulty else (x > 0).astype(np.float32)
    return Case(model=model, x=x, y=y, sample_weight=weights, epochs=5)


def _binary_mlp(features: int, units: int = 32) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((features,)),
            layers.Dense(units, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def labels_shuffled_apart_from_the_rows(seed: int, faulty: bool) -> Case:
    x, y = made_data.breast_cancer(seed)
    x = made_data.standardized(x)
    if faulty:
        y = np.random.default_rng(seed).permutation(y)
    return Case(model=_binary_mlp(30), x=x, y=y, epochs=12)


def masks_read_in_another_order(seed: int, faulty: bool) -> Case:
    x, y = made_data.masks(seed)
    if faulty:  # the names of the files: 0, 1, 10, 100, 101, ...
        y = y[sorted(range(len(y)), key=str)]
    inputs = keras.Input((16, 16, 3))
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(h)
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(h))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
    return Case(model=model, x=x, y=y, batch_size=16, epochs=6)


def labels_shifted_by_one_row(seed: int, faulty: bool) -> Case:
    x, y = made_data.fuel(seed)
    x, y = made_data.standardized(x), made_data.standardized(y)
    x, y = (x[1:], y[:-1]) if faulty else (x[1:], y[1:])
    model = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile("rmsprop", "mse", metrics=["mae"])
    return Case(model=model, x=x, y=y, epochs=10)


def _digits_mlp() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def labels_from_one_to_ten(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    return Case(model=_digits_mlp(), x=x, y=y + 1 if faulty else y)


def labels_minus_one_and_one(seed: int, faulty: bool) -> Case:
    x, y = made_data.breast_cancer(seed)
    labels = 2 * y - 1 if faulty else y
    return Case(model=_binary_mlp(30), x=made_data.standardized(x), y=labels, epochs=12)


def labels_divided_by_255(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    (x_train, y_train), (x_test, y_test) = made_data.split(255 * x, y)
    x_train = x_train / 255
    if faulty:
        y_train = y_train / 255
    else:
        x_test = x_test / 255
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), padding="same"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(32, (3, 3), padding="same"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x_train, y=y_train, validation_data=(x_test, y_test), epochs=2)


def split_of_rows_sorted_by_class(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    if faulty:
        order = np.argsort(y, kind="stable")  # folder after folder
        x, y = x[order], y[order]
    (x, y), validation = made_data.split(x, y)
    return Case(model=_digits_mlp(), x=x, y=y, validation_data=validation)


def validation_table_not_standardised(seed: int, faulty: bool) -> Case:
    (x, y), (x_test, y_test) = made_data.split(*made_data.fuel(seed))
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    x = (x - mean) / deviation
    if not faulty:
        x_test = (x_test - mean) / deviation
    model = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return Case(model=model, x=x, y=y, validation_data=(x_test, y_test), epochs=15)


def pixels_divided_twice(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    if faulty:
        x = x / 255
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=4)


def raw_columns_of_very_different_size(seed: int, faulty: bool) -> Case:
    rng = np.random.default_rng(seed)
    age, schooling = rng.integers(17, 80, 2000), rng.integers(1, 17, 2000)
    hours = rng.integers(20, 70, 2000)
    gain = np.where(rng.random(2000) < 0.08, rng.uniform(2e3, 1e5, 2000), 0)
    weight = rng.lognormal(12, 0.5, 2000)  # about 190,000, and unrelated
    married, male = rng.integers(0, 2, 2000), rng.integers(0, 2, 2000)
    score = 0.35 * (schooling - 9) + 0.04 * (hours - 45) + 1.5 * (married - 0.5)
    score += 0.02 * (age - 48) + np.where(gain > 7000, 3, 0) + rng.logistic(0, 0.5, 2000)
    x = np.stack([age, weight, schooling, gain, hours, married, male], 1).astype(np.float32)
    if not faulty:
        x = made_data.standardized(x)
    model = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Dense(21, activation="relu"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=keras.utils.to_categorical(score > 0.5, 2), epochs=12)


def raw_wine_columns_with_sgd(seed: int, faulty: bool) -> Case:
    x, y = made_data.wine(seed)
    if not faulty:
        x = made_data.standardized(x)
    model = keras.Sequential(
        [
            keras.Input((13,)),
            layers.Dense(12, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, batch_size=10, epochs=25)


def curve_over_raw_hundreds(seed: int, faulty: bool) -> Case:
    x = np.random.default_rng(seed).permutation(np.arange(-200, 200, 0.5))[:, None]
    y = x**3 - 20 * x**2
    if not faulty:
        x, y = made_data.standardized(x), made_data.standardized(y)
    model = keras.Sequential()
    model.add(keras.Input((1,)))
    model.add(layers.Dense(50, activation="relu"))
    model.add(layers.Dense(50, activation="elu"))
    model.add(layers.Dense(1))
    model.compile(loss="mse", optimizer="adam")
    return Case(model=model, x=x.astype(np.float32), y=y.astype(np.float32), epochs=25)


def generator_that_reuses_one_buffer(seed: int, faulty: bool) -> Case:
    pictures, labels = made_data.mnist(seed)

    def read() -> Any:
        buffer = np.empty((28, 28, 1), np.float32)
        for picture, label in zip(pictures, labels, strict=True):
            buffer[:] = picture
            yield (buffer if faulty else buffer.copy()), label

    read_pairs = list(read())
    x, y = np.array([pair[0] for pair in read_pairs]), np.array([pair[1] for pair in read_pairs])
    return Case(model=_digits_mlp(), x=x, y=y, epochs=4)


def missing_values_left_in_the_table(seed: int, faulty: bool) -> Case:
    x, y = made_data.breast_cancer(seed)
    x[np.random.default_rng(seed).random(x.shape) < 0.01] = np.nan
    x = (x - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0)
    if not faulty:
        x = np.nan_to_num(x)
    return Case(model=_binary_mlp(30), x=x.astype(np.float32), y=y, epochs=12)


def missing_readings_in_a_series(seed: int, faulty: bool) -> Case:
    values = made_data.series(seed)
    missing = np.random.default_rng(seed).random(len(values)) < 0.01
    values[missing] = np.nan
    if not faulty:
        times = np.arange(len(values))
        values[missing, 0] = np.interp(times[missing], times[~missing], values[~missing, 0])
    x, y = made_data.windows(values, past=24)
    model = keras.Sequential([keras.Input((24, 1)), layers.LSTM(32), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return Case(model=model, x=x, y=y, epochs=5)


ENTRIES = pairs(
    padding_counts_as_a_tag,
    labels_shuffled_apart_from_the_rows,
    masks_read_in_another_order,
    labels_shifted_by_one_row,
    labels_from_one_to_ten,
    labels_minus_one_and_one,
    labels_divided_by_255,
    split_of_rows_sorted_by_class,
    validation_table_not_standardised,
    pixels_divided_twice,
    raw_columns_of_very_different_size,
    raw_wine_columns_with_sgd,
    curve_over_raw_hundreds,
    generator_that_reuses_one_buffer,
    missing_values_left_in_the_table,
    missing_readings_in_a_series,
)
