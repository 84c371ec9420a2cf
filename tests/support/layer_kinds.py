"""Small good programs, one for each kind of layer, for checks that look inside a network."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from mnist_exp.preflight.program.compiled import compiled_loss
from mnist_exp.preflight.program.program import Program

COUNT = 128
CROSS_ENTROPY = "sparse_categorical_crossentropy"
SQUARE = "mean_squared_error"


def softmax(classes: int = 10) -> layers.Layer:
    """Return a last layer for a number of classes."""
    return layers.Dense(classes, activation="softmax")


def relu_conv(filters: int = 8, **options: Any) -> layers.Layer:
    """Return a 3x3 convolution with ReLU."""
    return layers.Conv2D(filters, 3, activation="relu", **options)


def chain(*parts: Any, shape: tuple[int, ...] = (12, 12, 1), dtype: str = "float32") -> Any:
    """Return a model of layers one after the other."""
    return keras.Sequential([keras.Input(shape, dtype=dtype), *parts])


def random_data(model: keras.Model, seed: int = 0) -> tuple[Any, np.ndarray]:
    """Return COUNT random inputs in the form that the model takes, and classes 0 to 2."""
    random = np.random.default_rng(seed)

    def values(tensor: Any) -> np.ndarray:
        shape = (COUNT, *[8 if size is None else size for size in tensor.shape[1:]])
        if "int" in tensor.dtype:
            return random.integers(1, 20, shape).astype(tensor.dtype)
        return random.normal(size=shape).astype(np.float32)

    inputs = keras.tree.map_structure(values, model.inputs)
    return (inputs[0] if len(inputs) == 1 else inputs), random.integers(0, 3, COUNT)


def program(model: keras.Model, loss: str = CROSS_ENTROPY, x: Any = None, y: Any = None) -> Program:
    """Return a program with Adam; random inputs and classes if none are given."""
    if x is None:
        x, classes = random_data(model)
        y = classes if y is None else y
    model.compile("adam", loss)
    return Program(model, compiled_loss(model), model.optimizer, x, y)


def _residual() -> keras.Model:
    inputs = keras.Input((12, 12, 1))
    x = relu_conv()(inputs)
    branch = layers.BatchNormalization()(relu_conv(padding="same")(x))
    branch = layers.Conv2D(8, 3, padding="same", kernel_initializer="zeros")(branch)
    x = layers.ReLU()(layers.Add()([x, branch]))
    return keras.Model(inputs, softmax()(layers.GlobalAveragePooling2D()(x)))


def _gated() -> keras.Model:
    inputs = keras.Input((12, 12, 1))
    x = relu_conv()(inputs)
    gate = layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    gate = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="sigmoid")(gate))
    return keras.Model(inputs, softmax()(layers.Flatten()(layers.Multiply()([x, gate]))))


def _attention() -> keras.Model:
    tokens = keras.Input((8,), dtype="int32")
    x = layers.Embedding(20, 8)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(8)(layers.Dense(16, activation="gelu")(x)))
    return keras.Model(tokens, softmax(3)(layers.GlobalAveragePooling1D()(x)))


def _factorisation() -> keras.Model:
    users, items = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    rows = layers.Embedding(20, 4)(users), layers.Embedding(20, 4)(items)
    return keras.Model([users, items], layers.Dot(1)(rows))


def _mixed_table() -> keras.Model:
    numbers, category = keras.Input((5,)), keras.Input((), dtype="int32")
    x = layers.Concatenate()([numbers, layers.Embedding(20, 3)(category)])
    return keras.Model([numbers, category], softmax(3)(layers.Dense(16, activation="relu")(x)))


GOOD: dict[str, Callable[[], keras.Model]] = {
    "convolutions": lambda: chain(
        relu_conv(), layers.MaxPool2D(), layers.Flatten(), layers.Dropout(0.5), softmax()
    ),
    "separable": lambda: chain(
        layers.SeparableConv2D(8, 3, activation="relu"), layers.Flatten(), softmax()
    ),
    "residual": _residual,
    "gated": _gated,
    "attention": _attention,
    "factorisation": _factorisation,
    "mixed table": _mixed_table,
    "words": lambda: chain(
        layers.Embedding(20, 8), layers.GlobalAveragePooling1D(), softmax(3),
        shape=(8,), dtype="int32",
    ),
    "text convolution": lambda: chain(
        layers.Embedding(20, 8), layers.SpatialDropout1D(0.2),
        layers.Conv1D(8, 3, activation="relu"), layers.GlobalMaxPooling1D(), softmax(3),
        shape=(8,), dtype="int32",
    ),
    "recurrent": lambda: chain(
        layers.Embedding(20, 8, mask_zero=True), layers.LSTM(8), softmax(3),
        shape=(8,), dtype="int32",
    ),
    "recurrent series": lambda: chain(layers.GRU(8), layers.Dense(1), shape=(8, 1)),
    "normalised table": lambda: chain(
        layers.BatchNormalization(), layers.Dense(8, activation="tanh"), softmax(3), shape=(5,)
    ),
    "many activations": lambda: chain(
        layers.Conv2D(8, 3), layers.PReLU(), layers.Flatten(), layers.Dense(16), layers.LeakyReLU(),
        layers.Dense(16, activation="selu"), layers.Dense(16, activation="swish"), softmax(),
    ),
    "linear": lambda: chain(softmax(3), shape=(5,)),
}  # fmt: skip
# What each is trained with, where it is not a cross entropy.
LOSSES = {"factorisation": SQUARE, "recurrent series": SQUARE}


def good(name: str) -> Program:
    """Return one of the good programs."""
    keras.utils.set_random_seed(0)  # the few units of a gate may all be dead at the start
    return program(GOOD[name](), LOSSES.get(name, CROSS_ENTROPY))
