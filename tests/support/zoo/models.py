"""Models and parts of models, right and wrong ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

IMAGE = (28, 28, 1)


def initializers(name: str, seed: int) -> Callable[[str], keras.initializers.Initializer]:
    """Return a function from a role to a new initialiser.

    Roles are "hidden", "readout", "bias" and "readout_bias".
    """
    stream = iter(range(1000 * seed, 1000 * seed + 1000))
    i = keras.initializers

    def of(role: str) -> keras.initializers.Initializer:
        layer_seed = next(stream)
        bias = role.endswith("bias")
        match name:
            case "zeros":
                return i.Zeros()
            case "notebook":
                return i.Constant(0.1) if bias else i.TruncatedNormal(stddev=0.1, seed=layer_seed)
            case "blog":
                table = {
                    "hidden": i.RandomNormal(stddev=0.01, seed=layer_seed),
                    "readout": i.GlorotUniform(seed=layer_seed),
                    "bias": i.Zeros(),
                    "readout_bias": i.RandomNormal(stddev=1.0, seed=layer_seed),
                }
                return table[role]
            case "he":
                return i.Zeros() if bias else i.HeNormal(seed=layer_seed)
            case "glorot":
                return i.Zeros() if bias else i.GlorotUniform(seed=layer_seed)
            case "constant":
                return i.Constant(0.1)
            case "large":
                return i.Zeros() if bias else i.RandomNormal(stddev=1.0, seed=layer_seed)
            case "dead":
                return i.Constant(-20.0) if role == "bias" else i.GlorotUniform(seed=layer_seed)
        raise ValueError(name)

    return of


def sequential(*parts: Any, shape: tuple[int, ...] = IMAGE) -> keras.Model:
    """Return a Keras model of layers, for inputs of a shape."""
    return keras.Sequential([keras.Input(shape), *parts])


def softmax(init: str, seed: int, head: Sequence[Any] = ()) -> keras.Model:
    """Return a linear model. head: layers after the readout."""
    return sequential(layers.Flatten(), _readout(initializers(init, seed)), *head)


def _readout(of: Callable[[str], keras.initializers.Initializer]) -> layers.Layer:
    return layers.Dense(10, kernel_initializer=of("readout"), bias_initializer=of("readout_bias"))


def mlp(
    init: str,
    seed: int,
    head: Sequence[Any] = (),
    extra: Sequence[Any] = (),
    units: int = 100,
    activation: str = "relu",
) -> keras.Model:
    """Return a network with one hidden layer. extra: layers after that, head: after the readout."""
    of = initializers(init, seed)
    hidden = layers.Dense(
        units, activation=activation, kernel_initializer=of("hidden"), bias_initializer=of("bias")
    )
    return sequential(layers.Flatten(), hidden, *extra, _readout(of), *head)


@dataclass(frozen=True, kw_only=True)
class Cnn:
    """What a convolutional network looks like.

    filters: of the first and the second convolution; a max pool follows each.
    kernel: width and height of their kernels.
    bias: False for convolutions without one.
    extra: layers between the first convolution and its pool.
    dense: units of a hidden layer before the readout, 0 for none.
    dropout: rate before the readout, 0 for none.
    activation: of convolutions and the hidden layer.
    """

    filters: tuple[int, int] = (8, 16)
    kernel: int = 3
    bias: bool = True
    extra: Sequence[Any] = field(default=())
    dense: int = 0
    dropout: float = 0.0
    activation: str = "relu"


def cnn(init: str, seed: int, head: Sequence[Any] = (), **options: Any) -> keras.Model:
    """Return a network with two convolutions. options: fields of Cnn; head: after the readout."""
    of, shape = initializers(init, seed), Cnn(**options)
    common = {"activation": shape.activation}

    def hidden(kind: Callable[..., layers.Layer], *size: int, **more: Any) -> layers.Layer:
        starts = {"kernel_initializer": of("hidden"), "bias_initializer": of("bias")}
        return kind(*size, **common, **starts, **more)

    parts: list[Any] = []
    for filters, extra in zip(shape.filters, (shape.extra, ()), strict=True):
        more = {"padding": "same", "use_bias": shape.bias}
        parts += [hidden(layers.Conv2D, filters, shape.kernel, **more), *extra, layers.MaxPool2D()]
    parts.append(layers.Flatten())
    if shape.dense:
        parts.append(hidden(layers.Dense, shape.dense))
    if shape.dropout:
        parts.append(layers.Dropout(shape.dropout, seed=seed))
    return sequential(*parts, _readout(of), *head)


def cnn3x3(init: str, seed: int, head: Sequence[Any] = ()) -> keras.Model:
    """Return the blog's network."""
    return cnn(init, seed, head, filters=(32, 64), bias=False)


def cnn5x5(init: str, seed: int, head: Sequence[Any] = ()) -> keras.Model:
    """Return the notebook's network."""
    return cnn(init, seed, head, filters=(32, 64), kernel=5, dense=1024, dropout=0.5)


class Plain:
    """A model without Keras: variables and a function of them. It takes no `training`.

    The first `forgotten` variables are missing in `trainable_variables`.
    """

    def __init__(
        self, function: Callable[..., tf.Tensor], *variables: tf.Variable, forgotten: int = 0
    ) -> None:
        self.function, self.all = function, list(variables)
        self.trainable_variables = self.all[forgotten:]

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return self.function(images, *self.all)


def flat(images: tf.Tensor) -> tf.Tensor:
    """Return the images as [B, 784]."""
    return tf.reshape(images, [-1, 784])


def relu_mlp(x: tf.Tensor, w1: Any, b1: Any, w2: Any, b2: Any) -> tf.Tensor:
    """Return the outputs of a network with one hidden layer, from images and variables."""
    return tf.nn.relu(flat(x) @ w1 + b1) @ w2 + b2


def plain_mlp(
    seed: int, function: Callable[..., tf.Tensor] = relu_mlp, forgotten: int = 0
) -> Plain:
    """Return the network without Keras. function: from images and the four variables to outputs."""
    glorot = [keras.initializers.GlorotUniform(seed=seed + n) for n in (0, 1)]
    variables = [
        tf.Variable(glorot[0]((784, 100)), name="hidden_weights"),
        tf.Variable(tf.zeros(100), name="hidden_bias"),
        tf.Variable(glorot[1]((100, 10)), name="readout_weights"),
        tf.Variable(tf.zeros(10), name="readout_bias"),
    ]
    return Plain(function, *variables, forgotten=forgotten)


class CallLayer(layers.Layer):
    """A Keras layer from a function of its input."""

    def __init__(self, function: Callable[[tf.Tensor], tf.Tensor]) -> None:
        super().__init__()
        self.function = function

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Apply the function."""
        return self.function(inputs)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape of the input."""
        return input_shape


class AlwaysTraining(layers.Layer):
    """The mistake of passing training=True by hand."""

    def __init__(self, inner: layers.Layer) -> None:
        super().__init__()
        self.inner = inner

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Apply the inner layer as in training."""
        return self.inner(inputs, training=True)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape of the input."""
        return input_shape


class Untracked(keras.Model):
    """The mistake of keeping a layer where Keras does not see it: in a function."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        glorot = keras.initializers.GlorotUniform(seed=seed)
        hidden = layers.Dense(100, activation="relu", kernel_initializer=glorot)
        self.steps = lambda images: hidden(flat(images))
        self.readout = layers.Dense(10)
        self(np.zeros((2, *IMAGE), np.float32))

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Return logits."""
        return self.readout(self.steps(images))


def before(function: Any, model: keras.Model) -> keras.Model:
    """Put a layer, or a function of the images, before a model."""
    first = function if isinstance(function, layers.Layer) else CallLayer(function)
    return sequential(first, *model.layers)


def frozen(model: keras.Model) -> keras.Model:
    """Freeze the first layer."""
    model.layers[0].trainable = False
    return model


def scaled(factor: float) -> layers.Layer:
    """Return a layer that multiplies by a factor."""
    return CallLayer(lambda x: factor * x)


def large_hidden(seed: int) -> layers.Layer:
    """Return a hidden layer whose weights are too large."""
    large = initializers("large", seed + 1)("hidden")
    return layers.Dense(500, activation="relu", kernel_initializer=large)
