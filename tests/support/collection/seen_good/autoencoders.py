"""Good programs that give back what they are given."""

from typing import Any

import keras
import numpy as np
from keras import layers

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.sources import GERON, KERAS, TENSORFLOW, good, with_validation

ENTRIES: list[Entry] = []
BLOG = "https://blog.keras.io/building-autoencoders-in-keras.html"


@good(ENTRIES, f"{BLOG} (simplest)", "autoencoder", "[784] to [784] sigmoids")
def dense_autoencoder_bce(seed: int) -> Case:
    inputs = keras.Input((784,))
    encoded = layers.Dense(32, activation="relu")(inputs)
    model = keras.Model(inputs, layers.Dense(784, activation="sigmoid")(encoded))
    model.compile(optimizer="adam", loss="binary_crossentropy")
    x = made_data.mnist(seed)[0].reshape(-1, 784)
    return with_validation(model, x, x, epochs=15)


@good(ENTRIES, f"{BLOG} (sparsity constraint)", "autoencoder", "[784] to [784] sigmoids")
def sparse_autoencoder(seed: int) -> Case:
    inputs = keras.Input((784,))
    penalty = keras.regularizers.L1(1e-6)
    encoded = layers.Dense(64, activation="relu", activity_regularizer=penalty)(inputs)
    model = keras.Model(inputs, layers.Dense(784, activation="sigmoid")(encoded))
    model.compile(optimizer="adam", loss="binary_crossentropy")
    x = made_data.mnist(seed)[0].reshape(-1, 784)
    return with_validation(model, x, x, epochs=15)


@good(ENTRIES, f"{TENSORFLOW}/generative/autoencoder (basic)", "autoencoder",
      "[28, 28] to [28, 28] sigmoids")  # fmt: skip
def basic_autoencoder_mse(seed: int) -> Case:
    class Autoencoder(keras.Model):
        """A dense encoder and a dense decoder."""

        def __init__(self, latent: int) -> None:
            super().__init__()
            self.encoder = keras.Sequential(
                [layers.Flatten(), layers.Dense(latent, activation="relu")]
            )
            self.decoder = keras.Sequential(
                [layers.Dense(784, activation="sigmoid"), layers.Reshape((28, 28))]
            )

        def call(self, x: Any) -> Any:
            return self.decoder(self.encoder(x))

    model = Autoencoder(64)
    model.compile(optimizer="adam", loss=keras.losses.MeanSquaredError())
    x = made_data.mnist(seed)[0][..., 0]
    return with_validation(model, x, x, epochs=10)


@good(ENTRIES, f"{KERAS}/timeseries/timeseries_anomaly_detection/", "autoencoder",
      "[48, 1] to [48, 1] numbers")  # fmt: skip
def series_conv1d_autoencoder(seed: int) -> Case:
    options = {"padding": "same", "strides": 2, "activation": "relu"}
    model = keras.Sequential(
        [
            keras.Input((48, 1)),
            layers.Conv1D(filters=32, kernel_size=7, **options),
            layers.Dropout(rate=0.2),
            layers.Conv1D(filters=16, kernel_size=7, **options),
            layers.Conv1DTranspose(filters=16, kernel_size=7, **options),
            layers.Dropout(rate=0.2),
            layers.Conv1DTranspose(filters=32, kernel_size=7, **options),
            layers.Conv1DTranspose(filters=1, kernel_size=7, padding="same"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss="mse")
    x, _ = made_data.windows(made_data.series(seed), past=48)
    return with_validation(model, x, x, epochs=6)


@good(ENTRIES, f"{GERON}/17_autoencoders_gans_and_diffusion_models.ipynb (stacked)",
      "autoencoder", "[8, 8, 1] to [8, 8] sigmoids")  # fmt: skip
def stacked_selu_autoencoder(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Flatten(),
            layers.Dense(40, activation="selu", kernel_initializer="lecun_normal"),
            layers.Dense(12, activation="selu", kernel_initializer="lecun_normal"),
            layers.Dense(40, activation="selu", kernel_initializer="lecun_normal"),
            layers.Dense(64, activation="sigmoid"),
            layers.Reshape([8, 8]),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(1.5))
    x: np.ndarray = made_data.digits(seed)[0][..., 0]
    return with_validation(model, x, x, epochs=15)
