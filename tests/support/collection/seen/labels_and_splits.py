"""Wrong, noisy, uneven or unscaled labels, and splits that promise too much or measure wrong."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers, optimizers
from sklearn import datasets

from tests.support.collection.catalogue import pairs, sequential
from tests.support.collection.entries import Case
from tests.support.collection.made_data import (
    breast_cancer,
    houses,
    imbalanced,
    masks,
    mnist,
    series,
    split,
    standardized,
    table,
    windows,
)  # fmt: skip

SPARSE = "sparse_categorical_crossentropy"


def _wrong(seed: int, labels: np.ndarray, share: float, classes: int) -> np.ndarray:
    """Return the labels with a random share of them moved to another class."""
    generator = np.random.default_rng(seed)
    moved = (labels + generator.integers(1, classes, len(labels))) % classes
    return np.where(generator.random(len(labels)) < share, moved, labels).astype(labels.dtype)


def four_of_ten_labels_wrong(seed: int, faulty: bool) -> Case:
    """Digits; the validation labels are right."""
    (x, y), validation = split(*mnist(seed))
    model = sequential(
        (28, 28, 1),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
        loss=SPARSE,
    )
    labels = _wrong(seed, y, 0.4, 10) if faulty else y
    return Case(model=model, x=x, y=labels, validation_data=validation, epochs=15)


def half_of_the_labels_of_a_table_wrong(seed: int, faulty: bool) -> Case:
    """Two classes of tumours; the validation labels are right."""
    x, y = breast_cancer(seed)
    (x, y), validation = split(standardized(x), y)
    model = sequential(
        (30,),
        layers.Dense(32, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.003),
    )
    labels = _wrong(seed, y, 0.38, 2) if faulty else y
    return Case(model=model, x=x, y=labels, validation_data=validation, epochs=30)


def masks_from_0_to_255(seed: int, faulty: bool) -> Case:
    """A shape brighter than its background."""
    x, y = masks(seed)
    model = sequential(
        (16, 16, 3),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(1, 1, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=x, y=255 * y if faulty else y, epochs=6)


def nearly_all_rows_of_one_class(seed: int, faulty: bool) -> Case:
    """Fraud, which the repair weighs."""
    x, y = datasets.make_classification(
        3000, 12, n_informative=6, weights=[0.975], class_sep=1.0, random_state=seed
    )
    x, y = x.astype(np.float32), y.astype(np.int32)
    weight = None if faulty else {0: 0.5, 1: len(y) / (2 * y.sum())}
    model = _fraud_model()
    return Case(model=model, x=x, y=y, class_weight=weight, epochs=8)


def weights_of_classes_inverted(seed: int, faulty: bool) -> Case:
    """Fraud."""
    x, y = imbalanced(seed)
    share = float(y.mean())
    rare, common = 1 / (2 * share), 1 / (2 * (1 - share))
    weight = {0: rare, 1: common} if faulty else {0: common, 1: rare}
    return Case(model=_fraud_model(), x=x, y=y, class_weight=weight, epochs=10)


def _fraud_model() -> Any:
    hidden = layers.Dense(24, activation="relu")
    last = layers.Dense(1, activation="sigmoid")
    return sequential((12,), hidden, last, loss="binary_crossentropy")


def sorted_rows_in_an_unshuffled_dataset(seed: int, faulty: bool) -> Case:
    """Four clusters of a table, one after the other."""
    (x, y), validation = split(*table(seed))
    order = np.argsort(y, kind="stable")
    rows = tf.data.Dataset.from_tensor_slices((x[order], y[order]))
    rows = rows if faulty else rows.shuffle(len(y), seed=seed)
    model = sequential(
        (12,),
        layers.Dense(32, activation="relu"),
        layers.Dense(32, activation="relu"),
        layers.Dense(4, activation="softmax"),
        loss=SPARSE,
        optimizer=optimizers.Adam(0.01),
    )
    return Case(model=model, x=rows.batch(32), y=None, validation_data=validation, epochs=8)


def targets_of_a_hundred_thousand(seed: int, faulty: bool) -> Case:
    """The price, in dollars or in 200,000."""
    x, y = houses(seed)
    model = sequential(
        (8,),
        layers.Dense(32, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1),
        loss="mse",
    )
    return Case(model=model, x=x, y=y if faulty else y / 200_000, epochs=25)


def series_of_tens_of_thousands(seed: int, faulty: bool) -> Case:
    """The next value of a series between 3,000 and 50,000."""
    values = series(seed, 1000)
    values = 15_000 * values + 27_000 if faulty else values
    x, y = windows(values, past=24)
    model = sequential(
        (24, 1),
        layers.LSTM(20, return_sequences=True),
        layers.Dropout(0.1),
        layers.LSTM(20),
        layers.Dense(1, activation="linear"),
        loss="mse",
        optimizer=optimizers.RMSprop(0.005),
    )
    return Case(model=model, x=x, y=y, epochs=5)


def _hard_table(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = datasets.make_classification(
        rows, 12, n_informative=4, n_classes=3, n_clusters_per_class=2, flip_y=0.25,
        class_sep=0.6, random_state=seed,
    )  # fmt: skip
    return x.astype(np.float32), y.astype(np.int32)


def same_rows_in_both_splits(seed: int, faulty: bool) -> Case:
    """A table that cannot be told well, each row twice in the faulty one."""
    x, y = _hard_table(seed, 500)
    if faulty:
        twice = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(y)), 2))
        x, y = x[twice], y[twice]
    train, validation = split(x, y)
    model = sequential(
        (12,),
        layers.Dense(64, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(3, activation="softmax"),
        loss=SPARSE,
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=train[0], y=train[1], validation_data=validation, epochs=40)


def validation_pictures_not_rescaled(seed: int, faulty: bool) -> Case:
    """Digits."""
    (x, y), (x_validation, y_validation) = split(*mnist(seed))
    model = sequential(
        (28, 28, 1),
        layers.Conv2D(8, 3, strides=2, activation="relu"),
        layers.BatchNormalization(momentum=0.9),
        layers.Conv2D(16, 3, strides=2, activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
        loss=SPARSE,
    )
    validation = (255 * x_validation if faulty else x_validation, y_validation)
    return Case(model=model, x=x, y=y, validation_data=validation, epochs=8)


def answer_left_among_the_features(seed: int, faulty: bool) -> Case:
    """A risk that the table tells in part; the last column is booked after the event."""
    x, y = _hard_table(seed, 1000)
    y = (y == 0).astype(np.int32)
    noise = np.random.default_rng(seed).normal(size=len(y))
    x[:, -1] = y + 0.05 * noise if faulty else noise
    model = sequential(
        (12,),
        layers.Dense(32, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(0.005),
    )
    return Case(model=model, x=x, y=y, epochs=15)


ENTRIES = pairs(
    four_of_ten_labels_wrong,
    half_of_the_labels_of_a_table_wrong,
    masks_from_0_to_255,
    nearly_all_rows_of_one_class,
    weights_of_classes_inverted,
    sorted_rows_in_an_unshuffled_dataset,
    targets_of_a_hundred_thousand,
    series_of_tens_of_thousands,
    same_rows_in_both_splits,
    validation_pictures_not_rescaled,
    answer_left_among_the_features,
)
