"""Faults in the activation of the last layer."""

import keras
import numpy as np
from keras import layers

from tests.support.collection import made_data
from tests.support.collection.catalogue import pairs
from tests.support.collection.entries import Case


def softmax_over_one_unit_in_a_binary_table(seed: int, faulty: bool) -> Case:
    x, y = made_data.breast_cancer(seed)
    model = keras.Sequential()
    model.add(keras.Input((30,)))
    model.add(layers.Dense(50))
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(50))
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(1))
    model.add(layers.Activation("softmax" if faulty else "sigmoid"))
    model.compile(
        loss="binary_crossentropy", optimizer=keras.optimizers.RMSprop(), metrics=["accuracy"]
    )
    return Case(model=model, x=made_data.standardized(x), y=y.astype(bool), epochs=10)


def softmax_over_one_unit_in_a_conv1d_series(seed: int, faulty: bool) -> Case:
    x, y = made_data.waves(seed, classes=2)
    model = keras.Sequential(
        [
            keras.Input((48, 1)),
            layers.Conv1D(32, 5, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(32, 5, activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="softmax" if faulty else "sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return Case(model=model, x=x, y=y)


def softmax_over_one_channel_in_a_segmentation(seed: int, faulty: bool) -> Case:
    x, y = made_data.masks(seed)
    inputs = keras.Input((16, 16, 3))
    down = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    low = layers.MaxPooling2D()(down)
    low = layers.Conv2D(32, 3, padding="same", activation="relu")(low)
    up = layers.UpSampling2D()(low)
    up = layers.Concatenate()([up, down])
    up = layers.Conv2D(16, 3, padding="same", activation="relu")(up)
    outputs = layers.Conv2D(1, 1, activation="softmax" if faulty else "sigmoid")(up)
    model = keras.Model(inputs, outputs)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, batch_size=16)


def relu_outputs_under_categorical_crossentropy(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    model = keras.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(layers.Conv2D(32, (5, 5), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dense(10, activation="relu" if faulty else "softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 10))


def relu_before_the_softmax(seed: int, faulty: bool) -> Case:
    x, y = made_data.pictures(seed)
    inputs = keras.Input((16, 16, 3))
    h = layers.Conv2D(16, 3, activation="relu")(inputs)
    h = layers.MaxPooling2D()(h)
    h = layers.Conv2D(32, 3, activation="relu")(h)
    h = layers.Flatten()(h)
    h = layers.Dense(64, activation="relu")(h)
    h = layers.Dense(6, activation="relu" if faulty else None)(h)
    model = keras.Model(inputs, layers.Softmax()(h))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=15)


def relu_output_for_negative_products(seed: int, faulty: bool) -> Case:
    x = np.random.default_rng(seed).uniform(-1, 1, (1500, 2)).astype(np.float32)
    model = keras.Sequential()
    model.add(keras.Input((2,)))
    model.add(layers.Dense(32))
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(1))
    model.add(layers.Activation("relu" if faulty else "linear"))
    model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(0.01))
    return Case(model=model, x=x, y=x[:, 0] * x[:, 1], batch_size=10, epochs=10)


def relu_outputs_at_every_step(seed: int, faulty: bool) -> Case:
    values = made_data.series(seed)
    x = np.stack([values[i : i + 24] for i in range(1200)])
    y = np.stack([values[i + 1 : i + 25] for i in range(1200)])
    model = keras.Sequential()
    model.add(keras.Input((24, 1)))
    model.add(layers.LSTM(32, return_sequences=True))
    model.add(layers.TimeDistributed(layers.Dense(1, activation="relu" if faulty else None)))
    model.compile(loss="mse", optimizer="rmsprop")
    return Case(model=model, x=x, y=y, epochs=6)


def sigmoid_output_for_targets_above_one(seed: int, faulty: bool) -> Case:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (800, 1)).astype(np.float32)
    y = (10 + 4 * x[:, 0] + rng.normal(0, 0.5, 800)).astype(np.float32)
    model = keras.Sequential()
    model.add(keras.Input((1,)))
    model.add(layers.Dense(5, activation="sigmoid"))
    model.add(layers.Dense(1, activation="sigmoid" if faulty else "linear"))
    model.compile(loss="mean_squared_error", optimizer="sgd")
    return Case(model=model, x=x, y=y, epochs=20)


def sigmoid_per_class_with_sparse_crossentropy(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    model = keras.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(layers.Conv2D(32, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Dropout(0.25))
    model.add(layers.Flatten())
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dense(10, activation="sigmoid" if faulty else "softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="Adam", metrics=["accuracy"])
    return Case(model=model, x=x, y=y)


def softmax_outputs_under_a_loss_from_logits_tokens(seed: int, faulty: bool) -> Case:
    x, y = made_data.padded(seed, classes=4)
    model = keras.Sequential(
        [
            keras.Input((24,), dtype="int32"),
            layers.Embedding(200, 16),
            layers.GlobalAveragePooling1D(),
            layers.Dense(32, activation="relu"),
            layers.Dense(4),
        ]
    )
    if faulty:
        model.add(layers.Softmax())
    model.compile(
        optimizer="adam",
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 4), epochs=8)


def softmax_missing_under_sparse_crossentropy(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    model = keras.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(10, activation=None if faulty else "softmax"))
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y)


def softmax_over_the_time_axis(seed: int, faulty: bool) -> Case:
    x, y = made_data.tagged(seed)
    inputs = keras.Input((12,), dtype="int32")
    h = layers.Embedding(60, 32)(inputs)
    h = layers.Bidirectional(layers.LSTM(32, return_sequences=True))(h)
    h = layers.TimeDistributed(layers.Dense(4))(h)
    outputs = layers.Softmax(axis=1 if faulty else -1)(h)
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return Case(model=model, x=x, y=y, epochs=6)


ENTRIES = pairs(
    softmax_over_one_unit_in_a_binary_table,
    softmax_over_one_unit_in_a_conv1d_series,
    softmax_over_one_channel_in_a_segmentation,
    relu_outputs_under_categorical_crossentropy,
    relu_before_the_softmax,
    relu_output_for_negative_products,
    relu_outputs_at_every_step,
    sigmoid_output_for_targets_above_one,
    sigmoid_per_class_with_sparse_crossentropy,
    softmax_outputs_under_a_loss_from_logits_tokens,
    softmax_missing_under_sparse_crossentropy,
    softmax_over_the_time_axis,
)
