"""Faults in hidden activations, in the structure, in normalisation and in embeddings."""

import keras
import numpy as np
from keras import layers
from sklearn import datasets

from tests.support.collection import made_data
from tests.support.collection.catalogue import pairs
from tests.support.collection.entries import Case


def no_activation_between_layers_circles(seed: int, faulty: bool) -> Case:
    x, y = datasets.make_circles(1000, noise=0.1, factor=0.4, random_state=seed)
    activation = None if faulty else "relu"
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(16, activation=activation),
            layers.Dense(16, activation=activation),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x.astype(np.float32), y=y, epochs=8)


def no_activation_between_layers_sine(seed: int, faulty: bool) -> Case:
    x = np.random.default_rng(seed).uniform(-np.pi, np.pi, (1000, 1)).astype(np.float32)
    activation = None if faulty else "relu"
    model = keras.Sequential()
    model.add(keras.Input((1,)))
    model.add(layers.Dense(50, activation=activation))
    model.add(layers.Dense(50, activation=activation))
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.Adam(0.003), loss="mse")
    return Case(model=model, x=x, y=np.sin(x), epochs=12)


def no_activation_between_convolutions(seed: int, faulty: bool) -> Case:
    x, y = made_data.pictures(seed)
    activation = None if faulty else "relu"
    model = keras.Sequential()
    model.add(keras.Input((16, 16, 3)))
    model.add(layers.Conv2D(64, (3, 3), activation=activation))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Conv2D(32, (2, 2), activation=activation))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(6, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 6), epochs=15)


def sigmoid_lenet_with_plain_sgd(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    activation = "sigmoid" if faulty else "relu"
    model = keras.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(layers.Conv2D(6, (5, 5), activation=activation))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Conv2D(16, (5, 5), activation=activation))
    model.add(layers.AveragePooling2D(pool_size=(2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(120, activation=activation))
    model.add(layers.Dense(84, activation=activation))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=keras.utils.to_categorical(y, 10))


def tanh_after_huge_inputs(seed: int, faulty: bool) -> Case:
    x, y = made_data.fuel(seed)
    if not faulty:
        x = made_data.standardized(x)
    model = keras.Sequential()
    model.add(keras.Input((7,)))
    model.add(layers.Dense(32, activation="tanh"))
    model.add(layers.Dense(16, activation="tanh"))
    model.add(layers.Dense(1))
    model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(0.01))
    return Case(model=model, x=x, y=y, epochs=25)


def softmax_inside_a_recurrent_layer(seed: int, faulty: bool) -> Case:
    x, y = made_data.windows(made_data.series(seed), past=24)
    model = keras.Sequential()
    model.add(keras.Input((24, 1)))
    model.add(layers.LSTM(32, activation="softmax" if faulty else "tanh"))
    model.add(layers.Dense(1))
    model.compile(loss="mean_squared_error", optimizer="rmsprop")
    return Case(model=model, x=x, y=y, epochs=5)


def code_of_one_relu_unit(seed: int, faulty: bool) -> Case:
    rng = np.random.default_rng(seed)
    x = np.tanh(rng.normal(size=(1500, 5)) @ rng.normal(size=(5, 24)) / 2)
    x = (x + rng.normal(0, 0.05, x.shape)).astype(np.float32)
    inputs = keras.Input((24,))
    h = layers.Dense(16, activation="relu")(inputs)
    code = layers.Dense(1 if faulty else 8, activation="relu")(h)
    h = layers.Dense(16, activation="relu")(code)
    model = keras.Model(inputs, layers.Dense(24)(h))
    model.compile(optimizer="adam", loss="mse")
    return Case(model=model, x=x, y=x, epochs=15)


def pooling_to_a_single_value(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(28 if faulty else 2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y)


def channels_first_pictures_in_a_channels_last_network(seed: int, faulty: bool) -> Case:
    x, y = made_data.pictures(seed)
    stored = np.moveaxis(x, -1, 1)  # as the files have them
    x = stored.reshape(-1, 16, 16, 3) if faulty else stored.transpose(0, 2, 3, 1)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(6, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=15)


def time_and_features_exchanged(seed: int, faulty: bool) -> Case:
    x, y = made_data.windows(made_data.series(seed, features=4), past=24)
    stored = np.moveaxis(x, -1, 1)  # [N, features, steps]
    x = stored.reshape(-1, 24, 4) if faulty else stored.transpose(0, 2, 1)
    model = keras.Sequential()
    model.add(keras.Input((24, 4)))
    model.add(layers.LSTM(32))
    model.add(layers.Dense(1))
    model.compile(loss="mae", optimizer="adam")
    return Case(model=model, x=x, y=y, epochs=5)


def one_branch_used_for_both_inputs(seed: int, faulty: bool) -> Case:
    x, y = made_data.two_inputs(seed)
    words = keras.Input((12,), dtype="int32", name="words")
    numbers = keras.Input((6,), name="numbers")
    first = layers.GlobalAveragePooling1D()(layers.Embedding(100, 16)(words))
    first = layers.Dense(16, activation="relu")(first)
    second = layers.Dense(16, activation="relu")(numbers)
    merged = layers.concatenate([first, first if faulty else second])
    merged = layers.Dense(16, activation="relu")(merged)
    outputs = layers.Dense(1, activation="sigmoid")(merged)
    model = keras.Model({"words": words, "numbers": numbers}, outputs)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=10)


def layer_normalisation_over_one_feature(seed: int, faulty: bool) -> Case:
    x, y = made_data.windows(made_data.series(seed), past=24)
    inputs = keras.Input((24, 1))
    h = layers.LayerNormalization()(inputs) if faulty else inputs
    h = layers.GRU(32)(h)
    model = keras.Model(inputs, layers.Dense(1)(h))
    model.compile(optimizer="adam", loss="mse")
    return Case(model=model, x=x, y=y, epochs=5)


def moving_averages_with_momentum_near_one(seed: int, faulty: bool) -> Case:
    x, y = made_data.mnist(seed)
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (16, 32, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9999 if faulty else 0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy")
    return Case(model=model, x=x, y=y, epochs=3)


def frozen_normalisation_with_fresh_statistics(seed: int, faulty: bool) -> Case:
    x, y = made_data.pictures(seed)
    model = keras.Sequential([keras.Input((16, 16, 3))])
    model.add(layers.BatchNormalization(momentum=0.9))
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same"))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(6, activation="softmax"))
    if faulty:
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=255 * x, y=y, epochs=10)


def embedding_smaller_than_the_vocabulary(seed: int, faulty: bool) -> Case:
    x, y = made_data.sentences(seed)
    model = keras.Sequential(
        [
            keras.Input((24,), dtype="int32"),
            layers.Embedding(100 if faulty else 200, 16),
            layers.Conv1D(32, 3, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Case(model=model, x=x, y=y)


def token_ids_as_plain_numbers(seed: int, faulty: bool) -> Case:
    x, y = made_data.padded(seed, words=1000)
    # Numbers of words say nothing of their meaning.
    x = np.concatenate([[0], np.random.default_rng(7).permutation(np.arange(1, 1000))])[x]
    model = keras.Sequential()
    if faulty:
        x = x.reshape(-1, 24, 1).astype(np.float32)
        model.add(keras.Input((24, 1)))
    else:
        model.add(keras.Input((24,), dtype="int32"))
        model.add(layers.Embedding(1000, 32))
    model.add(layers.LSTM(32))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return Case(model=model, x=x, y=y, epochs=8)


ENTRIES = pairs(
    no_activation_between_layers_circles,
    no_activation_between_layers_sine,
    no_activation_between_convolutions,
    sigmoid_lenet_with_plain_sgd,
    tanh_after_huge_inputs,
    softmax_inside_a_recurrent_layer,
    code_of_one_relu_unit,
    pooling_to_a_single_value,
    channels_first_pictures_in_a_channels_last_network,
    time_and_features_exchanged,
    one_branch_used_for_both_inputs,
    layer_normalisation_over_one_feature,
    moving_averages_with_momentum_near_one,
    frozen_normalisation_with_fresh_statistics,
    embedding_smaller_than_the_vocabulary,
    token_ids_as_plain_numbers,
)
