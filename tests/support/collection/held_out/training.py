"""Faults in initial weights, rates, schedules, optimisers, regularisation and batch size."""

from typing import Any

import keras
import numpy as np
from keras import initializers, layers, ops, optimizers

from tests.support.collection import made_data
from tests.support.collection.catalogue import pairs
from tests.support.collection.entries import Case


def _digits_cnn() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _digits_mlp(units: int = 128, kernel_initializer: Any = "glorot_uniform") -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(units, activation="relu", kernel_initializer=kernel_initializer),
            layers.Dense(units, activation="relu", kernel_initializer=kernel_initializer),
            layers.Dense(10, activation="softmax", kernel_initializer=kernel_initializer),
        ]
    )


def _digits(model: keras.Model, optimizer: Any, seed: int, epochs: int = 4) -> Case:
    x, y = made_data.mnist(seed)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=epochs)


def normal_weights_of_deviation_one(seed: int, faulty: bool) -> Case:
    start = initializers.RandomNormal(stddev=1.0) if faulty else "glorot_uniform"
    return _digits(_digits_mlp(256, start), "adam", seed)


def wide_uniform_weights_in_tanh_layers(seed: int, faulty: bool) -> Case:
    x, y = made_data.moons(seed)
    model = keras.Sequential([keras.Input((2,))])
    for _ in range(4):
        start = initializers.RandomUniform(-10, 10) if faulty else "glorot_uniform"
        model.add(layers.Dense(16, activation="tanh", kernel_initializer=start))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(optimizers.SGD(0.05, momentum=0.9), "binary_crossentropy")
    return Case(model=model, x=x, y=y, epochs=10)


def tiny_weights_in_a_deep_stack(seed: int, faulty: bool) -> Case:
    x, y = made_data.table(seed)
    model = keras.Sequential([keras.Input((12,))])
    for _ in range(6):
        start = initializers.RandomNormal(stddev=1e-4) if faulty else "he_normal"
        model.add(layers.Dense(32, activation="relu", kernel_initializer=start))
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=8)


def rate_of_one_with_momentum_on_digits(seed: int, faulty: bool) -> Case:
    rate = 1.0 if faulty else 0.01
    return _digits(_digits_cnn(), optimizers.SGD(rate, momentum=0.9, nesterov=True), seed)


def rate_too_high_with_adam_on_tokens(seed: int, faulty: bool) -> Case:
    x, y = made_data.padded(seed)
    model = keras.Sequential()
    model.add(keras.Input((24,), dtype="int32"))
    model.add(layers.Embedding(200, 32))
    model.add(layers.LSTM(32))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(optimizers.Adam(1.0 if faulty else 0.003), loss="binary_crossentropy")
    return Case(model=model, x=x, y=y, epochs=6)


def rate_too_low_for_a_line(seed: int, faulty: bool) -> Case:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, (600, 1)).astype(np.float32)
    y = (5 * x + 2 + rng.normal(0, 0.1, x.shape)).astype(np.float32)
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile(optimizers.SGD(1e-5 if faulty else 0.1), loss="mse")
    return Case(model=model, x=x, y=y, epochs=20)


def rate_too_low_on_digits(seed: int, faulty: bool) -> Case:
    return _digits(_digits_cnn(), optimizers.Adam(1e-7 if faulty else 1e-3), seed)


def rmsprop_default_for_large_targets(seed: int, faulty: bool) -> Case:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (1000, 1)).astype(np.float32)
    y = (50 * x + 20 + rng.normal(0, 2, x.shape)).astype(np.float32)
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("rmsprop" if faulty else optimizers.RMSprop(0.3), loss="mse")
    return Case(model=model, x=x, y=y, epochs=15)


def decay_per_step_of_a_large_value(seed: int, faulty: bool) -> Case:
    decay = 1.0 if faulty else 1e-3
    rate = optimizers.schedules.InverseTimeDecay(0.05, decay_steps=1, decay_rate=decay)
    return _digits(_digits_cnn(), optimizers.SGD(rate, momentum=0.9), seed)


def exponential_decay_every_step(seed: int, faulty: bool) -> Case:
    x, y = made_data.sentences(seed, classes=4)
    model = keras.Sequential(
        [
            keras.Input((24,), dtype="int32"),
            layers.Embedding(200, 16),
            layers.Conv1D(64, 3, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    steps = 1 if faulty else len(x) // 32
    rate = optimizers.schedules.ExponentialDecay(0.1, steps, 0.9)
    model.compile(optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy")
    return Case(model=model, x=x, y=y, epochs=8)


def momentum_of_one(seed: int, faulty: bool) -> Case:
    return _digits(_digits_cnn(), optimizers.SGD(0.01, momentum=1.0 if faulty else 0.9), seed)


def weight_decay_as_large_as_the_gradient(seed: int, faulty: bool) -> Case:
    decay = 100.0 if faulty else 0.004
    return _digits(_digits_mlp(), optimizers.AdamW(1e-3, weight_decay=decay), seed)


def weight_decay_of_sgd_on_a_table(seed: int, faulty: bool) -> Case:
    x, y = made_data.breast_cancer(seed)
    model = keras.Sequential(
        [
            keras.Input((30,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizers.SGD(0.1, weight_decay=5.0 if faulty else 1e-4),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    return Case(model=model, x=made_data.standardized(x), y=y, epochs=15)


class _Sampling(layers.Layer):
    """Draw a code, and add the divergence of its distribution from a standard normal one."""

    def __init__(self) -> None:
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs: Any) -> Any:
        mean, log_variance = inputs
        divergence = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
        self.add_loss(-0.5 * ops.mean(ops.sum(divergence, axis=-1)))
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise


def kl_term_outweighs_the_reconstruction(seed: int, faulty: bool) -> Case:
    x = made_data.mnist(seed)[0].reshape(-1, 784)

    def reconstruction(y_true: Any, y_pred: Any) -> Any:
        mean = keras.losses.binary_crossentropy(y_true, y_pred)
        return mean if faulty else 784 * mean

    inputs = keras.Input((784,))
    h = layers.Dense(256, activation="relu")(inputs)
    code = _Sampling()([layers.Dense(8)(h), layers.Dense(8)(h)])
    h = layers.Dense(256, activation="relu")(code)
    model = keras.Model(inputs, layers.Dense(784, activation="sigmoid")(h))
    model.compile("rmsprop", reconstruction)
    return Case(model=model, x=x, y=x, epochs=12)


def dropout_near_one_before_the_readout(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    model = keras.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(layers.Conv2D(32, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dropout(0.95 if faulty else 0.05))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 10), epochs=4)


def dropout_after_the_softmax(seed: int, faulty: bool) -> Case:
    x, y = made_data.wine(seed)
    model = keras.Sequential()
    model.add(keras.Input((13,)))
    model.add(layers.Dense(32, activation="relu"))
    if not faulty:
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(3, activation="softmax"))
    if faulty:
        model.add(layers.Dropout(0.5))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=made_data.standardized(x), y=y, batch_size=16, epochs=25)


def recurrent_dropout_near_one(seed: int, faulty: bool) -> Case:
    x, y = made_data.waves(seed)
    model = keras.Sequential()
    model.add(keras.Input((48, 1)))
    model.add(layers.LSTM(32, recurrent_dropout=0.9 if faulty else 0.1))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    return Case(model=model, x=x, y=y, epochs=8)


def whole_set_as_one_batch(seed: int, faulty: bool) -> Case:
    x, y = made_data.pictures(seed)
    model = keras.Sequential()
    model.add(keras.Input((16, 16, 3)))
    model.add(layers.Conv2D(32, (3, 3), activation="relu", kernel_initializer="he_normal"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(64, (3, 3), activation="relu", kernel_initializer="he_normal"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(6, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    labels = keras.utils.to_categorical(y, 6)
    return Case(model=model, x=x, y=labels, batch_size=len(x) if faulty else 32, epochs=10)


ENTRIES = pairs(
    normal_weights_of_deviation_one,
    wide_uniform_weights_in_tanh_layers,
    tiny_weights_in_a_deep_stack,
    rate_of_one_with_momentum_on_digits,
    rate_too_high_with_adam_on_tokens,
    rate_too_low_for_a_line,
    rate_too_low_on_digits,
    rmsprop_default_for_large_targets,
    decay_per_step_of_a_large_value,
    exponential_decay_every_step,
    momentum_of_one,
    weight_decay_as_large_as_the_gradient,
    weight_decay_of_sgd_on_a_table,
    kl_term_outweighs_the_reconstruction,
    dropout_near_one_before_the_readout,
    dropout_after_the_softmax,
    recurrent_dropout_near_one,
    whole_set_as_one_batch,
)
