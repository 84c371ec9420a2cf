"""Rates, schedules, clipping, penalties, dropout and normalisation."""

from typing import Any

from keras import layers, optimizers, regularizers
from keras.optimizers import schedules

from tests.support.collection.catalogue import pairs, sequential
from tests.support.collection.entries import Case
from tests.support.collection.made_data import (
    breast_cancer,
    fuel,
    houses,
    mnist,
    pictures,
    standardized,
    table,
)  # fmt: skip
from tests.support.collection.seen.data import moved_digits, parabola

SPARSE = "sparse_categorical_crossentropy"


def rate_of_one_tenth_with_adam_keypoints(seed: int, faulty: bool) -> Case:
    """How far a digit was moved."""
    x, y = moved_digits(seed)
    model = sequential(
        (28, 28, 1),
        layers.Flatten(),
        layers.Dense(100, activation="relu"),
        layers.Dense(2),
        loss="mse",
        optimizer=optimizers.Adam(0.1 if faulty else 0.001),
    )
    return Case(model=model, x=x, y=y, epochs=12)


def rate_of_one_tenth_for_a_parabola(seed: int, faulty: bool) -> Case:
    """The squares of numbers in -5..5."""
    x, y = parabola(seed)
    model = sequential(
        (1,),
        layers.Dense(50, activation="relu"),
        layers.Dense(30, activation="relu"),
        layers.Dense(1),
        loss="mse",
        optimizer=optimizers.SGD(0.1 if faulty else 0.0005),
    )
    return Case(model=model, x=x, y=y, epochs=20)


def rate_too_high_for_an_autoencoder(seed: int, faulty: bool) -> Case:
    """Digits through a code of 32."""
    x = mnist(seed, 1500)[0].reshape(-1, 784)
    model = sequential(
        (784,),
        layers.Dense(32, activation="relu"),
        layers.Dense(784, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.5 if faulty else 0.005),
    )
    return Case(model=model, x=x, y=x, epochs=10)


def rate_too_low_on_a_table(seed: int, faulty: bool) -> Case:
    """Two classes of tumours."""
    x, y = breast_cancer(seed)
    model = sequential(
        (30,),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.SGD(1e-5 if faulty else 0.1),
    )
    return Case(model=model, x=standardized(x), y=y, epochs=10)


def adadelta_with_its_default_rate(seed: int, faulty: bool) -> Case:
    """Digits."""
    x, y = mnist(seed)
    model = sequential(
        (28, 28, 1),
        layers.Conv2D(16, 3, strides=2, activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
        loss=SPARSE,
        optimizer="adadelta" if faulty else optimizers.Adadelta(1.0),
    )
    return Case(model=model, x=x, y=y, epochs=6)


def cosine_decay_over_epochs_instead_of_steps(seed: int, faulty: bool) -> Case:
    """The price in 200,000."""
    x, y = houses(seed)
    epochs = 20
    steps = epochs if faulty else epochs * len(x) // 32
    model = sequential(
        (8,),
        layers.Dense(32, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1),
        loss="mse",
        optimizer=optimizers.Adam(schedules.CosineDecay(0.005, steps)),
    )
    return Case(model=model, x=x, y=y / 200_000, epochs=epochs)


def gradients_clipped_to_almost_nothing(seed: int, faulty: bool) -> Case:
    """Miles per gallon, standardised."""
    x, y = fuel(seed)
    model = sequential(
        (7,),
        layers.Dense(32, activation="relu"),
        layers.Dense(1),
        loss="mse",
        optimizer=optimizers.SGD(0.01, clipnorm=1e-5 if faulty else 1.0),
    )
    return Case(model=model, x=standardized(x), y=standardized(y), epochs=10)


def l2_of_one_on_every_layer(seed: int, faulty: bool) -> Case:
    """Digits."""
    x, y = mnist(seed)
    penalty = regularizers.L2(1.0 if faulty else 1e-4)
    model = sequential(
        (28, 28, 1),
        layers.Flatten(),
        layers.Dense(64, activation="relu", kernel_regularizer=penalty),
        layers.Dense(10, activation="softmax", kernel_regularizer=penalty),
        loss=SPARSE,
    )
    return Case(model=model, x=x, y=y, epochs=8)


def l2_of_ten_on_a_regression(seed: int, faulty: bool) -> Case:
    """Miles per gallon, standardised."""
    x, y = fuel(seed)
    penalty = regularizers.L2(10.0 if faulty else 1e-4)
    model = sequential(
        (7,),
        layers.Dense(32, activation="relu", kernel_regularizer=penalty),
        layers.Dense(1, kernel_regularizer=penalty),
        loss="mse",
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=standardized(x), y=standardized(y), epochs=15)


def l1_of_the_code_in_a_sparse_autoencoder(seed: int, faulty: bool) -> Case:
    """Digits through a code of 32."""
    x = mnist(seed, 1500)[0].reshape(-1, 784)
    penalty = regularizers.L1(0.1 if faulty else 1e-6)
    model = sequential(
        (784,),
        layers.Dense(32, activation="relu", activity_regularizer=penalty),
        layers.Dense(784, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=x, y=x, epochs=10)


def dropout_in_every_block(seed: int, faulty: bool) -> Case:
    """A disc, a square or a cross, red or blue."""
    x, y = pictures(seed)
    first, second, third = (0.7, 0.5, 0.7) if faulty else (0.0, 0.1, 0.2)
    stack = []
    for filters in (8, 16):
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu")]
        stack += [layers.Dropout(first), layers.MaxPooling2D(), layers.Dropout(second)]
    stack += [layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dropout(third)]
    last = layers.Dense(6, activation="softmax")
    model = sequential((16, 16, 3), *stack, last, loss=SPARSE, optimizer=optimizers.Adam(0.003))
    return Case(model=model, x=x, y=y, epochs=10)


def dropout_near_one_on_a_table(seed: int, faulty: bool) -> Case:
    """Two classes of tumours."""
    x, y = breast_cancer(seed)
    first, second = (0.9, 0.95) if faulty else (0.2, 0.2)
    model = sequential(
        (30,),
        layers.Dense(16, activation="relu"),
        layers.Dropout(first),
        layers.Dense(8, activation="relu"),
        layers.Dropout(second),
        layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.003),
    )
    return Case(model=model, x=standardized(x), y=y, epochs=15)


def dropout_on_the_outputs_of_a_regression(seed: int, faulty: bool) -> Case:
    """The price in 200,000."""
    x, y = houses(seed)
    stack = [layers.Dense(32, activation="relu"), layers.Dense(16, activation="relu")]
    stack += [layers.Dense(1)] + ([layers.Dropout(0.5)] if faulty else [])
    model = sequential((8,), *stack, loss="mse", optimizer=optimizers.Adam(0.005))
    return Case(model=model, x=x, y=y / 200_000, epochs=20)


class InTraining(layers.Layer):
    """Calls a layer with training=True by hand, whatever the model is doing."""

    def __init__(self, inner: layers.Layer) -> None:
        """Wrap a layer."""
        super().__init__()
        self.inner = inner

    def call(self, inputs: Any) -> Any:
        """Return what the layer gives while training."""
        return self.inner(inputs, training=True)


def normalisation_by_the_batch_at_evaluation(seed: int, faulty: bool) -> Case:
    """Four clusters of a table."""
    x, y = table(seed)
    normalisation = layers.BatchNormalization()
    model = sequential(
        (12,),
        layers.Dense(32),
        InTraining(normalisation) if faulty else normalisation,
        layers.Activation("relu"),
        layers.Dense(4, activation="softmax"),
        loss=SPARSE,
    )
    return Case(model=model, x=x, y=y, epochs=10)


def dropout_active_while_predicting(seed: int, faulty: bool) -> Case:
    """The price in 200,000."""
    x, y = houses(seed)
    dropout = layers.Dropout(0.3)
    model = sequential(
        (8,),
        layers.Dense(64, activation="relu"),
        InTraining(dropout) if faulty else dropout,
        layers.Dense(32, activation="relu"),
        layers.Dense(1),
        loss="mse",
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=x, y=y / 200_000, epochs=20)


ENTRIES = pairs(
    rate_of_one_tenth_with_adam_keypoints,
    rate_of_one_tenth_for_a_parabola,
    rate_too_high_for_an_autoencoder,
    rate_too_low_on_a_table,
    adadelta_with_its_default_rate,
    cosine_decay_over_epochs_instead_of_steps,
    gradients_clipped_to_almost_nothing,
    l2_of_one_on_every_layer,
    l2_of_ten_on_a_regression,
    l1_of_the_code_in_a_sparse_autoencoder,
    dropout_in_every_block,
    dropout_near_one_on_a_table,
    dropout_on_the_outputs_of_a_regression,
    normalisation_by_the_batch_at_evaluation,
    dropout_active_while_predicting,
)
