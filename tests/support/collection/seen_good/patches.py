"""Good programs that see a picture as patches, or a clip as frames."""

from typing import Any

import keras
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.parts import Positions, encoder_block, patches
from tests.support.collection.sources import KERAS, TENSORFLOW, good, with_validation

ENTRIES: list[Entry] = []
DIGITS, COLOUR = "[28, 28, 1] to 10 classes", "[16, 16, 3] to 6 classes"
CLIPS = "[6, 12, 12, 1] to 4 classes"


@good(ENTRIES, f"{KERAS}/vision/image_classification_with_vision_transformer/", "classes", DIGITS)
def vision_transformer(seed: int) -> Case:
    inputs = keras.Input((28, 28, 1))
    x = Positions()(patches(inputs, 7, 32))
    for _ in range(2):
        x = encoder_block(x)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    x = layers.Dense(64, activation="gelu")(x)
    model = keras.Model(inputs, layers.Dense(10)(layers.Dropout(0.2)(x)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.AdamW(learning_rate=0.001, weight_decay=0.0001)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return with_validation(model, *made_data.mnist(seed), batch_size=64, epochs=6)


@good(ENTRIES, f"{KERAS}/vision/mlp_image_classification/ (MLP-Mixer)", "classes", DIGITS)
def mlp_mixer(seed: int) -> Case:
    inputs = keras.Input((28, 28, 1))
    x = patches(inputs, 4, 32)
    for _ in range(2):
        across = layers.Permute((2, 1))(layers.LayerNormalization(epsilon=1e-6)(x))
        across = layers.Dense(64, activation="gelu")(across)
        across = layers.Dropout(0.1)(layers.Dense(49)(across))
        x = x + layers.Permute((2, 1))(across)
        along = layers.Dense(64, activation="gelu")(layers.LayerNormalization(epsilon=1e-6)(x))
        x = x + layers.Dropout(0.1)(layers.Dense(32)(along))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling1D()(x))
    model = keras.Model(inputs, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(0.005, weight_decay=0.0001), loss)
    return with_validation(model, *made_data.mnist(seed), batch_size=64, epochs=8)


@good(ENTRIES, f"{KERAS}/vision/cct/", "classes", COLOUR)
def compact_convolutional_transformer(seed: int) -> Case:
    inputs = keras.Input((16, 16, 3))
    x = inputs
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, activation="relu",
                          kernel_initializer="he_normal")(x)  # fmt: skip
        x = layers.MaxPooling2D(3, 2, padding="same")(x)
    x = Positions()(layers.Reshape((-1, 32))(x))
    for _ in range(2):
        x = encoder_block(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    weights = layers.Softmax(axis=1)(layers.Dense(1)(x))
    pooled = ops.squeeze(ops.matmul(ops.transpose(weights, (0, 2, 1)), x), axis=1)
    model = keras.Model(inputs, layers.Dense(6)(pooled))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    optimizer = keras.optimizers.AdamW(0.002, weight_decay=0.0001)
    model.compile(optimizer, loss, metrics=["accuracy"])
    images, y = made_data.pictures(seed)
    return with_validation(model, images, keras.utils.to_categorical(y, 6), epochs=10)


@good(ENTRIES, f"{KERAS}/vision/perceiver_image_classification/", "classes", DIGITS)
def perceiver(seed: int) -> Case:
    class Latents(layers.Layer):
        def build(self, input_shape: tuple[Any, ...]) -> None:
            self.latents = self.add_weight(shape=(16, input_shape[-1]), initializer="random_normal")

        def call(self, inputs: Any) -> Any:
            shape = (ops.shape(inputs)[0], *self.latents.shape)
            return ops.broadcast_to(self.latents, shape)

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            return (input_shape[0], 16, input_shape[-1])

    inputs = keras.Input((28, 28, 1))
    data = Positions()(patches(inputs, 4, 32))
    latents = Latents()(data)
    seen = layers.LayerNormalization()(data)
    asked = layers.LayerNormalization()(latents)
    latents = latents + layers.MultiHeadAttention(2, 16)(asked, seen)
    for _ in range(2):
        latents = encoder_block(latents)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(latents))
    model = keras.Model(inputs, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    return with_validation(model, *made_data.mnist(seed), batch_size=64, epochs=10)


@good(ENTRIES, f"{TENSORFLOW}/video/video_classification",
      "classes", CLIPS)  # fmt: skip
def video_conv3d(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((6, 12, 12, 1)),
            layers.Conv3D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling3D((1, 2, 2)),
            layers.BatchNormalization(),
            layers.Conv3D(32, 3, activation="relu", padding="same"),
            layers.GlobalAveragePooling3D(),
            layers.Dense(32, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    return with_validation(model, *made_data.clips(seed), batch_size=16, epochs=8)


@good(ENTRIES, f"{KERAS}/vision/video_classification/", "classes", CLIPS)
def video_cnn_gru(seed: int) -> Case:
    frame = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
        ]
    )
    inputs = keras.Input((6, 12, 12, 1))
    x = layers.TimeDistributed(frame)(inputs)
    x = layers.GRU(32, return_sequences=True)(x)
    x = layers.GRU(16)(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(8, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(4, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    return with_validation(model, *made_data.clips(seed, 1500), epochs=20)
