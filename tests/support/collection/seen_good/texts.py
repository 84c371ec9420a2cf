"""Good programs that classify sentences of token ids."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import Positions
from tests.support.collection.sources import (
    CHOLLET,
    KERAS,
    OLD_KERAS,
    TENSORFLOW,
    good,
    with_validation,
)

ENTRIES: list[Entry] = []
WORDS = 200
SENTENCE = "[24] token ids to 1 sigmoid"


@good(ENTRIES, f"{KERAS}/nlp/text_classification_from_scratch/", "binary", SENTENCE)
def text_conv1d(seed: int) -> Case:
    inputs = keras.Input((None,), dtype="int64")
    x = layers.Embedding(WORDS, 32)(inputs)
    x = layers.Dropout(0.5)(x)
    x = layers.Conv1D(32, 7, padding="valid", activation="relu", strides=3)(x)
    x = layers.Conv1D(32, 3, padding="same", activation="relu", strides=3)(x)
    x = layers.GlobalMaxPooling1D()(x)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    outputs = layers.Dense(1, activation="sigmoid", name="predictions")(x)
    model = keras.Model(inputs, outputs)
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    train, rest = made_data.split(*made_data.sentences(seed))
    batches = [tf.data.Dataset.from_tensor_slices(part).batch(32) for part in (train, rest)]
    return Case(model=model, x=batches[0], y=None, validation_data=batches[1], epochs=8)


@good(ENTRIES, f"{KERAS}/nlp/bidirectional_lstm_imdb/", "binary", SENTENCE)
def bidirectional_lstm(seed: int) -> Case:
    inputs = keras.Input(shape=(None,), dtype="int32")
    x = layers.Embedding(WORDS, 32)(inputs)
    x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(16))(x)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.sentences(seed), epochs=4)


@good(ENTRIES, f"{TENSORFLOW}/keras/text_classification", "binary", "padded " + SENTENCE)
def text_average_embedding(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((24,)),
            layers.Embedding(WORDS, 16),
            layers.Dropout(0.2),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", keras.losses.BinaryCrossentropy(),
                  metrics=[keras.metrics.BinaryAccuracy(threshold=0.5)])  # fmt: skip
    return with_validation(model, *made_data.padded(seed, 3000), epochs=15)


@good(ENTRIES, f"{OLD_KERAS}/imdb_cnn_lstm.py", "binary", SENTENCE)
def text_cnn_lstm(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((24,)),
            layers.Embedding(WORDS, 32),
            layers.Dropout(0.25),
            layers.Conv1D(32, 5, padding="valid", activation="relu", strides=1),
            layers.MaxPooling1D(pool_size=4),
            layers.LSTM(24),
            layers.Dense(1),
            layers.Activation("sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return with_validation(model, *made_data.sentences(seed), batch_size=30, epochs=4)


@good(ENTRIES, f"{KERAS}/nlp/text_classification_with_transformer/", "classes",
      "padded [24] token ids to 2 classes")  # fmt: skip
def transformer_text(seed: int) -> Case:
    inputs = keras.Input(shape=(24,))
    x = Positions()(layers.Embedding(WORDS, 32)(inputs))
    attended = layers.Dropout(0.1)(layers.MultiHeadAttention(2, 32)(x, x))
    first = layers.LayerNormalization(epsilon=1e-6)(x + attended)
    dense = layers.Dense(32)(layers.Dense(32, activation="relu")(first))
    second = layers.LayerNormalization(epsilon=1e-6)(first + layers.Dropout(0.1)(dense))
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(second))
    x = layers.Dropout(0.1)(layers.Dense(20, activation="relu")(x))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.padded(seed), epochs=4)


@good(ENTRIES, f"{KERAS}/nlp/pretrained_word_embeddings/", "classes",
      "[24] token ids to 5 classes")  # fmt: skip
def frozen_word_vectors(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    known = rng.normal(size=(WORDS, 50)).astype(np.float32)  # as GloVe's: words of a topic are near
    topics = rng.normal(size=(5, 50))
    for topic in range(5):
        known[1 + 9 * topic : 10 + 9 * topic] += 1.5 * topics[topic]
    inputs = keras.Input(shape=(None,), dtype="int32")
    x = layers.Embedding(WORDS, 50, weights=[known], trainable=False)(inputs)
    x = layers.Conv1D(64, 5, activation="relu")(x)
    x = layers.MaxPooling1D(4)(x)
    x = layers.Conv1D(64, 4, activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    model = keras.Model(inputs, layers.Dense(5, activation="softmax")(x))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="rmsprop", metrics=["acc"])
    return with_validation(model, *made_data.sentences(seed, classes=5), epochs=5)


@good(ENTRIES, f"{CHOLLET}/first_edition/3.6-classifying-newswires.ipynb", "classes",
      "[400] words present or not to 12 classes")  # fmt: skip
def newswire_multi_hot(seed: int) -> Case:
    tokens, y = made_data.sentences(seed, 2500, words=400, steps=40, classes=12)
    present = np.zeros((len(tokens), 400), np.float32)
    for row, words in zip(present, tokens, strict=True):
        row[words] = 1
    model = keras.Sequential(
        [
            keras.Input((400,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(12, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    labels = keras.utils.to_categorical(y)
    return with_validation(model, present, labels, batch_size=128, epochs=9)


@good(ENTRIES, f"{KERAS}/nlp/multi_label_classification/", "multilabel",
      "[300] word weights to 6 sigmoids")  # fmt: skip
def paper_topics(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    labels = (rng.random((2500, 6)) < 0.3).astype(np.float32)
    usual = rng.random((2500, 300)) < 0.05
    telling = np.repeat(labels, 12, axis=1) * (rng.random((2500, 72)) < 0.25)
    counts = usual.astype(np.float32)
    counts[:, :72] += telling
    weights = (counts * np.log(2500 / (1 + (counts > 0).sum(axis=0)))).astype(np.float32)
    model = keras.Sequential(
        [
            keras.Input((300,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(6, activation="sigmoid"),
        ]
    )
    metrics = ["binary_accuracy"]
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=metrics)
    return with_validation(model, weights, labels, batch_size=128, epochs=10)


@good(ENTRIES, "https://doi.org/10.1609/aaai.v30i1.10350 (Siamese recurrent sentences)", "binary",
      "two of [12] token ids to 1 sigmoid")  # fmt: skip
def same_topic_two_sentences(seed: int) -> Case:
    tokens, topic = made_data.sentences(seed, 5000, words=100, steps=12, classes=4)
    rng = np.random.default_rng(seed)
    by_topic = [np.flatnonzero(topic == number) for number in range(4)]
    first = rng.integers(0, 5000, 2500)
    second = rng.integers(0, 5000, 2500)
    second[::2] = [rng.choice(by_topic[topic[row]]) for row in first[::2]]
    same = (topic[first] == topic[second]).astype(np.int32)
    words = layers.Embedding(100, 24)
    reader = layers.Bidirectional(layers.GRU(16))
    left = keras.Input((12,), dtype="int32", name="first")
    right = keras.Input((12,), dtype="int32", name="second")
    one, two = reader(words(left)), reader(words(right))
    x = layers.Concatenate()([one, two, ops.abs(one - two), one * two])
    x = layers.Dense(32, activation="relu")(x)
    model = keras.Model([left, right], layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    x = {"first": tokens[first], "second": tokens[second]}
    return with_validation(model, x, same, epochs=8)
