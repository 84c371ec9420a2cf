"""Good programs for pictures: dense and convolutional networks, their optimizers and schedules."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.sources import (
    GERON,
    KERAS,
    KERAS_GUIDES,
    OLD_KERAS,
    TENSORFLOW,
    good,
    with_validation,
)

ENTRIES: list[Entry] = []
DIGITS, SMALL_DIGITS = "[28, 28, 1] to 10 classes", "[8, 8, 1] to 10 classes"
COLOUR = "[16, 16, 3] to 6 classes"


@good(ENTRIES, f"{TENSORFLOW}/quickstart/beginner", "classes", DIGITS)
def quickstart_for_beginners(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return with_validation(model, *made_data.mnist(seed))


@good(ENTRIES, "https://d2l.ai/chapter_linear-classification/softmax-regression-concise.html",
      "classes", DIGITS)  # fmt: skip
def softmax_regression(seed: int) -> Case:
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return with_validation(model, *made_data.mnist(seed), batch_size=64, epochs=10)


@good(ENTRIES, f"{TENSORFLOW}/images/cnn", "classes", COLOUR)
def colour_cnn(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(6),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return with_validation(model, *made_data.pictures(seed, 2000), epochs=10)


@good(ENTRIES, f"{GERON}/11_training_deep_neural_networks.ipynb (gradient clipping)",
      "classes", DIGITS)  # fmt: skip
def clipped_gradients(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(50, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipvalue=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.mnist(seed))


@good(ENTRIES, "https://keras.io/api/optimizers/learning_rate_schedules/cosine_decay/",
      "classes", DIGITS)  # fmt: skip
def cosine_warmup_large_batch(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=50, alpha=0.1, warmup_target=0.01, warmup_steps=10
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return with_validation(model, *made_data.mnist(seed), batch_size=256, epochs=10)


@good(ENTRIES, f"{GERON}/11_training_deep_neural_networks.ipynb (exponential scheduling)",
      "classes", DIGITS)  # fmt: skip
def exponential_schedule(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=400, decay_rate=0.1)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy")
    return with_validation(model, *made_data.mnist(seed), epochs=8)


@good(ENTRIES, f"{GERON}/11_training_deep_neural_networks.ipynb (l2, max-norm)",
      "classes", DIGITS)  # fmt: skip
def elu_l2_max_norm(seed: int) -> Case:
    def dense(units: int) -> layers.Layer:
        return layers.Dense(
            units,
            activation="elu",
            kernel_initializer="he_normal",
            kernel_regularizer=keras.regularizers.L2(0.001),
            kernel_constraint=keras.constraints.MaxNorm(3.0),
        )

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            dense(100),
            dense(100),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("nadam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.mnist(seed))


@good(ENTRIES, f"{GERON}/11_training_deep_neural_networks.ipynb (PReLU)", "classes", SMALL_DIGITS)
def prelu_net(seed: int) -> Case:
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()])
    for units in (60, 40):
        model.add(layers.Dense(units, kernel_initializer="he_normal"))
        model.add(layers.PReLU())
    model.add(layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.SGD(0.02, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return with_validation(model, *made_data.digits(seed), epochs=10)


@good(ENTRIES, f"{KERAS}/vision/cct/ (its loss and optimizer, before a plain network)",
      "classes", COLOUR)  # fmt: skip
def label_smoothing_adamw(seed: int) -> Case:
    model = keras.Sequential([keras.Input((16, 16, 3))])
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(6))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    model.compile(keras.optimizers.AdamW(0.002, weight_decay=0.0001), loss, metrics=["accuracy"])
    x, y = made_data.pictures(seed, 2000)
    return with_validation(model, x, keras.utils.to_categorical(y, 6), epochs=15)


@good(ENTRIES, "https://www.tensorflow.org/guide/mixed_precision", "classes", DIGITS)
def mixed_precision(seed: int) -> Case:
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        inputs = keras.Input((28, 28, 1))
        x = layers.Flatten()(inputs)
        x = layers.Dense(128, activation="relu")(x)
        x = layers.Dense(64, activation="relu")(x)
        x = layers.Dense(10)(x)
        outputs = layers.Activation("softmax", dtype="float32")(x)
        model = keras.Model(inputs, outputs)
        optimizer = keras.optimizers.RMSprop()
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    return with_validation(model, *made_data.mnist(seed), batch_size=64)


@good(ENTRIES, f"{KERAS}/vision/mixup/", "classes", DIGITS)
def mixup_soft_labels(seed: int) -> Case:
    x, y = made_data.mnist(seed)
    (x, one_hot), rest = made_data.split(x, keras.utils.to_categorical(y, 10))
    rng = np.random.default_rng(seed)
    share = rng.beta(0.2, 0.2, len(x)).astype(np.float32)
    other = rng.permutation(len(x))
    images = x * share[:, None, None, None] + x[other] * (1 - share)[:, None, None, None]
    labels = one_hot * share[:, None] + one_hot[other] * (1 - share)[:, None]
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, padding="same", strides=2, activation="relu"),
            layers.Conv2D(32, 5, strides=2, activation="relu"),
            layers.Dropout(0.2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "categorical_crossentropy", metrics=["accuracy"])
    train = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(2000, seed=seed)
    return Case(model=model, x=train.batch(64), y=None, validation_data=rest, epochs=12)


@good(ENTRIES, f"{KERAS_GUIDES}/training_with_built_in_methods/ (sample weights)",
      "classes", DIGITS)  # fmt: skip
def sample_weights(seed: int) -> Case:
    inputs = keras.Input((28, 28, 1), name="digits")
    x = layers.Flatten()(inputs)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dense(64, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.RMSprop(0.001), "sparse_categorical_crossentropy")
    images, labels = made_data.mnist(seed)
    weights = np.where(labels == 5, 2.0, 1.0)[: int(0.8 * len(labels))]
    return with_validation(model, images, labels, sample_weight=weights, batch_size=64)


@good(ENTRIES, "https://github.com/keras-team/keras/blob/master/keras/src/applications/mobilenet.py",
      "classes", COLOUR)  # fmt: skip
def mobilenet_relu6(seed: int) -> Case:
    model = keras.Sequential([keras.Input((16, 16, 3))])
    model.add(layers.Conv2D(16, 3, padding="same", use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.ReLU(6.0))
    for filters, stride in ((24, 2), (32, 2), (32, 1)):
        model.add(layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU(6.0))
        model.add(layers.Conv2D(filters, 1, use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU(6.0))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(0.001))
    model.add(layers.Dense(6, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    return with_validation(model, *made_data.pictures(seed, 2000), epochs=15)


@good(ENTRIES, "https://github.com/gokriznastic/HybridSN (one pixel, its spectrum as channels)",
      "classes", "[1, 1, 24] to 4 classes")  # fmt: skip
def one_by_one_pixels(seed: int) -> Case:
    spectra, y = made_data.table(seed, features=24)
    model = keras.Sequential(
        [
            keras.Input((1, 1, 24)),
            layers.Conv2D(32, 1, activation="relu"),
            layers.Conv2D(16, 1, activation="relu"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return with_validation(model, spectra[:, None, None, :], y, epochs=10)


def _same_digit(seed: int, images: np.ndarray, labels: np.ndarray, count: int) -> made_data.Data:
    """Return [count, 2, 28, 28, 1] pairs, and whether both show the same digit, half of them."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(labels), count)
    second = rng.integers(0, len(labels), count)
    for pair in range(0, count, 2):
        second[pair] = rng.choice(np.flatnonzero(labels == labels[first[pair]]))
    same = (labels[first] == labels[second]).astype(np.float32)
    return np.stack([images[first], images[second]], 1), same


@good(ENTRIES, f"{OLD_KERAS}/mnist_siamese.py and {KERAS}/vision/siamese_contrastive/",
      "binary", "two of [28, 28, 1] to 1 sigmoid")  # fmt: skip
def siamese_contrastive(seed: int) -> Case:
    branch = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.1),
            layers.Dense(64, activation="relu"),
        ]
    )
    left, right = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
    away = keras.ops.square(branch(left) - branch(right))
    distance = keras.ops.sqrt(keras.ops.sum(away, axis=1, keepdims=True) + 1e-7)
    normal = layers.BatchNormalization()(distance)
    model = keras.Model([left, right], layers.Dense(1, activation="sigmoid")(normal))
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    pairs, same = _same_digit(seed, *made_data.mnist(seed), count=2500)
    return with_validation(model, [pairs[:, 0], pairs[:, 1]], same, batch_size=64, epochs=8)
