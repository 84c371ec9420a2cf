"""Good programs for pictures, of dense layers or few convolutions."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from tests.support.collection import made_data
from tests.support.collection.entries import Case, Entry
from tests.support.collection.sources import (
    CHOLLET,
    GERON,
    KERAS,
    KERAS_GUIDES,
    TENSORFLOW,
    good,
    with_validation,
)

ENTRIES: list[Entry] = []
DIGITS, SMALL_DIGITS = "[28, 28, 1] to 10 classes", "[8, 8, 1] to 10 classes"
TRAINING = f"{GERON}/11_training_deep_neural_networks.ipynb"


@good(ENTRIES, f"{TENSORFLOW}/keras/classification", "classes", "[28, 28] to 10 classes")
def basic_classification(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    images, labels = made_data.mnist(seed)
    return with_validation(model, images[..., 0], labels, epochs=10)


@good(ENTRIES, f"{TENSORFLOW}/quickstart/advanced", "classes", DIGITS)
def quickstart_subclassed_dataset(seed: int) -> Case:
    class MyModel(keras.Model):
        """A convolution, a hidden layer and the readout."""

        def __init__(self) -> None:
            super().__init__()
            self.conv1 = layers.Conv2D(8, 3, activation="relu")
            self.flatten = layers.Flatten()
            self.d1 = layers.Dense(128, activation="relu")
            self.d2 = layers.Dense(10)

        def call(self, x: Any) -> Any:
            return self.d2(self.d1(self.flatten(self.conv1(x))))

    model = MyModel()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss)
    train, rest = made_data.split(*made_data.mnist(seed))
    shuffled = tf.data.Dataset.from_tensor_slices(train).shuffle(2000, seed=seed).batch(32)
    test = tf.data.Dataset.from_tensor_slices(rest).batch(32)
    return Case(model=model, x=shuffled, y=None, validation_data=test, epochs=3)


@good(ENTRIES, f"{KERAS}/vision/mnist_convnet/", "classes", DIGITS)
def mnist_convnet(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    x, y = made_data.mnist(seed)
    return with_validation(model, x, keras.utils.to_categorical(y, 10), batch_size=128, epochs=10)


@good(ENTRIES, f"{KERAS}/keras_recipes/antirectifier/", "classes", "[784] to 10 classes")
def antirectifier(seed: int) -> Case:
    class Antirectifier(layers.Layer):
        """Keeps the positive and the negative part of each value, each normalised."""

        def build(self, input_shape: tuple[Any, ...]) -> None:
            width = input_shape[-1]
            start = keras.initializers.HeNormal()
            self.kernel = self.add_weight(shape=(width * 2, width), initializer=start)

        def call(self, inputs: Any) -> Any:
            centred = inputs - ops.mean(inputs, axis=-1, keepdims=True)
            both = ops.concatenate([ops.relu(centred), ops.relu(-centred)], axis=-1)
            return ops.matmul(both, self.kernel)

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            return input_shape

    model = keras.Sequential(
        [
            keras.Input(shape=(784,)),
            layers.Dense(128),
            Antirectifier(),
            layers.Dense(128),
            Antirectifier(),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, optimizer=keras.optimizers.RMSprop())
    images, labels = made_data.mnist(seed)
    return with_validation(model, images.reshape(-1, 784), labels, batch_size=64, epochs=10)


@good(ENTRIES, f"{TRAINING} (SELU)", "classes", DIGITS)
def selu_deep(seed: int) -> Case:
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten()])
    for units in (100, *[50] * 14):
        model.add(layers.Dense(units, activation="selu", kernel_initializer="lecun_normal"))
    model.add(layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.SGD(learning_rate=0.01)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
    images, labels = made_data.mnist(seed)
    pixels = made_data.standardized(images.reshape(len(images), -1)).reshape(images.shape)
    return with_validation(model, pixels, labels, epochs=8)


@good(ENTRIES, f"{TRAINING} (batch normalization before the activation)", "classes", DIGITS)
def batch_norm_before_activation(seed: int) -> Case:
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten()])
    for units in (100, 50):
        model.add(layers.Dense(units, kernel_initializer="he_normal", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
    model.add(layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
    return with_validation(model, *made_data.mnist(seed), epochs=10)


@good(ENTRIES, f"{KERAS_GUIDES}/training_with_built_in_methods/ (class weights)", "classes", DIGITS)
def class_weights(seed: int) -> Case:
    inputs = keras.Input(shape=(784,), name="digits")
    x = layers.Dense(64, activation="relu", name="dense_1")(inputs)
    x = layers.Dense(64, activation="relu", name="dense_2")(x)
    outputs = layers.Dense(10, activation="softmax", name="predictions")(x)
    model = keras.Model(inputs, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.RMSprop(learning_rate=1e-3), loss)
    weights = {label: 2.0 if label == 5 else 1.0 for label in range(10)}
    images, labels = made_data.mnist(seed)
    return with_validation(
        model, images.reshape(-1, 784), labels, class_weight=weights, batch_size=64
    )


@good(ENTRIES, f"{KERAS}/vision/knowledge_distillation/", "classes", DIGITS)
def distilled_student(seed: int) -> Case:
    def network(filters: int) -> keras.Model:
        return keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Conv2D(filters, 3, strides=2, padding="same"),
                layers.LeakyReLU(negative_slope=0.2),
                layers.MaxPooling2D(2, strides=1, padding="same"),
                layers.Conv2D(2 * filters, 3, strides=2, padding="same"),
                layers.Flatten(),
                layers.Dense(10),
            ]
        )

    class Distiller(keras.Model):
        """Trains a student on the labels and on a teacher's softened outputs."""

        def __init__(self, student: keras.Model, teacher: keras.Model) -> None:
            super().__init__()
            self.student, self.teacher = student, teacher

        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None,
                         sample_weight: Any = None, training: bool = True) -> Any:  # fmt: skip
            hard = ops.mean(
                keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
            )
            soft = ops.softmax(self.teacher(x, training=False) / 10)
            near = keras.losses.kl_divergence(soft, ops.softmax(y_pred / 10))
            return 0.1 * hard + 0.9 * ops.mean(near) * 10**2

        def call(self, x: Any) -> Any:
            return self.student(x)

    images, labels = made_data.mnist(seed)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    teacher = network(32)
    teacher.compile(keras.optimizers.Adam(), loss)
    teacher.fit(images[:1600], labels[:1600], epochs=2, verbose=0)
    teacher.trainable = False
    model = Distiller(network(8), teacher)
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss)
    return with_validation(model, images, labels, epochs=4)


@good(ENTRIES, "https://keras.io/api/optimizers/adam/ (gradient_accumulation_steps)",
      "classes", DIGITS)  # fmt: skip
def gradient_accumulation(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    optimizer = keras.optimizers.Adam(0.002, gradient_accumulation_steps=4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return with_validation(model, *made_data.mnist(seed), batch_size=16)


@good(ENTRIES, "https://keras.io/api/optimizers/learning_rate_schedules/piecewise_constant_decay/",
      "classes", SMALL_DIGITS)  # fmt: skip
def piecewise_schedule(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([200, 400], [0.1, 0.03, 0.01])
    model.compile(keras.optimizers.SGD(rate, momentum=0.5), "sparse_categorical_crossentropy")
    return with_validation(model, *made_data.digits(seed), epochs=12)


@good(ENTRIES, "http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf (LeNet-5, tanh)",
      "classes", DIGITS)  # fmt: skip
def lenet_tanh(seed: int) -> Case:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return with_validation(model, *made_data.mnist(seed), epochs=8)


@good(ENTRIES, f"{CHOLLET}/first_edition/5.2-using-convnets-with-small-datasets.ipynb",
      "classes", "[16, 16, 3] to 3 classes")  # fmt: skip
def few_pictures(seed: int) -> Case:
    images, labels = made_data.pictures(seed, 260, classes=3)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    rest = (images[60:], labels[60:])
    return Case(model=model, x=images[:60], y=labels[:60], validation_data=rest,
                batch_size=16, epochs=60)  # fmt: skip
