"""Good programs for tables with classes."""

import keras
import numpy as np
from keras import layers
from sklearn import datasets

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import normalizer
from tests.support.collection.sources import (
    GERON,
    KERAS,
    MASTERY,
    TENSORFLOW,
    good,
    with_validation,
)

ENTRIES: list[Entry] = []


@good(ENTRIES, f"{MASTERY}/multi-class-classification-tutorial-keras-deep-learning-library/",
      "classes", "[4] to 3 classes")  # fmt: skip
def iris_eight_units(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    x, y = made_data.iris(seed)
    return with_validation(model, x, keras.utils.to_categorical(y), batch_size=5, epochs=60)


@good(ENTRIES, "https://keras.io/guides/preprocessing_layers/ (normalization of features)",
      "classes", "[13] to 3 classes")  # fmt: skip
def wine_normalization_layer(seed: int) -> Case:
    x, y = made_data.wine(seed)
    inputs = keras.Input((13,))
    hidden = layers.Dense(16, activation="relu")(normalizer(x)(inputs))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return with_validation(model, x, y, batch_size=8, epochs=20)


@good(ENTRIES, f"{KERAS}/structured_data/imbalanced_classification/", "binary",
      "[12] to 1 sigmoid, 6% of them 1")  # fmt: skip
def fraud_class_weight(seed: int) -> Case:
    x, y = made_data.imbalanced(seed)
    model = keras.Sequential(
        [
            keras.Input(shape=(12,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    metrics = [keras.metrics.Precision(), keras.metrics.Recall()]
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=metrics)
    weights = {0: 1.0 / (y == 0).mean() / 2, 1: 1.0 / (y == 1).mean() / 2}
    inputs = made_data.standardized(x)
    return with_validation(
        model, inputs, y[:, None], class_weight=weights, batch_size=128, epochs=20
    )


@good(ENTRIES, f"{TENSORFLOW}/structured_data/imbalanced_data (with initial bias)", "binary",
      "[12] to 1 sigmoid, 4% of them 1")  # fmt: skip
def fraud_output_bias(seed: int) -> Case:
    x, y = made_data.imbalanced(seed, share=0.04)
    bias = keras.initializers.Constant(float(np.log(y.sum() / (y == 0).sum())))
    model = keras.Sequential(
        [
            keras.Input((12,)),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid", bias_initializer=bias),
        ]
    )
    metrics = [keras.metrics.AUC(name="prc", curve="PR")]
    loss = keras.losses.BinaryCrossentropy()
    model.compile(keras.optimizers.Adam(learning_rate=1e-3), loss, metrics=metrics)
    inputs = np.clip(made_data.standardized(x), -5, 5)
    return with_validation(model, inputs, y, batch_size=128, epochs=30)


@good(ENTRIES, f"{MASTERY}/tutorial-first-neural-network-python-keras/", "binary",
      "[8] to 1 sigmoid")  # fmt: skip
def pima_small(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    count = 768
    x = np.stack(
        [
            rng.integers(0, 14, count),
            rng.normal(121, 30, count),
            rng.normal(70, 12, count),
            rng.normal(20, 15, count).clip(0),
            rng.exponential(80, count),
            rng.normal(32, 7, count),
            rng.gamma(2, 0.24, count),
            rng.integers(21, 70, count),
        ],
        axis=1,
    )
    risk = 0.05 * (x[:, 1] - 125) + 0.12 * (x[:, 5] - 33) + 0.05 * (x[:, 7] - 40)
    y = (risk + rng.normal(0, 0.5, count) > 0).astype(np.int32)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(12, activation="relu"),
            layers.Dense(8, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return with_validation(model, x.astype(np.float32), y, batch_size=16, epochs=50)


@good(ENTRIES, f"{MASTERY}/binary-classification-tutorial-with-the-keras-deep-learning-library/",
      "binary", "[30] to 1 sigmoid")  # fmt: skip
def sonar_wide(seed: int) -> Case:
    x, y = made_data.breast_cancer(seed)
    model = keras.Sequential(
        [
            keras.Input((30,)),
            layers.Dense(60, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return with_validation(model, made_data.standardized(x), y, batch_size=5, epochs=8)


@good(ENTRIES, "https://playground.tensorflow.org (tanh, two hidden layers)", "binary",
      "[2] to 1 sigmoid")  # fmt: skip
def moons_tanh(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(4, activation="tanh"),
            layers.Dense(2, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.moons(seed), batch_size=10, epochs=20)


@good(ENTRIES, f"{MASTERY}/how-to-choose-loss-functions-when-training-deep-learning-neural-"
      "networks/ (hinge)", "binary", "[2] to 1 tanh, labels -1 and 1")  # fmt: skip
def circles_hinge(seed: int) -> Case:
    x, y = datasets.make_circles(1000, noise=0.1, factor=0.5, random_state=seed)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(50, activation="relu", kernel_initializer="he_uniform"),
            layers.Dense(1, activation="tanh"),
        ]
    )
    optimizer = keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)
    model.compile(loss="hinge", optimizer=optimizer, metrics=["accuracy"])
    labels = np.where(y == 0, -1, 1).astype(np.float32)
    return with_validation(model, x.astype(np.float32), labels, epochs=20)


@good(ENTRIES, f"{TENSORFLOW}/load_data/csv (mixed data types)", "binary",
      "5 columns of numbers to 1 logit")  # fmt: skip
def titanic_csv(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    columns = {
        "age": rng.gamma(4, 7.5, (627, 1)),
        "fare": rng.exponential(30, (627, 1)),
        "n_siblings_spouses": rng.poisson(0.5, (627, 1)),
        "parch": rng.poisson(0.4, (627, 1)),
        "female": rng.integers(0, 2, (627, 1)),
    }
    columns = {name: values.astype(np.float32) for name, values in columns.items()}
    score = 3 * columns["female"] - 1.5 + 0.02 * columns["fare"] - 0.03 * columns["age"]
    survived = (score + rng.logistic(0, 0.5, (627, 1)) > 0).astype(np.int32)
    inputs = {name: keras.Input(shape=(1,), name=name) for name in columns}
    x = layers.Concatenate()(list(inputs.values()))
    scaled = normalizer(np.concatenate(list(columns.values()), axis=1))(x)
    x = layers.Dense(64)(scaled)
    x = layers.Dense(1)(x)
    model = keras.Model(inputs, x)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(), metrics=["accuracy"])
    return with_validation(model, columns, survived, epochs=10)


@good(ENTRIES, f"{MASTERY}/multi-label-classification-with-deep-learning/", "multilabel",
      "[20] to 5 sigmoids")  # fmt: skip
def multilabel_table(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(20, kernel_initializer="he_uniform", activation="relu"),
            layers.Dense(5, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return with_validation(model, *made_data.multilabel(seed), epochs=20)


@good(ENTRIES, f"{GERON}/10_neural_nets_with_keras.ipynb (auxiliary output)", "regression",
      "[5] and [7] to 1 number, twice")  # fmt: skip
def wide_deep_auxiliary_output(seed: int) -> Case:
    x, price = made_data.houses(seed)
    y = (price / 100_000).astype(np.float32)[:, None]
    wide, deep = keras.Input((5,), name="wide"), keras.Input((7,), name="deep")
    hidden = layers.Dense(30, activation="relu")(layers.Normalization(mean=0, variance=1)(deep))
    hidden = layers.Dense(30, activation="relu")(hidden)
    joined = layers.concatenate([wide, hidden])
    output, auxiliary = layers.Dense(1)(joined), layers.Dense(1)(hidden)
    model = keras.Model([wide, deep], [output, auxiliary])
    optimizer = keras.optimizers.Adam(learning_rate=0.005)
    model.compile(loss=["mse", "mse"], loss_weights=[0.9, 0.1], optimizer=optimizer)
    train, rest = slice(960), slice(960, None)
    return Case(
        model=model, x=[x[train, :5], x[train, 1:]], y=[y[train], y[train]], epochs=40,
        validation_data=([x[rest, :5], x[rest, 1:]], [y[rest], y[rest]]),
    )  # fmt: skip
