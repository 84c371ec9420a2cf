"""Good programs for series: classes of waves, and forecasts."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.sources import GERON, KERAS, TENSORFLOW, good, with_validation

ENTRIES: list[Entry] = []


@good(ENTRIES, f"{KERAS}/timeseries/timeseries_classification_transformer/", "classes",
      "[48, 1] to 3 classes")  # fmt: skip
def series_transformer(seed: int) -> Case:
    inputs = keras.Input((48, 1))
    x = inputs
    for _ in range(2):
        attended = layers.MultiHeadAttention(num_heads=2, key_dim=32, dropout=0.1)(x, x)
        attended = layers.LayerNormalization(epsilon=1e-6)(layers.Dropout(0.1)(attended))
        mixed = attended + x
        x = layers.Conv1D(filters=8, kernel_size=3, padding="same", activation="relu")(mixed)
        x = layers.Conv1D(filters=1, kernel_size=1)(layers.Dropout(0.1)(x))
        x = layers.LayerNormalization(epsilon=1e-6)(x) + mixed
    x = layers.GlobalAveragePooling1D(data_format="channels_first")(x)
    x = layers.Dropout(0.2)(layers.Dense(64, activation="relu")(x))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    optimizer = keras.optimizers.Adam(learning_rate=0.002)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.waves(seed), epochs=8)


@good(ENTRIES, f"{KERAS}/audio/speaker_recognition_using_cnn/", "classes", "[64, 1] to 4 classes")
def speaker_residual_conv1d(seed: int) -> Case:
    waves, y = made_data.waves(seed, steps=128, classes=4)
    spectra = np.abs(np.fft.fft(waves[:, :, 0]))[:, :64, None].astype(np.float32)
    inputs = keras.Input((64, 1), name="input")
    x = inputs
    for filters, convolutions in ((8, 2), (16, 2), (32, 3)):
        skip = layers.Conv1D(filters, 1, padding="same")(x)
        for _ in range(convolutions - 1):
            x = layers.Conv1D(filters, 3, padding="same", activation="relu")(x)
        x = layers.Conv1D(filters, 3, padding="same")(x)
        x = layers.Activation("relu")(layers.Add()([x, skip]))
        x = layers.MaxPool1D(pool_size=2, strides=2)(x)
    x = layers.Flatten()(layers.AveragePooling1D(pool_size=3, strides=3)(x))
    x = layers.Dense(64, activation="relu")(layers.Dense(64, activation="relu")(x))
    model = keras.Model(inputs, layers.Dense(4, activation="softmax", name="output")(x))
    model.compile("Adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return with_validation(model, spectra, y, epochs=6)


@good(ENTRIES, "https://doi.org/10.1038/s41467-020-15432-4 (12-lead ECG, several diagnoses)",
      "multilabel", "[64, 4] to 4 logits")  # fmt: skip
def ecg_conv1d_logits(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    labels = (rng.random((1200, 4)) < 0.4).astype(np.float32)
    time = np.linspace(0, 1, 64)[None, :, None]
    x = rng.normal(0, 0.4, (1200, 64, 4))
    for kind, turns in enumerate((3, 6, 10, 15)):
        phase = rng.uniform(0, 2 * np.pi, (1200, 1, 1))
        x[:, :, kind : kind + 1] += labels[:, kind, None, None] * np.sin(
            2 * np.pi * turns * time + phase
        )
    inputs = keras.Input((64, 4))
    y = layers.Conv1D(16, 7, padding="same", use_bias=False)(inputs)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    for filters in (16, 24):
        skip = layers.Conv1D(filters, 1, use_bias=False)(layers.MaxPooling1D(2)(y))
        y = layers.Conv1D(filters, 7, strides=2, padding="same", use_bias=False)(y)
        y = layers.Dropout(0.2)(layers.ReLU()(layers.BatchNormalization()(y + skip)))
    model = keras.Model(inputs, layers.Dense(4)(layers.Flatten()(y)))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.001), loss)
    return with_validation(model, x.astype(np.float32), labels, epochs=6)


@good(ENTRIES, f"{GERON}/15_processing_sequences_using_rnns_and_cnns.ipynb (deep RNN)",
      "regression", "[30, 1] to 1 number")  # fmt: skip
def deep_rnn_forecast(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((None, 1)),
            layers.SimpleRNN(24, return_sequences=True),
            layers.SimpleRNN(24, return_sequences=True),
            layers.SimpleRNN(24),
            layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, keras.losses.Huber(), metrics=["mae"])
    x, y = made_data.windows(made_data.series(seed), past=30)
    return with_validation(model, x, y, epochs=6)


@good(ENTRIES, f"{TENSORFLOW}/structured_data/time_series (multi-step dense)", "regression",
      "[24, 3] to 12 numbers")  # fmt: skip
def multi_step_dense(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((24, 3)),
            layers.Lambda(lambda x: x[:, -1:, :]),
            layers.Dense(128, activation="relu"),
            layers.Dense(12, kernel_initializer="zeros"),
            layers.Reshape([12]),
        ]
    )
    model.compile(keras.optimizers.Adam(), keras.losses.MeanSquaredError(), metrics=["mae"])
    hours = np.arange(1500) * 2 * np.pi / 24
    values = np.stack([made_data.series(seed)[:, 0], np.sin(hours), np.cos(hours)], axis=1)
    x, y = made_data.windows(values.astype(np.float32), past=24, ahead=12)
    return with_validation(model, x, y, epochs=12)


@good(ENTRIES, f"{TENSORFLOW}/structured_data/time_series (residual LSTM)", "regression",
      "[24, 3] to [24, 3] numbers")  # fmt: skip
def residual_lstm(seed: int) -> Case:
    class ResidualWrapper(keras.Model):
        """Predicts the change from the inputs, which starts at 0."""

        def __init__(self, inner: keras.Model) -> None:
            super().__init__()
            self.inner = inner

        def call(self, inputs: Any) -> Any:
            return inputs + self.inner(inputs)

    inner = keras.Sequential(
        [
            layers.LSTM(32, return_sequences=True),
            layers.Dense(3, kernel_initializer=keras.initializers.Zeros()),
        ]
    )
    model = ResidualWrapper(inner)
    model.compile(keras.optimizers.Adam(0.005), keras.losses.MeanSquaredError(), metrics=["mae"])
    values = made_data.series(seed, features=3)
    starts = range(len(values) - 25)
    x = np.stack([values[start : start + 24] for start in starts])
    y = np.stack([values[start + 1 : start + 25] for start in starts])
    return with_validation(model, x, y, epochs=8)


@good(ENTRIES, f"{KERAS}/timeseries/timeseries_traffic_forecasting/", "regression",
      "[12, 6, 1] to [3, 6] numbers")  # fmt: skip
def traffic_graph(seed: int) -> Case:
    values = made_data.series(seed, length=1400, features=6)
    near = np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)
    near = (near / near.sum(axis=1, keepdims=True)).astype(np.float32)

    class GraphConvolution(layers.Layer):
        """Joins each node's own features with the mean of its neighbours'."""

        def build(self, input_shape: tuple[Any, ...]) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], 10), initializer="glorot_uniform")

        def call(self, features: Any) -> Any:
            own = ops.matmul(features, self.kernel)
            around = ops.einsum("nm,btmf->btnf", ops.convert_to_tensor(near), own)
            return ops.relu(ops.concatenate([own, around], axis=-1))

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            return (*input_shape[:-1], 20)

    inputs = keras.Input((12, 6, 1))
    x = layers.Permute((2, 1, 3))(GraphConvolution()(inputs))
    x = layers.TimeDistributed(layers.LSTM(32, activation="relu"))(x)
    x = layers.Permute((2, 1))(layers.Dense(3)(x))
    model = keras.Model(inputs, x)
    model.compile(keras.optimizers.RMSprop(0.002), keras.losses.MeanSquaredError())
    starts = range(len(values) - 15)
    x = np.stack([values[start : start + 12, :, None] for start in starts])
    y = np.stack([values[start + 12 : start + 15] for start in starts])
    return with_validation(model, x, y, batch_size=64, epochs=12)


@good(ENTRIES, f"{GERON}/15_processing_sequences_using_rnns_and_cnns.ipynb (WaveNet)",
      "regression", "[48, 1] to [48, 2] numbers")  # fmt: skip
def wavenet_per_step(seed: int) -> Case:
    model = keras.Sequential([keras.Input((None, 1))])
    for rate in (1, 2, 4, 8) * 2:
        model.add(layers.Conv1D(16, 2, padding="causal", activation="relu", dilation_rate=rate))
    model.add(layers.Conv1D(2, kernel_size=1))
    model.compile(keras.optimizers.Nadam(0.003), "mse")
    values = made_data.series(seed)
    starts = range(len(values) - 50)
    x = np.stack([values[start : start + 48] for start in starts])
    ahead = [np.stack([values[s + k : s + k + 48, 0] for s in starts]) for k in (1, 2)]
    return with_validation(model, x, np.stack(ahead, axis=-1), epochs=5)


@good(ENTRIES, "https://doi.org/10.1038/s41591-018-0268-3 (an ECG, one output per moment)",
      "binary per position", "[64, 1] to [64, 1] sigmoids")  # fmt: skip
def events_conv1d(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    beats = rng.random((900, 64)) < 0.05
    bump = np.array([0.3, 0.8, 1.6, 0.8, 0.3])
    signal = np.stack([np.convolve(row, bump, mode="same") for row in beats])
    signal += 0.5 * np.sin(np.arange(64) / 9 + rng.uniform(0, 6, (900, 1)))
    signal += rng.normal(0, 0.15, signal.shape)
    model = keras.Sequential(
        [
            keras.Input((64, 1)),
            layers.Conv1D(16, 5, padding="same", activation="relu"),
            layers.Conv1D(16, 5, padding="same", activation="relu"),
            layers.Conv1D(1, 1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["AUC"])
    x = signal[..., None].astype(np.float32)
    return with_validation(model, x, beats[..., None].astype(np.float32), epochs=8)
