"""Faults in the loss function, and in the number of outputs."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.catalogue import pairs
from tests.support.collection.entries import Case


def categorical_crossentropy_for_a_regression(seed: int, faulty: bool) -> Case:
    x, y = made_data.fuel(seed)
    x, y = made_data.standardized(x), made_data.standardized(y)
    model = keras.Sequential()
    model.add(keras.Input((7,)))
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(1))
    model.compile(loss="categorical_crossentropy" if faulty else "mse", optimizer="adam")
    return Case(model=model, x=x, y=y.reshape(-1, 1), epochs=10)


def categorical_crossentropy_for_two_coordinates(seed: int, faulty: bool) -> Case:
    flow = np.array((list(range(1, 10)) + list(range(10, 1, -1))) * 90, np.float32)
    both = np.stack([flow[9:], flow[:-9]], axis=1) * 0.5
    both += np.random.default_rng(seed).normal(0, 0.05, both.shape)
    x = np.stack([both[i : i + 10] for i in range(1200)]).astype(np.float32)
    y = both[10:1210].astype(np.float32)
    model = keras.Sequential()
    model.add(keras.Input((10, 2)))
    model.add(layers.LSTM(32))
    model.add(layers.Dense(2))
    model.add(layers.Activation("softmax" if faulty else "linear"))
    model.compile(loss="mean_squared_error", optimizer="rmsprop")
    return Case(model=model, x=x, y=y, epochs=15)


def mean_squared_error_of_class_numbers(seed: int, faulty: bool) -> Case:
    x, y = made_data.table(seed, features=8, classes=5)
    model = keras.Sequential()
    model.add(keras.Input((8,)))
    model.add(layers.Dense(16, activation="relu"))
    if faulty:
        model.add(layers.Dense(1))
        model.compile(loss="mse", optimizer="adam", metrics=["accuracy"])
    else:
        model.add(layers.Dense(5, activation="softmax"))
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, batch_size=5, epochs=10)


def categorical_crossentropy_on_class_numbers(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    loss = "categorical_crossentropy" if faulty else "sparse_categorical_crossentropy"
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return Case(model=model, x=x, y=y)


def own_crossentropy_with_flipped_sign_cnn(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)

    def cross_entropy(y_true: Any, y_pred: Any) -> Any:
        y_pred = ops.clip(y_pred, 1e-7, 1.0)
        value = ops.mean(ops.sum(y_true * ops.log(y_pred), axis=1))
        return value if faulty else -value

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), cross_entropy, metrics=["accuracy"])
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 10), epochs=3)


def dice_returned_instead_of_one_minus_dice(seed: int, faulty: bool) -> Case:
    x, y = made_data.masks(seed)

    def dice_loss(y_true: Any, y_pred: Any) -> Any:
        shared = ops.sum(ops.abs(y_true * y_pred), axis=[1, 2, 3])
        both = ops.sum(ops.square(y_true) + ops.square(y_pred), axis=[1, 2, 3])
        dice = ops.mean((2 * shared + 1e-8) / (both + 1e-8))
        return dice if faulty else 1 - dice

    inputs = keras.Input((16, 16, 3))
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(h)
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(h))
    model.compile(keras.optimizers.Adam(1e-3), dice_loss)
    return Case(model=model, x=x, y=y, batch_size=16, epochs=6)


def prediction_and_label_swapped_in_own_crossentropy(seed: int, faulty: bool) -> Case:
    x, y = made_data.wine(seed)

    def loss(y_true: Any, y_pred: Any) -> Any:
        if faulty:
            return ops.categorical_crossentropy(y_pred, y_true)
        return ops.categorical_crossentropy(y_true, y_pred)

    model = keras.Sequential(
        [
            keras.Input((13,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    labels = keras.utils.to_categorical(y, 3)
    return Case(model=model, x=made_data.standardized(x), y=labels, batch_size=16, epochs=20)


def own_loss_compares_prediction_with_itself(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)

    def cross_entropy(labels: Any, predictions: Any) -> Any:
        log = ops.log(predictions + 1e-8)
        return -ops.mean(ops.sum((predictions if faulty else labels) * log, axis=-1))

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), loss=cross_entropy, metrics=["accuracy"])
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 10))


def accuracy_used_as_the_loss(seed: int, faulty: bool) -> Case:
    x, y = made_data.breast_cancer(seed)

    def error_rate(y_true: Any, y_pred: Any) -> Any:
        wrong = ops.not_equal(ops.cast(y_true, "float32"), ops.round(y_pred))
        return ops.mean(ops.cast(wrong, "float32"), axis=-1)

    model = keras.Sequential(
        [
            keras.Input((30,)),
            layers.Dense(16, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", loss=error_rate if faulty else "binary_crossentropy")
    return Case(model=model, x=made_data.standardized(x), y=y.reshape(-1, 1), epochs=10)


def one_sigmoid_for_three_classes(seed: int, faulty: bool) -> Case:
    x, y = made_data.pictures(seed, classes=3)
    model = keras.Sequential()
    model.add(keras.Input((16, 16, 3)))
    model.add(layers.Conv2D(32, (3, 3), padding="same"))
    model.add(layers.Activation("relu"))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Conv2D(32, (3, 3), padding="same"))
    model.add(layers.Activation("relu"))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(64))
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(1 if faulty else 3))
    model.add(layers.Activation("sigmoid" if faulty else "softmax"))
    loss = "binary_crossentropy" if faulty else "sparse_categorical_crossentropy"
    model.compile(loss=loss, optimizer="rmsprop", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, batch_size=16, epochs=8)


def nine_outputs_for_ten_digits(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(9 if faulty else 10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=3)


def one_forecast_for_several_horizons(seed: int, faulty: bool) -> Case:
    x, y = made_data.windows(made_data.series(seed), past=24, ahead=6)
    model = keras.Sequential(
        [keras.Input((24, 1)), layers.LSTM(32), layers.Dense(1 if faulty else 6)]
    )
    model.compile(optimizer="adam", loss="mse")
    return Case(model=model, x=x, y=y, epochs=8)


ENTRIES = pairs(
    categorical_crossentropy_for_a_regression,
    categorical_crossentropy_for_two_coordinates,
    mean_squared_error_of_class_numbers,
    categorical_crossentropy_on_class_numbers,
    own_crossentropy_with_flipped_sign_cnn,
    dice_returned_instead_of_one_minus_dice,
    prediction_and_label_swapped_in_own_crossentropy,
    own_loss_compares_prediction_with_itself,
    accuracy_used_as_the_loss,
    one_sigmoid_for_three_classes,
    nine_outputs_for_ten_digits,
    one_forecast_for_several_horizons,
)
