"""Good programs that say yes or no to what a picture or a scan shows."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.sources import KERAS, good, with_validation

ENTRIES: list[Entry] = []


@good(ENTRIES, f"{KERAS}/vision/image_classification_from_scratch/", "binary",
      "[16, 16, 3] to 1 logit")  # fmt: skip
def cats_dogs_xception(seed: int) -> Case:
    inputs = keras.Input((16, 16, 3))
    x = layers.Rescaling(1.0 / 255)(inputs)
    x = layers.Conv2D(16, 3, strides=1, padding="same")(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    skip = x
    for _ in range(2):
        x = layers.SeparableConv2D(32, 3, padding="same")(layers.Activation("relu")(x))
        x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.add([x, layers.Conv2D(32, 1, strides=2, padding="same")(skip)])
    x = layers.SeparableConv2D(48, 3, padding="same")(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.Dropout(0.25)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(1, activation=None)(x))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    images, kinds = made_data.pictures(seed, 2200, classes=3)
    two = kinds < 2
    train, rest = made_data.split((255 * images[two]).round(), kinds[two])
    batches = [tf.data.Dataset.from_tensor_slices(part).batch(32) for part in (train, rest)]
    return Case(model=model, x=batches[0].shuffle(50, seed=seed), y=None,
                validation_data=batches[1], epochs=20)  # fmt: skip


@good(ENTRIES, f"{KERAS}/vision/3D_image_classification/", "binary", "[12, 12, 8, 1] to 1 sigmoid")
def scan_conv3d(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    ill = rng.integers(0, 2, 800)
    scans = rng.normal(0.3, 0.15, (800, 12, 12, 8, 1))
    for row, place in enumerate(rng.integers(0, 5, (800, 3))):
        down, across, deep = place
        scans[row, down : down + 4, across : across + 4, deep : deep + 3] += 0.45 * ill[row]
    inputs = keras.Input((12, 12, 8, 1))
    x = layers.Conv3D(filters=16, kernel_size=3, activation="relu")(inputs)
    x = layers.MaxPool3D(pool_size=2)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv3D(filters=32, kernel_size=3, activation="relu")(x)
    x = layers.GlobalAveragePooling3D()(x)
    x = layers.Dense(units=64, activation="relu")(x)
    x = layers.Dropout(0.3)(x)
    model = keras.Model(inputs, layers.Dense(units=1, activation="sigmoid")(x))
    rate = keras.optimizers.schedules.ExponentialDecay(
        0.002, decay_steps=1000, decay_rate=0.96, staircase=True
    )
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(rate))
    return with_validation(model, scans.astype(np.float32), ill, batch_size=8, epochs=8)


@good(ENTRIES, "https://arxiv.org/abs/1711.05225 (CheXNet: several findings in one picture)",
      "multilabel", "[16, 16, 3] to 4 sigmoids")  # fmt: skip
def multilabel_pictures(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    labels = (rng.random((1500, 4)) < 0.35).astype(np.float32)
    images = rng.uniform(0, 0.5, (1500, 16, 16, 3))
    at = rng.integers(0, 11, (1500, 4, 2))
    for example in range(1500):
        for kind in np.flatnonzero(labels[example]):
            down, across = at[example, kind]
            if kind < 3:
                images[example, down : down + 4, across : across + 4, kind] += 0.5
            else:
                images[example, down, across : across + 5] += 0.5
    model = keras.Sequential([keras.Input((16, 16, 3))])
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Conv2D(32, 3, padding="same", activation="relu"))
    model.add(layers.GlobalMaxPooling2D())
    model.add(layers.Dense(4, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(0.002), "binary_crossentropy", metrics=["AUC"])
    return with_validation(model, images.astype(np.float32), labels, epochs=10)
