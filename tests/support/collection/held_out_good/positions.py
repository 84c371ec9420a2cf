"""Good programs with one output per position of a picture, a series or a clip."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.sources import KERAS, TENSORFLOW, good, with_validation

ENTRIES: list[Entry] = []


@good(ENTRIES, f"{KERAS}/vision/captcha_ocr/ (its network, one output for each place)",
      "classes per position", "[12, 32, 1] to [4] of 10 classes")  # fmt: skip
def captcha_characters(seed: int) -> Case:
    digits, labels = made_data.digits(seed)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(labels), (1500, 4))
    images = np.zeros((1500, 12, 32, 1), np.float32)
    for place in range(4):
        down = rng.integers(0, 5)
        images[:, down : down + 8, 8 * place : 8 * place + 8] = digits[chosen[:, place]]
    inputs = keras.Input(shape=(12, 32, 1), name="image", dtype="float32")
    x = inputs
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, activation="relu", kernel_initializer="he_normal",
                          padding="same")(x)  # fmt: skip
        x = layers.MaxPooling2D((2, 2))(x)
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((4, -1))(x)
    x = layers.Dropout(0.2)(layers.Dense(64, activation="relu")(x))
    x = layers.Bidirectional(layers.LSTM(32, return_sequences=True))(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    return with_validation(model, images, labels[chosen], epochs=8)


@good(ENTRIES, f"{KERAS}/vision/oxford_pets_image_segmentation/", "classes per position",
      "[16, 16, 3] to [16, 16] of 3 classes")  # fmt: skip
def unet_classes(seed: int) -> Case:
    def normal(x: Any) -> Any:
        return layers.BatchNormalization()(x)

    inputs = keras.Input(shape=(16, 16, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same")(inputs)
    x = layers.Activation("relu")(normal(x))
    before = x
    for filters in (24,):
        for _ in range(2):
            x = layers.SeparableConv2D(filters, 3, padding="same")(layers.Activation("relu")(x))
            x = normal(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        before = layers.Conv2D(filters, 1, strides=2, padding="same")(before)
        x = before = layers.add([x, before])
    for filters in (24, 16):
        for _ in range(2):
            x = layers.Conv2DTranspose(filters, 3, padding="same")(layers.Activation("relu")(x))
            x = normal(x)
        x = layers.UpSampling2D(2)(x)
        before = layers.Conv2D(filters, 1, padding="same")(layers.UpSampling2D(2)(before))
        x = before = layers.add([x, before])
    outputs = layers.Conv2D(3, 3, activation="softmax", padding="same")(x)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy")
    return with_validation(model, *made_data.class_masks(seed, 800), batch_size=8, epochs=8)


@good(ENTRIES, "Milletari et al. 2016, https://arxiv.org/abs/1606.04797 (Dice loss)",
      "binary per position", "[16, 16, 3] to [16, 16, 1] sigmoids")  # fmt: skip
def dice_mask(seed: int) -> Case:
    def dice_loss(y_true: Any, y_pred: Any) -> Any:
        both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        either = ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3))
        return 1 - ops.mean((2 * both + 1) / (either + 1))

    options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    inputs = keras.Input((16, 16, 3))
    first = layers.Conv2D(16, 3, **options)(inputs)
    x = layers.Conv2D(32, 3, **options)(layers.MaxPooling2D()(first))
    x = layers.Conv2D(32, 3, **options)(x)
    x = layers.concatenate([layers.UpSampling2D()(x), first])
    x = layers.Conv2D(16, 3, **options)(x)
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    model.compile(optimizer=keras.optimizers.Adam(0.001), loss=dice_loss)
    return with_validation(model, *made_data.masks(seed), batch_size=16, epochs=8)


@good(ENTRIES, f"{KERAS}/vision/conv_lstm/", "binary per position",
      "[5, 12, 12, 1] to [5, 12, 12, 1] sigmoids")  # fmt: skip
def next_frame_convlstm(seed: int) -> Case:
    clips, _ = made_data.clips(seed, 500)
    moving = (clips > 0.5).astype(np.float32)
    inputs = keras.Input(shape=(None, 12, 12, 1))
    x = layers.ConvLSTM2D(8, 3, padding="same", return_sequences=True, activation="relu")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ConvLSTM2D(8, 3, padding="same", return_sequences=True, activation="relu")(x)
    outputs = layers.Conv3D(1, (3, 3, 3), activation="sigmoid", padding="same")(x)
    model = keras.Model(inputs, outputs)
    optimizer = keras.optimizers.Adam(0.003)
    model.compile(loss=keras.losses.BinaryCrossentropy(), optimizer=optimizer)
    return with_validation(model, moving[:, :-1], moving[:, 1:], batch_size=4, epochs=6)


@good(ENTRIES, "Cicek et al. 2016, https://arxiv.org/abs/1606.06650 (3D U-Net); "
      f"{TENSORFLOW}/images/segmentation", "binary per position",
      "[8, 8, 8, 1] to [8, 8, 8, 1] logits")  # fmt: skip
def volume_mask_conv3d(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    at = np.moveaxis(np.mgrid[:8, :8, :8], 0, -1)[None]
    centre = rng.uniform(2, 6, (400, 1, 1, 1, 3))
    radius = rng.uniform(1.5, 3, (400, 1, 1, 1))
    inside = np.linalg.norm(at - centre, axis=-1) < radius
    scans = rng.normal(0.3, 0.2, inside.shape) + 0.4 * inside
    options = {"padding": "same", "activation": "relu"}
    inputs = keras.Input((8, 8, 8, 1))
    first = layers.Conv3D(8, 3, **options)(inputs)
    x = layers.Conv3D(16, 3, **options)(layers.MaxPooling3D()(first))
    x = layers.Conv3DTranspose(8, 3, strides=2, **options)(x)
    x = layers.Conv3D(8, 3, **options)(layers.concatenate([x, first]))
    model = keras.Model(inputs, layers.Conv3D(1, 1)(x))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss=loss)
    x, y = (part[..., None].astype(np.float32) for part in (scans, inside))
    return with_validation(model, x, y, batch_size=8, epochs=6)
