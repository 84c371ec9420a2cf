"""Good programs that classify signals or rows of pixels, and that give back their inputs."""

from typing import Any

import keras
import numpy as np
from keras import layers

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.sources import (
    GERON,
    KERAS,
    KERAS_GUIDES,
    MASTERY,
    TENSORFLOW,
    good,
    with_validation,
)

ENTRIES: list[Entry] = []
BLOG = "https://blog.keras.io/building-autoencoders-in-keras.html"


@good(ENTRIES, f"{KERAS}/timeseries/eeg_signal_classification/", "classes",
      "[64, 1] to 5 classes")  # fmt: skip
def eeg_conv1d(seed: int) -> Case:
    inputs = keras.Input(shape=(64, 1))
    x = inputs
    for filters in (16, 32, 32):
        x = layers.Conv1D(filters, kernel_size=3, strides=2, activation="relu", padding="same")(x)
        x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.L2())(x)
    x = layers.Dropout(0.2)(x)
    model = keras.Model(inputs, layers.Dense(5, activation="softmax")(x))
    optimizer = keras.optimizers.Adam(amsgrad=True, learning_rate=0.001)
    model.compile(optimizer=optimizer, loss=keras.losses.CategoricalCrossentropy())
    x, y = made_data.waves(seed, 1500, steps=64, classes=5)
    return with_validation(model, x, keras.utils.to_categorical(y, 5), epochs=10)


@good(ENTRIES, "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/examples/"
      "speech_commands/models.py (tiny_conv)", "classes", "[24, 16, 1] to 4 classes")  # fmt: skip
def tiny_speech_conv(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 1200)
    pitch = np.array([[3, 3], [12, 12], [3, 12], [12, 3]])[labels]
    time = np.linspace(0, 1, 24)
    track = pitch[:, :1] + (pitch[:, 1:] - pitch[:, :1]) * time + rng.normal(0, 1, (1200, 1))
    sound = np.exp(-((np.arange(16) - track[..., None]) ** 2) / 4)
    sound = (sound + rng.uniform(0, 0.5, sound.shape))[..., None].astype(np.float32)
    model = keras.Sequential(
        [
            keras.Input((24, 16, 1)),
            layers.Conv2D(8, (10, 8), strides=2, padding="same", activation="relu"),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(4),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss, metrics=["accuracy"])
    return with_validation(model, sound, labels.astype(np.int32), epochs=6)


@good(ENTRIES, f"{KERAS}/vision/autoencoder/", "autoencoder", "[28, 28, 1] to [28, 28, 1] sigmoids")
def convolutional_autoencoder(seed: int) -> Case:
    inputs = keras.Input(shape=(28, 28, 1))
    x = layers.Conv2D(32, (3, 3), activation="relu", padding="same")(inputs)
    x = layers.MaxPooling2D((2, 2), padding="same")(x)
    x = layers.Conv2D(32, (3, 3), activation="relu", padding="same")(x)
    x = layers.MaxPooling2D((2, 2), padding="same")(x)
    x = layers.Conv2DTranspose(32, (3, 3), strides=2, activation="relu", padding="same")(x)
    x = layers.Conv2DTranspose(32, (3, 3), strides=2, activation="relu", padding="same")(x)
    x = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
    model = keras.Model(inputs, x)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    images, _ = made_data.mnist(seed, 1000)
    return with_validation(model, images, images, batch_size=32, epochs=4)


@good(ENTRIES, f"{BLOG} (image denoising)", "autoencoder",
      "noisy [28, 28, 1] to [28, 28, 1] sigmoids")  # fmt: skip
def denoising_autoencoder(seed: int) -> Case:
    class Denoise(keras.Model):
        """A convolutional encoder and a decoder."""

        def __init__(self) -> None:
            super().__init__()
            options = {"activation": "relu", "padding": "same", "strides": 2}
            self.encoder = keras.Sequential(
                [layers.Conv2D(16, 3, **options), layers.Conv2D(8, 3, **options)]
            )
            self.decoder = keras.Sequential(
                [
                    layers.Conv2DTranspose(8, 3, **options),
                    layers.Conv2DTranspose(16, 3, **options),
                    layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
                ]
            )

        def call(self, x: Any) -> Any:
            return self.decoder(self.encoder(x))

    images, _ = made_data.mnist(seed)
    noise = np.random.default_rng(seed).normal(size=images.shape)
    noisy = np.clip(images + 0.2 * noise, 0, 1).astype(np.float32)
    model = Denoise()
    model.compile(optimizer=keras.optimizers.Adam(0.003), loss="binary_crossentropy")
    return with_validation(model, noisy, images, epochs=8)


@good(ENTRIES, f"{TENSORFLOW}/generative/autoencoder (anomaly detection)", "autoencoder",
      "[64] to [64] sigmoids")  # fmt: skip
def anomaly_mae(seed: int) -> Case:
    waves, _ = made_data.windows(made_data.series(seed), past=64)
    x = waves[..., 0]
    x = (x - x.min()) / (x.max() - x.min())
    model = keras.Sequential([keras.Input((64,))])
    for units in (32, 16, 8, 16, 32):
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(64, activation="sigmoid"))
    model.compile(optimizer="adam", loss="mae")
    return with_validation(model, x, x, batch_size=64, epochs=20)


@good(ENTRIES, f"{GERON}/17_autoencoders_gans_and_diffusion_models.ipynb (PCA)", "autoencoder",
      "[3] to [3] numbers")  # fmt: skip
def linear_pca_autoencoder(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    angle = rng.beta(2, 2, 600) * 2 * np.pi * 0.75 - 0.5
    x = np.stack([np.cos(angle), np.sin(angle) * 0.7, 0.3 * np.cos(angle) + 0.2], axis=1)
    x = x + rng.normal(0, 0.07, x.shape)
    x = (x - x.mean(axis=0)).astype(np.float32)
    encoder = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    decoder = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    model = keras.Sequential([encoder, decoder])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.5))
    return with_validation(model, x, x, epochs=30)


@good(ENTRIES, f"{MASTERY}/lstm-autoencoders/", "autoencoder", "[12, 1] to [12, 1] numbers")
def lstm_autoencoder(seed: int) -> Case:
    waves, _ = made_data.windows(made_data.series(seed), past=12)
    model = keras.Sequential(
        [
            keras.Input((12, 1)),
            layers.LSTM(48, activation="relu"),
            layers.RepeatVector(12),
            layers.LSTM(48, activation="relu", return_sequences=True),
            layers.TimeDistributed(layers.Dense(1)),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse")
    return with_validation(model, waves, waves, epochs=10)


@good(ENTRIES, f"{KERAS_GUIDES}/working_with_rnns/", "classes", "[28, 28] to 10 classes")
def rows_lstm_batch_norm(seed: int) -> Case:
    model = keras.Sequential(
        [keras.Input((None, 28)), layers.LSTM(64), layers.BatchNormalization(), layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, optimizer="sgd", metrics=["accuracy"])
    images, labels = made_data.mnist(seed)
    return with_validation(model, images[..., 0], labels, batch_size=16, epochs=10)


@good(ENTRIES, "https://github.com/keras-team/keras/blob/2.3.1/examples/mnist_hierarchical_rnn.py",
      "classes", "[28, 28, 1] to 10 classes")  # fmt: skip
def rows_hierarchical_lstm(seed: int) -> Case:
    inputs = keras.Input((8, 8, 1))
    rows = layers.TimeDistributed(layers.LSTM(24))(inputs)
    columns = layers.LSTM(32)(rows)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(columns))
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.RMSprop(0.01))
    images, labels = made_data.digits(seed)
    return with_validation(
        model, images, keras.utils.to_categorical(labels, 10), batch_size=64, epochs=12
    )
