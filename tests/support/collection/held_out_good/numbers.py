"""Good programs that predict numbers: from tables, series and pictures."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import Positions, encoder_block, normalizer, patches
from tests.support.collection.sources import (
    CHOLLET,
    GERON,
    KERAS,
    MASTERY,
    OLD_KERAS,
    good,
    with_validation,
)

ENTRIES: list[Entry] = []


@good(ENTRIES, f"{CHOLLET}/first_edition/3.7-predicting-house-prices.ipynb",
      "regression", "[8] to 1 number about 20")  # fmt: skip
def boston_rmsprop(seed: int) -> Case:
    x, price = made_data.houses(seed, 500)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
    return with_validation(model, x, price / 10_000, batch_size=16, epochs=60)


@good(ENTRIES, "https://scikit-learn.org/stable/auto_examples/linear_model/plot_ols_ridge.html "
      "(its data)", "regression", "[10] to 1 number of 25 to 346")  # fmt: skip
def diabetes_table(seed: int) -> Case:
    x, y = made_data.diabetes(seed)
    model = keras.Sequential(
        [
            normalizer(x),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
    return with_validation(model, x, y, epochs=40)


@good(ENTRIES, "Tsanas and Xifara 2012, https://doi.org/10.1016/j.enbuild.2012.03.003; "
      f"{MASTERY}/deep-learning-models-for-multi-output-regression/", "regression",
      "[10] to 2 numbers")  # fmt: skip
def energy_two_targets(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1000, 10)).astype(np.float32)
    heating = 22 + 8 * np.tanh(x[:, 0]) + 4 * x[:, 1] * x[:, 2] + rng.normal(0, 1, 1000)
    cooling = 25 + 6 * np.tanh(x[:, 0]) + 3 * np.abs(x[:, 3]) + rng.normal(0, 1, 1000)
    model = keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(40, kernel_initializer="he_uniform", activation="relu"),
            layers.Dense(2),
        ]
    )
    model.compile(loss="mae", optimizer=keras.optimizers.Adam(0.01))
    y = np.stack([heating, cooling], axis=1).astype(np.float32)
    return with_validation(model, x, y, batch_size=16, epochs=25)


@good(ENTRIES, f"{KERAS}/keras_recipes/bayesian_neural_networks/ (probabilistic outputs)",
      "regression", "[8] to a mean and a variance")  # fmt: skip
def gaussian_likelihood(seed: int) -> Case:
    def negative_log_likelihood(y_true: Any, y_pred: Any) -> Any:
        mean, log_variance = y_pred[:, :1], ops.clip(y_pred[:, 1:], -8.0, 8.0)
        return ops.mean(log_variance + ops.square(y_true - mean) / ops.exp(log_variance)) / 2

    x, price = made_data.houses(seed)
    inputs = keras.Input((8,))
    hidden = layers.BatchNormalization()(inputs)
    for _ in range(2):
        hidden = layers.Dense(32, activation="sigmoid")(hidden)
    model = keras.Model(inputs, layers.Dense(2)(hidden))
    model.compile(keras.optimizers.RMSprop(0.005), negative_log_likelihood)
    y = ((price - price.mean()) / price.std()).astype(np.float32)[:, None]
    return with_validation(model, x, y, epochs=30)


@good(ENTRIES, "https://www.kaggle.com/competitions/house-prices-advanced-regression-techniques "
      "(the score is of log prices)", "regression", "[8] to the log of a price")  # fmt: skip
def log_prices(seed: int) -> Case:
    x, price = made_data.houses(seed)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-4)),
            layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-4)),
            layers.Dense(1, bias_initializer=keras.initializers.Constant(12.0)),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mean_squared_error")
    return with_validation(model, x, np.log1p(price), epochs=40)


@good(ENTRIES, f"{KERAS}/structured_data/collaborative_filtering_movielens/", "regression",
      "[2] user and film ids to 1 sigmoid of a rating")  # fmt: skip
def movie_ratings(seed: int) -> Case:
    class RecommenderNet(keras.Model):
        """The product of a user's and a film's vector, and a bias of each."""

        def __init__(self) -> None:
            super().__init__()
            options = {
                "embeddings_initializer": "he_normal",
                "embeddings_regularizer": keras.regularizers.l2(1e-6),
            }
            self.user, self.user_bias = layers.Embedding(60, 8, **options), layers.Embedding(60, 1)
            self.film, self.film_bias = layers.Embedding(50, 8, **options), layers.Embedding(50, 1)

        def call(self, inputs: Any) -> Any:
            user, film = inputs[:, 0], inputs[:, 1]
            product = ops.sum(self.user(user) * self.film(film), axis=1, keepdims=True)
            return ops.sigmoid(product + self.user_bias(user) + self.film_bias(film))

    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, [60, 50], (3000, 2))
    kindness, quality = rng.normal(0, 0.7, 60), rng.normal(0, 1.0, 50)
    taste = (rng.normal(size=(60, 2)) @ rng.normal(size=(2, 50))) / 2
    score = kindness[pairs[:, 0]] + quality[pairs[:, 1]] + taste[pairs[:, 0], pairs[:, 1]]
    stars = np.clip(np.round(3 + 1.2 * score), 1, 5)
    ratings = ((stars - 1) / 4).astype(np.float32)
    model = RecommenderNet()
    loss = keras.losses.BinaryCrossentropy()
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(learning_rate=0.02))
    return with_validation(model, pairs.astype(np.int32), ratings, batch_size=64, epochs=15)


@good(ENTRIES, "https://scikit-learn.org/stable/auto_examples/linear_model/"
      "plot_poisson_regression_non_normal_loss.html", "regression",
      "[6] to 1 count")  # fmt: skip
def poisson_counts(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2000, 6)).astype(np.float32)
    rate = np.exp(1.0 + 0.5 * x[:, 0] - 0.4 * x[:, 1] + 0.3 * np.abs(x[:, 2]))
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="exponential"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), keras.losses.Poisson(), metrics=["mae"])
    return with_validation(model, x, rng.poisson(rate).astype(np.float32), epochs=20)


@good(ENTRIES, "Koenker and Bassett 1978, https://doi.org/10.2307/1913643 (three quantiles)",
      "regression", "[1] to 3 quantiles")  # fmt: skip
def quantile_loss(seed: int) -> Case:
    quantiles = ops.convert_to_tensor(np.array([[0.3, 0.5, 0.7]], np.float32))

    def pinball(y_true: Any, y_pred: Any) -> Any:
        error = y_true - y_pred
        return ops.mean(ops.maximum(quantiles * error, (quantiles - 1) * error), axis=-1)

    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 10, (1500, 1)).astype(np.float32)
    y = x * np.sin(x) / 3 + rng.normal(0, 0.1 + 0.05 * x)
    inputs = keras.Input((1,))
    hidden = layers.Rescaling(0.2, offset=-1.0)(inputs)
    for _ in range(2):
        hidden = layers.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, layers.Dense(3)(hidden))
    model.compile(keras.optimizers.Adam(0.005), loss=pinball)
    three = np.repeat(y.astype(np.float32), 3, axis=1)
    return with_validation(model, x, three, epochs=40)


@good(ENTRIES, f"{OLD_KERAS}/lstm_stateful.py", "regression", "[4, 1] to 1 number")
def stateful_lstm(seed: int) -> Case:
    values = made_data.series(seed, 1205)
    x, _ = made_data.windows(values, past=4)
    y = x.mean(axis=(1, 2))
    model = keras.Sequential(
        [keras.Input(batch_shape=(20, 4, 1)), layers.LSTM(20, stateful=True), layers.Dense(1)]
    )
    model.compile(loss="mse", optimizer="adam")
    return Case(model=model, x=x[:960], y=y[:960], validation_data=(x[960:1200], y[960:1200]),
                batch_size=20, epochs=15)  # fmt: skip


@good(ENTRIES, f"{KERAS}/timeseries/timeseries_weather_forecasting/", "regression",
      "[24, 4] to 1 number")  # fmt: skip
def weather_lstm(seed: int) -> Case:
    values = made_data.series(seed, features=4)
    inputs = keras.Input(shape=(24, 4))
    lstm_out = layers.LSTM(32)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(lstm_out))
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss="mse")
    start, end = 24 + 12, len(values)
    data = keras.utils.timeseries_dataset_from_array(
        values[:1100], values[start:1112, 0], sequence_length=24, batch_size=64, shuffle=False
    )
    rest = keras.utils.timeseries_dataset_from_array(
        values[1112:-12], values[1112 + start : end, 0], sequence_length=24, batch_size=64
    )
    return Case(model=model, x=data, y=None, validation_data=rest, epochs=15)


@good(ENTRIES, f"{GERON}/10_neural_nets_with_keras.ipynb (wide and deep, subclassed)",
      "regression", "[5] and [7] to 1 number")  # fmt: skip
def wide_and_deep(seed: int) -> Case:
    class WideAndDeepModel(keras.Model):
        """Some features go straight to the output, others through two hidden layers."""

        def __init__(self, units: int = 30) -> None:
            super().__init__()
            self.norm_wide, self.norm_deep = layers.Normalization(), layers.Normalization()
            self.hidden1 = layers.Dense(units, activation="relu")
            self.hidden2 = layers.Dense(units, activation="relu")
            self.main_output = layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            wide, deep = inputs
            hidden = self.hidden2(self.hidden1(self.norm_deep(deep)))
            return self.main_output(ops.concatenate([self.norm_wide(wide), hidden], axis=-1))

    x, price = made_data.houses(seed)
    model = WideAndDeepModel()
    model.norm_wide.adapt(x[:, :5])
    model.norm_deep.adapt(x[:, 1:])
    optimizer = keras.optimizers.Adam(learning_rate=3e-3)
    model.compile(loss="mse", optimizer=optimizer, metrics=["root_mean_squared_error"])
    y = (price / 100_000).astype(np.float32)
    return with_validation(model, (x[:, :5], x[:, 1:]), y, epochs=25)


@good(ENTRIES, f"{KERAS}/vision/object_detection_using_vision_transformer/", "regression",
      "[16, 16, 3] to 4 numbers of a box")  # fmt: skip
def boxes_transformer(seed: int) -> Case:
    images, masks = made_data.masks(seed, 1500)
    rows, columns = masks[..., 0].max(axis=2), masks[..., 0].max(axis=1)
    edges = [rows.argmax(1), columns.argmax(1), 16 - rows[:, ::-1].argmax(1)]
    edges.append(16 - columns[:, ::-1].argmax(1))
    boxes = (np.stack(edges, axis=1) / 16).astype(np.float32)
    inputs = keras.Input((16, 16, 3))
    x = Positions()(patches(inputs, 4, 32))
    for _ in range(2):
        x = encoder_block(x, rate=0.0)
    x = layers.Flatten()(layers.LayerNormalization(epsilon=1e-6)(x))
    x = layers.Dropout(0.1)(layers.Dense(64, activation="gelu")(x))
    model = keras.Model(inputs, layers.Dense(4)(x))
    optimizer = keras.optimizers.AdamW(learning_rate=0.002, weight_decay=0.0001)
    model.compile(optimizer=optimizer, loss=keras.losses.MeanSquaredError())
    return with_validation(model, images, boxes, epochs=12)
