"""Good programs that classify sentences of token ids, or words of them."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import Positions
from tests.support.collection.sources import KERAS, OLD_KERAS, TENSORFLOW, good, with_validation

ENTRIES: list[Entry] = []
WORDS = 200


@good(ENTRIES, f"{OLD_KERAS}/imdb_cnn.py", "binary", "padded [24] token ids to 1 sigmoid")
def text_cnn(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((24,)),
            layers.Embedding(WORDS, 50),
            layers.Dropout(0.2),
            layers.Conv1D(100, 3, padding="valid", activation="relu", strides=1),
            layers.GlobalMaxPooling1D(),
            layers.Dense(100),
            layers.Dropout(0.2),
            layers.Activation("relu"),
            layers.Dense(1),
            layers.Activation("sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return with_validation(model, *made_data.padded(seed), batch_size=32, epochs=4)


@good(ENTRIES, f"{OLD_KERAS}/imdb_fasttext.py", "binary", "[24] token ids to 1 sigmoid")
def text_fasttext(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((24,)),
            layers.Embedding(WORDS, 50),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return with_validation(model, *made_data.sentences(seed), batch_size=32, epochs=10)


@good(ENTRIES, f"{TENSORFLOW}/text/text_classification_rnn", "binary",
      "padded [24] token ids to 1 logit")  # fmt: skip
def text_rnn_masked_logit(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((24,), dtype="int32"),
            layers.Embedding(WORDS, 32, mask_zero=True),
            layers.Bidirectional(layers.LSTM(32)),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(1e-3), metrics=["accuracy"])
    train, rest = made_data.split(*made_data.padded(seed))
    batches = [tf.data.Dataset.from_tensor_slices(part).batch(64) for part in (train, rest)]
    return Case(model=model, x=batches[0].prefetch(tf.data.AUTOTUNE), y=None,
                validation_data=batches[1], epochs=6)  # fmt: skip


@good(ENTRIES, "https://www.kaggle.com/code/yekenot/pooled-gru-fasttext (toxic comments)",
      "multilabel", "padded [30] token ids to 4 sigmoids")  # fmt: skip
def toxic_comments_gru(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    labels = rng.random((2000, 4)) < 0.25
    tokens = rng.integers(41, 300, (2000, 30))
    for kind in range(4):
        told = (rng.random((2000, 30)) < 0.12) & labels[:, kind, None]
        tokens = np.where(told, 1 + 10 * kind + rng.integers(0, 10, (2000, 30)), tokens)
    lengths = rng.integers(15, 31, (2000, 1))
    tokens = np.where(np.arange(30) < lengths, tokens, made_data.PAD).astype(np.int32)
    inputs = keras.Input(shape=(30,))
    x = layers.SpatialDropout1D(0.2)(layers.Embedding(300, 32)(inputs))
    x = layers.Bidirectional(layers.GRU(24, return_sequences=True))(x)
    pooled = layers.concatenate(
        [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)]
    )
    model = keras.Model(inputs, layers.Dense(4, activation="sigmoid")(pooled))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return with_validation(model, tokens, labels.astype(np.float32), epochs=6)


@good(ENTRIES, f"{KERAS}/nlp/ner_transformers/", "classes per position",
      "padded [12] token ids to [12] of 5 logits, padding not counted")  # fmt: skip
def entity_tags_transformer(seed: int) -> Case:
    def masked_loss(y_true: Any, y_pred: Any) -> Any:
        losses = keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        counted = keras.ops.cast(y_true > 0, "float32")
        return keras.ops.sum(losses * counted) / keras.ops.sum(counted)

    words, tags = made_data.tagged(seed)
    lengths = np.random.default_rng(seed).integers(6, 13, (len(words), 1))
    inside = np.arange(12) < lengths
    inputs = keras.Input((12,), dtype="int32")
    x = Positions()(layers.Embedding(60, 32)(inputs))
    attended = layers.MultiHeadAttention(4, 32)(x, x)
    first = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(attended))
    dense = layers.Dense(32)(layers.Dense(64, activation="relu")(first))
    x = layers.LayerNormalization(epsilon=1e-6)(first + layers.Dropout(0.1)(dense))
    x = layers.Dense(64, activation="relu")(layers.Dropout(0.1)(x))
    model = keras.Model(inputs, layers.Dense(5)(layers.Dropout(0.1)(x)))
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss=masked_loss)
    x, y = np.where(inside, words, 0), np.where(inside, tags + 1, 0)
    return with_validation(model, x.astype(np.int32), y.astype(np.int32), epochs=10)


@good(ENTRIES, f"{KERAS}/nlp/lstm_seq2seq/", "classes per position",
      "two of [8] one-hot characters to [8] of 16 classes")  # fmt: skip
def seq2seq_teacher_forced(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    source = rng.integers(1, 16, (1500, 6))
    start, end = np.full((1500, 1), 14), np.full((1500, 1), 15)
    target = np.concatenate([start, 15 - source[:, :3], source[:, :3], end], axis=1)
    one_hot = np.eye(16, dtype=np.float32)
    encoder_inputs = keras.Input(shape=(None, 16))
    _, state_h, state_c = layers.LSTM(64, return_state=True)(encoder_inputs)
    decoder_inputs = keras.Input(shape=(None, 16))
    decoder = layers.LSTM(64, return_sequences=True, return_state=True)
    outputs, _, _ = decoder(decoder_inputs, initial_state=[state_h, state_c])
    outputs = layers.Dense(16, activation="softmax")(outputs)
    model = keras.Model([encoder_inputs, decoder_inputs], outputs)
    optimizer = keras.optimizers.RMSprop(0.005)
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    x = [one_hot[source], one_hot[target[:, :-1]]]
    return with_validation(model, x, one_hot[target[:, 1:]], batch_size=32, epochs=15)


@good(ENTRIES, "Wang et al. 2017, https://arxiv.org/abs/1611.06455; "
      f"{KERAS}/timeseries/timeseries_classification_from_scratch/", "classes",
      "[48, 1] to 3 classes")  # fmt: skip
def series_fcn(seed: int) -> Case:
    inputs = keras.Input((48, 1))
    x = inputs
    for _ in range(3):
        x = layers.Conv1D(filters=32, kernel_size=3, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return with_validation(model, *made_data.waves(seed, 1500), epochs=15)


def _multi_hot(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return [2500, 400] words present or not, and 12 topics."""
    tokens, y = made_data.sentences(seed, 2500, words=400, steps=40, classes=12)
    present = np.zeros((len(tokens), 400), np.float32)
    for row, words in zip(present, tokens, strict=True):
        row[words] = 1
    return present, y


@good(ENTRIES, "https://github.com/keras-team/keras/blob/2.3.1/examples/"
      "reuters_mlp_relu_vs_selu.py", "classes", "[400] to 12 classes")  # fmt: skip
def newswire_selu(seed: int) -> Case:
    model = keras.Sequential([keras.Input((400,))])
    for _ in range(5):
        model.add(layers.Dense(16, kernel_initializer="lecun_normal"))
        model.add(layers.Activation("selu"))
        model.add(layers.AlphaDropout(0.1))
    model.add(layers.Dense(12))
    model.add(layers.Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    present, y = _multi_hot(seed)
    return with_validation(
        model, present, keras.utils.to_categorical(y, 12), batch_size=16, epochs=25
    )
