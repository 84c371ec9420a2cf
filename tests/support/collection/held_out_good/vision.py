"""Good programs for pictures, of the kinds of networks that papers describe."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import Positions, patches
from tests.support.collection.sources import (
    KERAS,
    KERAS_GUIDES,
    OLD_KERAS,
    TENSORFLOW,
    good,
    with_validation,
)

ENTRIES: list[Entry] = []
DIGITS, COLOUR = "[28, 28, 1] to 10 classes", "[16, 16, 3] to 6 classes"


@good(ENTRIES, f"{KERAS}/vision/convmixer/", "classes", COLOUR)
def convmixer(seed: int) -> Case:
    def activated(x: Any) -> Any:
        return layers.BatchNormalization()(layers.Activation("gelu")(x))

    inputs = keras.Input((16, 16, 3))
    x = layers.Rescaling(scale=1.0 / 255)(inputs)
    x = activated(layers.Conv2D(24, kernel_size=2, strides=2)(x))
    for _ in range(2):
        mixed = activated(layers.DepthwiseConv2D(kernel_size=5, padding="same")(x))
        x = activated(layers.Conv2D(24, kernel_size=1)(layers.Add()([mixed, x])))
    x = layers.GlobalAvgPool2D()(x)
    model = keras.Model(inputs, layers.Dense(6, activation="softmax")(x))
    optimizer = keras.optimizers.AdamW(learning_rate=0.003, weight_decay=0.0001)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = made_data.pictures(seed, 1500)
    bytes_ = (255 * images).astype(np.uint8)
    return with_validation(model, bytes_, labels, batch_size=16, epochs=10)


@good(ENTRIES, f"{TENSORFLOW}/images/classification (with augmentation and dropout)",
      "classes", "[16, 16, 3] uint8 to 6 classes")  # fmt: skip
def flowers_with_augmentation(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.1),
            layers.Rescaling(1.0 / 255),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(6, name="outputs"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    images, labels = made_data.pictures(seed, 2000)
    return with_validation(model, (255 * images).astype(np.uint8), labels, epochs=25)


@good(ENTRIES, f"{OLD_KERAS}/mnist_transfer_cnn.py and {KERAS_GUIDES}/transfer_learning/",
      "classes", "[28, 28, 1] to 5 classes")  # fmt: skip
def frozen_base(seed: int) -> Case:
    images, labels = made_data.mnist(seed, 3000)
    base = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.Flatten(),
        ]
    )
    first = keras.Sequential([base, layers.Dense(5, activation="softmax")])
    first.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    low = labels < 5
    first.fit(images[low], labels[low], epochs=4, verbose=0)
    base.trainable = False
    inputs = keras.Input((28, 28, 1))
    x = layers.Dropout(0.2)(base(inputs, training=False))
    model = keras.Model(inputs, layers.Dense(5)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    return with_validation(model, images[~low], labels[~low] - 5, epochs=12)


@good(ENTRIES, f"{KERAS}/vision/mlp_image_classification/ (FNet)", "classes", DIGITS)
def fourier_mixer(seed: int) -> Case:
    class FourierLayer(layers.Layer):
        """Mixes all positions and channels by the real part of a 2D Fourier transform."""

        def call(self, x: Any) -> Any:
            real, _ = ops.fft2((x, ops.zeros_like(x)))
            return real

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            return input_shape

    inputs = keras.Input((28, 28, 1))
    x = Positions()(patches(inputs, 4, 32))
    for _ in range(2):
        x = layers.LayerNormalization(epsilon=1e-6)(x + FourierLayer()(x))
        dense = layers.Dropout(0.1)(layers.Dense(64, activation="gelu")(x))
        x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dense(32)(dense))
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    model = keras.Model(inputs, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(0.005, weight_decay=0.0001), loss)
    return with_validation(model, *made_data.mnist(seed), batch_size=32, epochs=10)


@good(ENTRIES, f"{KERAS}/vision/mlp_image_classification/ (gMLP)", "classes", DIGITS)
def gated_mlp(seed: int) -> Case:
    inputs = keras.Input((28, 28, 1))
    x = patches(inputs, 7, 32)
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dropout(0.1)(layers.Dense(64, activation="gelu")(y))
        u, v = y[..., :32], layers.LayerNormalization(epsilon=1e-6)(y[..., 32:])
        v = layers.Permute((2, 1))(layers.Dense(16, bias_initializer="ones")(
            layers.Permute((2, 1))(v)))  # fmt: skip
        x = x + layers.Dense(32)(u * v)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(10)(layers.Dropout(0.1)(x)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(0.003, weight_decay=0.0001), loss)
    return with_validation(model, *made_data.mnist(seed), batch_size=64, epochs=12)


@good(ENTRIES, f"{KERAS}/vision/eanet/", "classes", DIGITS)
def external_attention(seed: int) -> Case:
    inputs = keras.Input((28, 28, 1))
    x = Positions()(patches(inputs, 7, 32))
    for _ in range(2):
        y = layers.Dense(64)(layers.LayerNormalization(epsilon=1e-5)(x))
        y = layers.Reshape((16, 4, 16))(y)
        attention = layers.Softmax(axis=1)(layers.Dense(16)(y))
        attention = attention / (1e-9 + ops.sum(attention, axis=-1, keepdims=True))
        y = layers.Reshape((16, 64))(layers.Dense(16)(attention))
        x = x + layers.Dropout(0.1)(layers.Dense(32)(y))
        dense = layers.Dense(32, activation="gelu")(layers.LayerNormalization(epsilon=1e-5)(x))
        x = x + layers.Dense(32)(dense)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(keras.optimizers.AdamW(0.005, weight_decay=0.0001), loss)
    images, labels = made_data.mnist(seed)
    one_hot = keras.utils.to_categorical(labels, 10)
    return with_validation(model, images, one_hot, batch_size=64, epochs=12)


@good(ENTRIES, f"{KERAS}/vision/involution/", "classes", COLOUR)
def involution(seed: int) -> Case:
    class Involution(layers.Layer):
        """Weighs a pixel's neighbours by a kernel that is made of the pixel itself."""

        def __init__(self, size: int, reduced: int) -> None:
            super().__init__()
            self.size = size
            self.make = keras.Sequential(
                [
                    layers.Conv2D(reduced, 1),
                    layers.BatchNormalization(),
                    layers.ReLU(),
                    layers.Conv2D(size * size, 1),
                ]
            )

        def call(self, x: Any) -> Any:
            channels = x.shape[-1]
            kernel = ops.expand_dims(self.make(x), axis=-1)
            near = ops.image.extract_patches(x, self.size, strides=1, padding="same")
            shape = (-1, *x.shape[1:3], self.size**2, channels)
            return ops.sum(kernel * ops.reshape(near, shape), axis=3)

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            return input_shape

    inputs = keras.Input((16, 16, 3))
    x = inputs
    for pool in (True, True, False):
        x = layers.ReLU()(Involution(3, 8)(x))
        x = layers.MaxPooling2D((2, 2))(x) if pool else x
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(6)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    return with_validation(model, *made_data.pictures(seed, 2000), epochs=12)


@good(ENTRIES, f"{KERAS}/vision/pointnet/", "classes", "[64, 3] points to 3 classes")
def point_clouds(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 900)
    points = rng.normal(size=(900, 64, 3))
    ball = points / np.linalg.norm(points, axis=2, keepdims=True)
    box = points / np.abs(points).max(axis=2, keepdims=True)
    round_ = np.linalg.norm(points[..., :2], axis=2, keepdims=True)
    tube = np.concatenate([points[..., :2] / round_, rng.uniform(-1, 1, (900, 64, 1))], axis=2)
    clouds = np.choose(labels[:, None, None], [ball, box, tube])
    clouds = (clouds + rng.normal(0, 0.03, clouds.shape)).astype(np.float32)
    inputs = keras.Input((64, 3))
    x = inputs
    for filters in (16, 32, 64):
        x = layers.Conv1D(filters, kernel_size=1, padding="valid")(x)
        x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.0)(x))
    x = layers.GlobalMaxPooling1D()(x)
    x = layers.Dense(32)(x)
    x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.0)(x))
    x = layers.Dropout(0.3)(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    optimizer = keras.optimizers.Adam(learning_rate=0.001)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
    return with_validation(model, clouds, labels.astype(np.int32), epochs=12)


@good(ENTRIES, "https://arxiv.org/abs/1706.02677 (the last gamma of a block starts at 0)",
      "classes", COLOUR)  # fmt: skip
def residual_zero_gamma(seed: int) -> Case:
    def convolution(x: Any, filters: int, stride: int = 1) -> Any:
        start = "he_normal"
        return layers.Conv2D(filters, 3, stride, "same", use_bias=False, kernel_initializer=start)(
            x
        )

    inputs = keras.Input((16, 16, 3))
    x = layers.ReLU()(layers.BatchNormalization()(convolution(inputs, 16)))
    for filters, stride in ((16, 1), (32, 2), (32, 1)):
        y = layers.ReLU()(layers.BatchNormalization()(convolution(x, filters, stride)))
        y = layers.BatchNormalization(gamma_initializer="zeros")(convolution(y, filters))
        if stride == 2:
            x = layers.BatchNormalization()(layers.Conv2D(filters, 1, 2, use_bias=False)(x))
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(6, activation="softmax")(x))
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.pictures(seed, 1500), epochs=10)


@good(ENTRIES, "https://keras.io/api/layers/normalization_layers/group_normalization/ and "
      "https://arxiv.org/abs/1803.08494", "classes", COLOUR)  # fmt: skip
def group_norm(seed: int) -> Case:
    model = keras.Sequential([keras.Input((16, 16, 3))])
    for filters in (16, 32, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.GroupNormalization(groups=8))
        model.add(layers.Activation("silu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(6))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.002), loss, metrics=["accuracy"])
    return with_validation(model, *made_data.pictures(seed), batch_size=8, epochs=6)
