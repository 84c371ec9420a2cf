"""Good programs that predict numbers from tables and pictures."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import normalizer
from tests.support.collection.sources import GERON, KERAS, TENSORFLOW, good, with_validation

ENTRIES: list[Entry] = []


@good(ENTRIES, f"{TENSORFLOW}/keras/regression (linear, multiple inputs)", "regression",
      "[7] to 1 number")  # fmt: skip
def fuel_linear_mae(seed: int) -> Case:
    x, y = made_data.fuel(seed)
    model = keras.Sequential([normalizer(x), layers.Dense(units=1)])
    model.compile(keras.optimizers.Adam(learning_rate=0.1), loss="mean_absolute_error")
    return with_validation(model, x, y, epochs=40)


@good(ENTRIES, f"{TENSORFLOW}/keras/regression (deep)", "regression", "[7] to 1 number")
def fuel_dnn(seed: int) -> Case:
    x, y = made_data.fuel(seed)
    model = keras.Sequential(
        [
            normalizer(x),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mean_absolute_error", optimizer=keras.optimizers.Adam(0.001))
    return with_validation(model, x, y, epochs=60)


@good(ENTRIES, f"{GERON}/12_custom_models_and_training_with_tensorflow.ipynb (custom Huber loss)",
      "regression", "[8] to 1 number")  # fmt: skip
def huber_outliers(seed: int) -> Case:
    def huber_loss(y_true: Any, y_pred: Any) -> Any:
        error = y_true - y_pred
        small = ops.abs(error) < 1
        return ops.where(small, ops.square(error) / 2, ops.abs(error) - 0.5)

    x, price = made_data.houses(seed)
    y = (price / 100_000).astype(np.float32)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(30, activation="elu", kernel_initializer="lecun_normal"),
            layers.Dense(1),
        ]
    )
    model.compile(loss=huber_loss, optimizer="nadam", metrics=["mae"])
    return with_validation(model, x, y, epochs=30)


@good(ENTRIES, "https://github.com/tensorflow/tflite-micro/tree/main/tensorflow/lite/micro/examples/"
      "hello_world", "regression", "[1] to 1 number")  # fmt: skip
def sine_tiny(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 2 * np.pi, 1500).astype(np.float32)
    y = (np.sin(x) + rng.normal(0, 0.1, 1500)).astype(np.float32)
    model = keras.Sequential(
        [
            keras.Input((1,)),
            layers.Dense(16, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return with_validation(model, x, y, batch_size=16, epochs=50)


@good(ENTRIES, f"{KERAS}/vision/keypoint_detection/", "regression", "[16, 16, 3] to 4 numbers")
def keypoints(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    places = rng.integers(1, 15, (1500, 2, 2))
    pictures = rng.uniform(0, 0.3, (1500, 16, 16, 3))
    for point, colour in enumerate((0, 2)):
        for down in (-1, 0, 1):
            rows, columns = places[:, point, 0] + down, places[:, point, 1]
            pictures[np.arange(1500), rows, columns, colour] = 1.0
    y = (places / 16).reshape(-1, 1, 1, 4).astype(np.float32)
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    x = layers.SeparableConv2D(32, 5, strides=2, activation="relu")(x)
    x = layers.SeparableConv2D(32, 4, strides=2, activation="relu")(x)
    x = layers.Dropout(0.1)(x)
    outputs = layers.Conv2D(4, 2, activation="sigmoid")(x)
    model = keras.Model(inputs, outputs)
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.003))
    return with_validation(model, pictures.astype(np.float32), y, epochs=15)


@good(ENTRIES, f"{KERAS}/vision/super_resolution_sub_pixel/", "regression",
      "[14, 14, 1] to [28, 28, 1] numbers")  # fmt: skip
def super_resolution(seed: int) -> Case:
    class PixelShuffle(layers.Layer):
        """Makes each pixel's four channels a block of two times two pixels."""

        def call(self, x: Any) -> Any:
            x = ops.reshape(x, (-1, 14, 14, 2, 2))
            return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4)), (-1, 28, 28, 1))

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            return (input_shape[0], 28, 28, 1)

    options = {"activation": "relu", "kernel_initializer": "orthogonal", "padding": "same"}
    inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(16, 5, **options)(inputs)
    x = layers.Conv2D(16, 3, **options)(x)
    x = layers.Conv2D(8, 3, **options)(x)
    x = layers.Conv2D(4, 3, **options)(x)
    model = keras.Model(inputs, PixelShuffle()(x))
    model.compile(keras.optimizers.Adam(learning_rate=0.001), keras.losses.MeanSquaredError())
    images, _ = made_data.mnist(seed, 1000)
    small = images.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4))
    return with_validation(model, small, images, batch_size=8, epochs=6)


@good(ENTRIES, "https://github.com/tancik/fourier-feature-networks (a picture from coordinates)",
      "regression", "[2] coordinates to 3 numbers")  # fmt: skip
def fourier_coordinates(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    directions = rng.normal(0, 3, (2, 32)).astype(np.float32)
    at = rng.uniform(0, 1, (3000, 2)).astype(np.float32)
    rings = np.sin(20 * np.hypot(at[:, 0] - 0.5, at[:, 1] - 0.4))
    colour = np.stack([rings, np.sin(9 * at[:, 0]), np.cos(12 * at[:, 1])], axis=1)
    colour = (0.5 + 0.5 * colour).astype(np.float32)
    inputs = keras.Input((2,))
    turns = ops.matmul(2 * np.pi * inputs, ops.convert_to_tensor(directions))
    x = layers.concatenate([ops.sin(turns), ops.cos(turns)])
    for _ in range(2):
        x = layers.Dense(64, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(3, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    return with_validation(model, at, colour, epochs=15)
