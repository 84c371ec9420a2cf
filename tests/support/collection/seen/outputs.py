"""Wrong activations of the last layer, and softmax or sigmoid missing or applied twice."""

import numpy as np
from keras import layers, losses, optimizers

from tests.support.collection.catalogue import pairs, sequential
from tests.support.collection.entries import Case
from tests.support.collection.made_data import (
    breast_cancer,
    houses,
    mnist,
    moons,
    multilabel,
    series,
    standardized,
    tagged,
    windows,
    wine,
)  # fmt: skip


def softmax_over_one_unit_in_a_regression(seed: int, faulty: bool) -> Case:
    """The price in 200,000 from eight numbers."""
    x, y = houses(seed)
    last = layers.Dense(1, activation="softmax" if faulty else None)
    hidden = layers.Dense(32, activation="relu")
    model = sequential((8,), hidden, last, loss="mae", optimizer="rmsprop")
    return Case(model=model, x=x, y=y / 200_000, epochs=20)


def softmax_on_several_labels_at_once(seed: int, faulty: bool) -> Case:
    """Five labels that may hold together, with the optimizer of the question."""
    x, y = multilabel(seed)
    model = sequential(
        (20,),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.1),
        layers.Dense(5, activation="softmax" if faulty else "sigmoid"),
        loss="categorical_crossentropy" if faulty else "binary_crossentropy",
        optimizer=optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    )
    return Case(model=model, x=x, y=y, epochs=15)


def relu_output_for_targets_of_both_signs(seed: int, faulty: bool) -> Case:
    """The next value of a series about zero."""
    x, y = windows(series(seed), past=24)
    last = layers.Dense(1, activation="relu" if faulty else None)
    model = sequential((24, 1), layers.GRU(16), last, loss="mse", optimizer=optimizers.Adam(0.005))
    return Case(model=model, x=x, y=y, epochs=6)


def _autoencoder(seed: int, hidden: str, last: str | None) -> Case:
    x = standardized(breast_cancer(seed)[0])
    model = sequential(
        (30,),
        layers.Dense(20, activation=hidden),
        layers.Dense(10, activation=hidden),
        layers.Dense(20, activation=hidden),
        layers.Dense(30, activation=last),
        loss="mse",
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=x, y=x, epochs=30)


def sigmoid_decoder_for_standardised_features(seed: int, faulty: bool) -> Case:
    """Thirty features of mean 0 and deviation 1 through a code of ten."""
    return _autoencoder(seed, "relu", "sigmoid" if faulty else None)


def relu_decoder_for_features_of_both_signs(seed: int, faulty: bool) -> Case:
    """The same, where the question used one activation everywhere."""
    return _autoencoder(seed, *(("relu", "relu") if faulty else ("tanh", None)))


def tanh_output_under_binary_crossentropy(seed: int, faulty: bool) -> Case:
    """Two classes of tumours."""
    x, y = breast_cancer(seed)
    hidden, last = layers.Dense(16, activation="relu"), "tanh" if faulty else "sigmoid"
    model = sequential((30,), hidden, layers.Dense(1, activation=last), loss="binary_crossentropy")
    return Case(model=model, x=standardized(x), y=y, epochs=15)


def softmax_twice_in_the_model(seed: int, faulty: bool) -> Case:
    """Three kinds of wine."""
    x, y = wine(seed)
    stack = [layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
    stack += [layers.Activation("softmax")] if faulty else []
    model = sequential((13,), *stack, loss="sparse_categorical_crossentropy")
    return Case(model=model, x=standardized(x), y=y, batch_size=16, epochs=25)


def softmax_outputs_under_a_loss_from_logits_cnn(seed: int, faulty: bool) -> Case:
    """Digits."""
    x, y = mnist(seed)
    model = sequential(
        (28, 28, 1),
        layers.Conv2D(16, 5, strides=2, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(10, activation="softmax" if faulty else None),
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=optimizers.SGD(0.05),
    )
    return Case(model=model, x=x, y=y, epochs=5)


def sigmoid_output_under_a_loss_from_logits(seed: int, faulty: bool) -> Case:
    """Two half moons."""
    x, y = moons(seed)
    model = sequential(
        (2,),
        layers.Dense(16, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid" if faulty else None),
        loss=losses.BinaryCrossentropy(from_logits=True),
    )
    return Case(model=model, x=x, y=y, epochs=15)


def softmax_missing_at_every_position(seed: int, faulty: bool) -> Case:
    """One of four tags for each word."""
    x, y = tagged(seed)
    model = sequential(
        (12,),
        layers.Embedding(60, 16),
        layers.Bidirectional(layers.LSTM(16, return_sequences=True)),
        layers.Dense(4, activation=None if faulty else "softmax"),
        loss="sparse_categorical_crossentropy",
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=y, epochs=4)


def sigmoid_missing_under_binary_crossentropy(seed: int, faulty: bool) -> Case:
    """Two classes of tumours."""
    x, y = breast_cancer(seed)
    hidden, last = layers.Dense(16, activation="relu"), None if faulty else "sigmoid"
    model = sequential((30,), hidden, layers.Dense(1, activation=last), loss="binary_crossentropy")
    return Case(model=model, x=standardized(x), y=y.astype(np.float32), epochs=15)


ENTRIES = pairs(
    softmax_over_one_unit_in_a_regression,
    softmax_on_several_labels_at_once,
    relu_output_for_targets_of_both_signs,
    sigmoid_decoder_for_standardised_features,
    relu_decoder_for_features_of_both_signs,
    tanh_output_under_binary_crossentropy,
    softmax_twice_in_the_model,
    softmax_outputs_under_a_loss_from_logits_cnn,
    sigmoid_output_under_a_loss_from_logits,
    softmax_missing_at_every_position,
    sigmoid_missing_under_binary_crossentropy,
)
