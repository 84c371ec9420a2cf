"""Good programs with one output per position: tags of words, next tokens, masks of pictures."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import Positions, encoder_block
from tests.support.collection.sources import KERAS, MASTERY, TENSORFLOW, good, with_validation

ENTRIES: list[Entry] = []


def written(seed: int, count: int, steps: int, tokens: int) -> np.ndarray:
    """Return int32 [count, steps + 1]: a token is mostly one of two that may follow the last."""
    rng = np.random.default_rng(seed)
    follows = rng.integers(1, tokens, (tokens, 2))
    text = np.zeros((count, steps + 1), np.int32)
    text[:, 0] = rng.integers(1, tokens, count)
    for step in range(steps):
        usual = follows[text[:, step], rng.integers(0, 2, count)]
        text[:, step + 1] = np.where(rng.random(count) < 0.9, usual, rng.integers(1, tokens, count))
    return text


@good(ENTRIES, f"{TENSORFLOW}/text/text_generation", "classes per position",
      "[20] token ids to [20] of 30 logits")  # fmt: skip
def character_gru(seed: int) -> Case:
    class Writer(keras.Model):
        """Gives logits of the next character at every step."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = layers.Embedding(30, 24)
            self.gru = layers.GRU(48, return_sequences=True)
            self.dense = layers.Dense(30)

        def call(self, inputs: Any) -> Any:
            return self.dense(self.gru(self.embedding(inputs)))

    model = Writer()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    text = written(seed, 1000, 20, 30)
    return with_validation(model, text[:, :-1], text[:, 1:], batch_size=16, epochs=8)


@good(ENTRIES, f"{KERAS}/generative/text_generation_with_miniature_gpt/", "classes per position",
      "[20] token ids to [20] of 40 logits")  # fmt: skip
def miniature_gpt(seed: int) -> Case:
    inputs = keras.Input(shape=(20,), dtype="int32")
    x = Positions()(layers.Embedding(40, 32)(inputs))
    attended = layers.MultiHeadAttention(2, 32)(x, x, use_causal_mask=True)
    first = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(attended))
    dense = layers.Dense(32)(layers.Dense(64, activation="relu")(first))
    x = layers.LayerNormalization(epsilon=1e-6)(first + layers.Dropout(0.1)(dense))
    model = keras.Model(inputs, layers.Dense(40)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss=loss)
    text = written(seed, 1200, 20, 40)
    return with_validation(model, text[:, :-1], text[:, 1:], epochs=12)


@good(ENTRIES, f"{MASTERY}/use-word-embedding-layers-deep-learning-keras/ and "
      "https://nlpforhackers.io/lstm-pos-tagger-keras/", "classes per position",
      "padded [12] token ids to [12] of 5 classes")  # fmt: skip
def part_of_speech_bilstm(seed: int) -> Case:
    words, tags = made_data.tagged(seed)
    lengths = np.random.default_rng(seed).integers(6, 13, len(words))
    inside = np.arange(12) < lengths[:, None]
    words, tags = np.where(inside, words, 0), np.where(inside, tags + 1, 0)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            layers.Embedding(60, 32),
            layers.Bidirectional(layers.LSTM(24, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(5)),
            layers.Activation("softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(0.005)
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return with_validation(model, words, keras.utils.to_categorical(tags, 5), epochs=6)


@good(ENTRIES, f"{KERAS}/nlp/masked_language_modeling/", "classes per position",
      "[16] token ids to [16] of 40 classes, hidden ones weighed")  # fmt: skip
def masked_language_model(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    starts = rng.integers(1, 38, (2000, 1))
    step = rng.integers(1, 3, (2000, 1))
    text = (1 + (starts + step * np.arange(16)) % 38).astype(np.int32)  # tokens follow in order
    hidden = rng.random(text.shape) < 0.2
    x = np.where(hidden, 39, text).astype(np.int32)
    inputs = keras.Input((16,), dtype="int64")
    y = encoder_block(Positions()(layers.Embedding(40, 64)(inputs)), heads=4, activation="relu")
    y = encoder_block(y, heads=4, activation="relu")
    model = keras.Model(inputs, layers.Dense(40, activation="softmax")(y))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    weights = np.asarray(hidden, np.float32)
    rest = (x[1600:], text[1600:], weights[1600:])
    return Case(model=model, x=x[:1600], y=text[:1600], sample_weight=weights[:1600],
                validation_data=rest, epochs=9)  # fmt: skip


@good(ENTRIES, f"{KERAS}/vision/deeplabv3_plus/", "classes per position",
      "[16, 16, 3] to [16, 16] of 3 logits")  # fmt: skip
def dilated_segmentation_logits(seed: int) -> Case:
    def block(x: Any, rate: int = 1, size: int = 3) -> Any:
        x = layers.Conv2D(16, size, dilation_rate=rate, padding="same", use_bias=False,
                          kernel_initializer=keras.initializers.HeNormal())(x)  # fmt: skip
        return ops.nn.relu(layers.BatchNormalization()(x))

    inputs = keras.Input((16, 16, 3))
    low = block(inputs)
    x = block(layers.MaxPooling2D()(low))
    x = layers.Concatenate()([block(x, 1, 1), block(x, 2), block(x, 4)])
    x = layers.UpSampling2D(2, interpolation="bilinear")(block(x, 1, 1))
    x = block(layers.Concatenate()([x, block(low, 1, 1)]))
    model = keras.Model(inputs, layers.Conv2D(3, 1, padding="same")(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.001), loss, metrics=["accuracy"])
    return with_validation(model, *made_data.class_masks(seed), batch_size=8, epochs=6)


@good(ENTRIES, "https://arxiv.org/abs/1505.04597 (U-Net); https://www.kaggle.com/code/keegil/"
      "keras-u-net-starter-lb-0-277", "binary per position",
      "[16, 16, 3] to [16, 16, 1] sigmoids")  # fmt: skip
def unet_mask(seed: int) -> Case:
    def double(x: Any, filters: int) -> Any:
        options = {"activation": "elu", "kernel_initializer": "he_normal", "padding": "same"}
        x = layers.Conv2D(filters, 3, **options)(x)
        return layers.Conv2D(filters, 3, **options)(layers.Dropout(0.1)(x))

    inputs = keras.Input((16, 16, 3))
    first = double(inputs, 8)
    second = double(layers.MaxPooling2D()(first), 16)
    bottom = double(layers.MaxPooling2D()(second), 32)
    x = layers.Conv2DTranspose(16, 2, strides=2, padding="same")(bottom)
    x = double(layers.concatenate([x, second]), 16)
    x = layers.Conv2DTranspose(8, 2, strides=2, padding="same")(x)
    x = double(layers.concatenate([x, first]), 8)
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.masks(seed), batch_size=16, epochs=8)


@good(ENTRIES, "https://www.isca-archive.org/interspeech_2015/tilk15_interspeech.html "
      "(an LSTM puts marks after words)", "binary per position",
      "[12] token ids to [12, 1] logits")  # fmt: skip
def punctuation_lstm(seed: int) -> Case:
    words, tags = made_data.tagged(seed)
    marks = np.equal(tags, 3).astype(np.float32)[..., None]
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            layers.Embedding(60, 32),
            layers.Bidirectional(layers.LSTM(24, return_sequences=True)),
            layers.Dense(1),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    return with_validation(model, words, marks, epochs=6)
