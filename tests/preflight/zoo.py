"""Training programs that are right or have one mistake, each as a small function of a seed.

Models go from images [B, 28, 28, 1] to logits [B, 10], losses take int labels [B] and logits, unless a name says otherwise.

`broken()` gives (name, architecture, expected code, build), `good()` gives (name, architecture, None, build).
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from mnist_exp import data

EXAMPLES = 800


@dataclass(frozen=True)
class Case:
    """The arguments of `check`."""

    model: Any
    loss: Callable[[Any, Any], Any]
    optimizer: Any
    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Entry:
    name: str
    architecture: str
    code: str | None  # None: a good program
    build: Callable[[int], Case]


@functools.cache
def _mnist() -> data.Split:
    return data.load(train_limit=20_000).train


def sample(seed: int, count: int = EXAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """float32 [count, 28, 28, 1] in [0, 1] and int32 [count]; another part for every seed."""
    split = _mnist()
    start = (seed * count) % (len(split) - count)
    part = slice(start, start + count)
    return split.images[part].reshape(-1, 28, 28, 1).astype(np.float32) / 255, split.labels[part]


def initializers(name: str, seed: int) -> Callable[[str], keras.initializers.Initializer]:
    """A function from a role ("hidden", "readout", "bias", "readout_bias") to a new initialiser."""
    stream = iter(range(1000 * seed, 1000 * seed + 1000))
    i = keras.initializers

    def of(role: str) -> keras.initializers.Initializer:
        s = next(stream)
        bias = role.endswith("bias")
        match name:
            case "zeros":
                return i.Zeros()
            case "notebook":
                return i.Constant(0.1) if bias else i.TruncatedNormal(stddev=0.1, seed=s)
            case "blog":
                table = {
                    "hidden": i.RandomNormal(stddev=0.01, seed=s),
                    "readout": i.GlorotUniform(seed=s),
                }
                table |= {"bias": i.Zeros(), "readout_bias": i.RandomNormal(stddev=1.0, seed=s)}
                return table[role]
            case "he":
                return i.Zeros() if bias else i.HeNormal(seed=s)
            case "glorot":
                return i.Zeros() if bias else i.GlorotUniform(seed=s)
            case "constant":
                return i.Constant(0.1)
            case "large":
                return i.Zeros() if bias else i.RandomNormal(stddev=1.0, seed=s)
            case "dead":
                return i.Constant(-20.0) if role == "bias" else i.GlorotUniform(seed=s)
        raise ValueError(name)

    return of


def softmax(init: str, seed: int, head: list[Any] | None = None) -> keras.Model:
    of = initializers(init, seed)
    readout = layers.Dense(
        10, kernel_initializer=of("readout"), bias_initializer=of("readout_bias")
    )
    return sequential(layers.Flatten(), readout, *(head or []))


def mlp(
    init: str,
    seed: int,
    head: list[Any] | None = None,
    units: int = 100,
    activation: str = "relu",
    extra: list[Any] | None = None,
) -> keras.Model:
    of = initializers(init, seed)
    hidden = layers.Dense(
        units, activation=activation, kernel_initializer=of("hidden"), bias_initializer=of("bias")
    )
    readout = layers.Dense(
        10, kernel_initializer=of("readout"), bias_initializer=of("readout_bias")
    )
    return sequential(layers.Flatten(), hidden, *(extra or []), readout, *(head or []))


def cnn(
    init: str,
    seed: int,
    head: list[Any] | None = None,
    filters: tuple[int, int] = (8, 16),
    kernel: int = 3,
    dense: int = 0,
    dropout: float = 0.0,
    bias: bool = True,
    activation: str = "relu",
    extra: list[Any] | None = None,
) -> keras.Model:
    """Two convolutions with max pools. extra: layers before the first activation's pool."""
    of = initializers(init, seed)

    def convolution(count: int) -> layers.Layer:
        return layers.Conv2D(
            count,
            kernel,
            padding="same",
            activation=activation,
            use_bias=bias,
            kernel_initializer=of("hidden"),
            bias_initializer=of("bias"),
        )

    parts: list[Any] = [convolution(filters[0]), *(extra or []), layers.MaxPool2D()]
    parts += [convolution(filters[1]), layers.MaxPool2D(), layers.Flatten()]
    if dense:
        parts.append(
            layers.Dense(
                dense,
                activation=activation,
                kernel_initializer=of("hidden"),
                bias_initializer=of("bias"),
            )
        )
    if dropout:
        parts.append(layers.Dropout(dropout, seed=seed))
    readout = layers.Dense(
        10, kernel_initializer=of("readout"), bias_initializer=of("readout_bias")
    )
    return sequential(*parts, readout, *(head or []))


def cnn3x3(init: str, seed: int, head: list[Any] | None = None) -> keras.Model:
    return cnn(init, seed, head, filters=(32, 64), bias=False)


def cnn5x5(init: str, seed: int, head: list[Any] | None = None) -> keras.Model:
    return cnn(init, seed, head, filters=(32, 64), kernel=5, dense=1024, dropout=0.5)


def sequential(*parts: Any, shape: tuple[int, ...] = (28, 28, 1)) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *parts])


ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {"softmax": softmax, "mlp": mlp, "cnn": cnn}


class Plain:
    """A program without Keras: variables and a function of them. Takes no `training`."""

    def __init__(
        self, function: Callable[..., tf.Tensor], *variables: tf.Variable, forgotten: int = 0
    ) -> None:
        self.function, self.all = function, list(variables)
        self.trainable_variables = self.all[forgotten:]

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return self.function(images, *self.all)


def plain_mlp(
    seed: int, function: Callable[..., tf.Tensor] | None = None, forgotten: int = 0
) -> Plain:
    glorot = [keras.initializers.GlorotUniform(seed=seed + n) for n in (0, 1)]

    def default(
        x: tf.Tensor, w1: tf.Variable, b1: tf.Variable, w2: tf.Variable, b2: tf.Variable
    ) -> tf.Tensor:
        return tf.nn.relu(tf.reshape(x, [-1, 784]) @ w1 + b1) @ w2 + b2

    variables = [
        tf.Variable(glorot[0]((784, 100)), name="hidden_weights"),
        tf.Variable(tf.zeros(100), name="hidden_bias"),
        tf.Variable(glorot[1]((100, 10)), name="readout_weights"),
        tf.Variable(tf.zeros(10), name="readout_bias"),
    ]
    return Plain(function or default, *variables, forgotten=forgotten)


class CallLayer(layers.Layer):
    """A Keras layer from a function of its input."""

    def __init__(self, function: Callable[[tf.Tensor], tf.Tensor]) -> None:
        super().__init__()
        self.function = function

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.function(inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape


class AlwaysTraining(layers.Layer):
    """The mistake of passing training=True by hand."""

    def __init__(self, inner: layers.Layer) -> None:
        super().__init__()
        self.inner = inner

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.inner(inputs, training=True)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape


def per_example(labels: Any, logits: Any) -> tf.Tensor:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def mean(labels: Any, logits: Any) -> tf.Tensor:
    return tf.reduce_mean(per_example(labels, logits))


def total(labels: Any, logits: Any) -> tf.Tensor:
    return tf.reduce_sum(per_example(labels, logits))


def from_probabilities(labels: Any, outputs: Any) -> tf.Tensor:
    """The tutorial's -sum(labels * log(outputs)), summed over the batch."""
    return -tf.reduce_sum(tf.one_hot(labels, 10) * tf.math.log(outputs))


def buggy_from_probabilities(labels: Any, outputs: Any) -> tf.Tensor:
    return -tf.reduce_sum(outputs * tf.math.log(outputs))


def self_entropy(labels: Any, logits: Any) -> tf.Tensor:
    log_y = tf.nn.log_softmax(logits)
    return -tf.reduce_sum(tf.exp(log_y) * log_y, axis=1)


def one_hot_mean(labels: Any, logits: Any) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits))


def clipped_log(labels: Any, outputs: Any) -> tf.Tensor:
    log = tf.math.log(tf.clip_by_value(outputs, 1e-10, 1.0))
    return -tf.reduce_mean(tf.reduce_sum(tf.one_hot(labels, 10) * log, axis=1))


def optimizers() -> dict[str, Callable[[], keras.optimizers.Optimizer]]:
    o = keras.optimizers
    return {
        "sgd": lambda: o.SGD(0.01),
        "momentum": lambda: o.SGD(0.01, momentum=0.9),
        "adam": lambda: o.Adam(1e-3, epsilon=1e-8),
        "adamw": lambda: o.AdamW(),
        "rmsprop": lambda: o.RMSprop(),
        "adagrad": lambda: o.Adagrad(),
    }


def adam(rate: float = 1e-3) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(rate)


def sgd(rate: float = 0.1) -> keras.optimizers.Optimizer:
    return keras.optimizers.SGD(rate)


class ForgetfulSGD(keras.optimizers.SGD):
    """Leaves the first variable as it is."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if self._get_variable_index(variable) > 0:
            super().update_step(gradient, variable, learning_rate)


class AscendingSGD(keras.optimizers.SGD):
    """Adds the gradient."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(-gradient, variable, learning_rate)


def presets() -> Iterator[Entry]:
    def preset(model: Callable[[int], keras.Model], loss: Any, optimizer: Callable[[], Any]) -> Any:
        return lambda seed: Case(model(seed), loss, optimizer(), *sample(seed))

    yield Entry(
        "notebook_softmax",
        "softmax",
        None,
        preset(lambda s: softmax("zeros", s), total, lambda: sgd(0.01)),
    )
    yield Entry(
        "notebook_softmax_literal",
        "softmax",
        None,
        preset(
            lambda s: softmax("zeros", s, [layers.Softmax()]), from_probabilities, lambda: sgd(0.01)
        ),
    )
    yield Entry(
        "blog_cnn3x3",
        "cnn3x3",
        None,
        preset(
            lambda s: cnn3x3("blog", s), mean, lambda: keras.optimizers.Adam(1e-3, epsilon=1e-8)
        ),
    )
    yield Entry(
        "notebook_cnn5x5",
        "cnn5x5",
        None,
        preset(lambda s: cnn5x5("notebook", s), total, lambda: adam(1e-4)),
    )


def grid(seeds: range) -> Iterator[tuple[Entry, int]]:
    """Each optimizer and each initialisation with each seed, the other of the two taking turns."""
    for architecture, model in ARCHITECTURES.items():
        inits = ["glorot", "he", "notebook", "blog"] + (
            ["zeros"] if architecture == "softmax" else []
        )
        makers = list(optimizers().items())
        for seed in seeds:
            pairs = {(n, inits[(n + seed) % len(inits)]) for n in range(len(makers))}
            pairs |= {((n + seed) % len(makers), init) for n, init in enumerate(inits)}
            for n, init in sorted(pairs):
                name, optimizer = makers[n]

                def build(
                    s: int, model: Any = model, init: str = init, optimizer: Any = optimizer
                ) -> Case:
                    return Case(model(init, s), per_example, optimizer(), *sample(s))

                yield Entry(f"{architecture}-{init}-{name}", architecture, None, build), seed


def variations() -> Iterator[Entry]:
    """Other right ways to write a program, one for each thing that a check could take for a mistake."""

    def entry(name: str, architecture: str) -> Callable[[Callable[[int], Case]], Entry]:
        return lambda build: Entry(name, architecture, None, build)

    def case(model: Any, loss: Any, optimizer: Any, seed: int, **changes: Any) -> Case:
        images, labels = sample(seed)
        return replace(Case(model, loss, optimizer, images, labels), **changes)

    k = keras.losses
    yield entry("one_hot_labels", "mlp")(
        lambda s: case(
            mlp("glorot", s),
            one_hot_mean,
            adam(),
            s,
            labels=np.eye(10, dtype=np.float32)[sample(s)[1]],
        )
    )
    yield entry("keras_loss_from_logits", "mlp")(
        lambda s: case(
            mlp("glorot", s), k.SparseCategoricalCrossentropy(from_logits=True), adam(), s
        )
    )
    yield entry("keras_loss_probabilities", "mlp")(
        lambda s: case(
            mlp("glorot", s, [layers.Softmax()]), k.SparseCategoricalCrossentropy(), adam(), s
        )
    )
    yield entry("label_smoothing", "mlp")(
        lambda s: case(
            mlp("glorot", s),
            k.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
            adam(),
            s,
            labels=np.eye(10, dtype=np.float32)[sample(s)[1]],
        )
    )
    yield entry("log_softmax_nll", "mlp")(
        lambda s: case(
            mlp("glorot", s, [layers.Activation("log_softmax")]),
            lambda y, z: -tf.reduce_mean(tf.gather(z, y, batch_dims=1)),
            adam(),
            s,
        )
    )
    yield entry("rescaling_layer_uint8", "cnn")(
        lambda s: case(
            keras.Sequential(
                [keras.Input((28, 28, 1)), layers.Rescaling(1 / 255), *cnn("glorot", s).layers]
            ),
            mean,
            adam(),
            s,
            images=(sample(s)[0] * 255).round().astype(np.uint8),
        )
    )
    yield entry("standardised", "mlp")(
        lambda s: case(mlp("glorot", s), mean, adam(), s, images=(sample(s)[0] - 0.1307) / 0.3081)
    )
    yield entry("minus_one_to_one", "cnn")(
        lambda s: case(cnn("glorot", s), mean, adam(), s, images=2 * sample(s)[0] - 1)
    )
    yield entry("flat_images", "softmax")(
        lambda s: case(
            sequential(layers.Dense(10), shape=(784,)),
            mean,
            sgd(),
            s,
            images=sample(s)[0].reshape(-1, 784),
        )
    )
    yield entry("batch_norm", "cnn")(
        lambda s: case(cnn("glorot", s, extra=[layers.BatchNormalization()]), mean, adam(), s)
    )
    yield entry("batch_norm_dense", "mlp")(
        lambda s: case(mlp("glorot", s, extra=[layers.BatchNormalization()]), mean, adam(), s)
    )
    yield entry("layer_norm", "mlp")(
        lambda s: case(mlp("glorot", s, extra=[layers.LayerNormalization()]), mean, adam(), s)
    )
    yield entry("dropout", "mlp")(
        lambda s: case(mlp("glorot", s, extra=[layers.Dropout(0.5, seed=s)]), mean, adam(), s)
    )
    yield entry("tanh", "mlp")(lambda s: case(mlp("glorot", s, activation="tanh"), mean, adam(), s))
    yield entry("sigmoid", "mlp")(
        lambda s: case(mlp("glorot", s, activation="sigmoid"), mean, adam(), s)
    )
    yield entry("plain_callable", "mlp")(lambda s: case(plain_mlp(s), mean, adam(), s))
    yield entry("zero_readout", "mlp")(lambda s: case(_zero_readout(s), mean, adam(), s))
    yield entry("trained_already", "softmax")(lambda s: case(_trained(s), mean, adam(), s))
    yield entry("one_cycle", "mlp")(lambda s: case(mlp("glorot", s), mean, adam(_warm_up()), s))
    yield entry("five_classes", "softmax")(_five_classes)


def _zero_readout(seed: int) -> keras.Model:
    model = mlp("glorot", seed)
    model.layers[-1].kernel.assign(np.zeros((100, 10)))
    return model


def _trained(seed: int) -> keras.Model:
    model = softmax("zeros", seed)
    model.compile(adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*sample(seed), epochs=5, verbose=0)
    return model


def _warm_up() -> Any:
    return keras.optimizers.schedules.CosineDecay(1e-6, 1000, warmup_target=5e-3, warmup_steps=100)


def _five_classes(seed: int) -> Case:
    images, labels = sample(seed)
    keep = labels < 5
    model = sequential(layers.Flatten(), layers.Dense(5, kernel_initializer="zeros"))
    return Case(model, per_example, sgd(), images[keep], labels[keep])


def broken() -> list[Entry]:
    entries: list[Entry] = []

    def add(code: str, name: str, architecture: str, build: Callable[[int], Case]) -> None:
        entries.append(Entry(name, architecture, code, build))

    def case(
        model: Any, loss: Any = mean, optimizer: Any = None, seed: int = 0, **changes: Any
    ) -> Case:
        images, labels = sample(seed)
        return replace(Case(model, loss, optimizer or adam(), images, labels), **changes)

    def everywhere(code: str, name: str, **arguments: Any) -> None:
        """The same mistake in all three architectures. `images`, `labels`: functions of the seed."""
        head, init = arguments.pop("head", None), arguments.pop("init", "glorot")
        parts = {key: arguments.pop(key) for key in ("images", "labels") if key in arguments}
        optimizer = arguments.pop("optimizer", adam)

        for architecture, model in ARCHITECTURES.items():

            def build(s: int, model: Any = model) -> Case:
                changes = {key: function(s) for key, function in parts.items()}
                layers_after = head() if head else None
                return case(
                    model(init, s, layers_after),
                    optimizer=optimizer(),
                    seed=s,
                    **arguments,
                    **changes,
                )

            add(code, f"{name}-{architecture}", architecture, build)

    code = "LOSS_IGNORES_LABELS"
    for init in ("zeros", "notebook", "glorot", "blog"):

        def notebook_bug(s: int, init: str = init) -> Case:
            return case(
                softmax(init, s, [layers.Softmax()]), buggy_from_probabilities, sgd(0.01), s
            )

        add(code, f"notebook_bug_{init}-softmax", "softmax", notebook_bug)
    add(
        code,
        "self_entropy_zeros-softmax",
        "softmax",
        lambda s: case(softmax("zeros", s), self_entropy, sgd(), s),
    )
    everywhere(code, "self_entropy", loss=self_entropy)
    add(
        code,
        "notebook_bug-cnn3x3",
        "cnn",
        lambda s: case(cnn3x3("blog", s), self_entropy, adam(), s),
    )
    add(
        code,
        "notebook_bug_probabilities-cnn",
        "cnn",
        lambda s: case(
            cnn("notebook", s, [layers.Softmax()]), buggy_from_probabilities, adam(1e-4), s
        ),
    )
    everywhere(code, "labels_broadcast", loss=_all_pairs)
    everywhere(code, "own_prediction_as_label", loss=lambda y, z: mean(tf.argmax(z, axis=1), z))

    code = "INITIAL_LOSS_UNEXPECTED"
    everywhere(code, "mean_over_classes", loss=lambda y, z: mean(y, z) / 10)
    everywhere(code, "log2", loss=lambda y, z: mean(y, z) / np.log(2))
    everywhere(
        code, "averaged_twice", loss=lambda y, z: mean(y, z) / tf.cast(tf.shape(z)[0], tf.float32)
    )
    add(code, "large_init-cnn", "cnn", lambda s: case(cnn("large", s, dense=100), seed=s))
    add(
        code,
        "large_init-mlp",
        "mlp",
        lambda s: case(mlp("large", s, units=500, extra=[_large_hidden(s)]), seed=s),
    )

    code = "LOSS_NOT_MINIMISED"
    everywhere(code, "flipped_sign", loss=lambda y, z: -mean(y, z))
    everywhere(
        code,
        "flipped_sign_probabilities",
        loss=lambda y, p: tf.reduce_sum(tf.one_hot(y, 10) * tf.math.log(p + 1e-10)),
        head=lambda: [layers.Softmax()],
    )
    everywhere(code, "shifted_labels", loss=lambda y, z: mean((y + 1) % 10, z))
    everywhere(code, "shuffled_in_loss", loss=lambda y, z: mean(tf.random.shuffle(y), z))
    everywhere(code, "ascent", optimizer=lambda: AscendingSGD(0.01))

    code = "GRADIENT_ZERO"
    add(code, "zeros-mlp", "mlp", lambda s: case(mlp("zeros", s), seed=s))
    add(code, "zeros-cnn", "cnn", lambda s: case(cnn("zeros", s), seed=s))
    add(code, "zeros-cnn3x3", "cnn", lambda s: case(cnn3x3("zeros", s), seed=s))
    add(
        code,
        "zeros_sgd-cnn",
        "cnn",
        lambda s: case(cnn("zeros", s, dense=50), optimizer=sgd(), seed=s),
    )
    add(code, "dead_hidden-mlp", "mlp", lambda s: case(mlp("dead", s), seed=s))
    add(code, "dead_hidden-cnn", "cnn", lambda s: case(cnn("dead", s), seed=s))
    everywhere(code, "accuracy_as_loss", loss=_inaccuracy)
    everywhere(code, "clipped_away", loss=lambda y, z: mean(y, tf.clip_by_value(z, 1e5, 1e6)))

    code = "GRADIENT_NON_FINITE"
    everywhere(
        code,
        "log_of_zero",
        loss=from_probabilities,
        init="large",
        head=lambda: [_scaled(100), layers.Softmax()],
    )
    everywhere(code, "sqrt_at_zero", loss=lambda y, z: mean(y, z) + tf.reduce_sum(tf.sqrt(z - z)))
    everywhere(
        code,
        "nan_weight",
        head=lambda: [CallLayer(lambda x: x + tf.constant([np.nan] + 9 * [0.0]))],
    )
    everywhere(
        code,
        "naive_softmax",
        loss=lambda y, z: from_probabilities(y, tf.exp(z) / tf.reduce_sum(tf.exp(z), 1, True)),
        init="large",
        head=lambda: [_scaled(30)],
    )

    code = "VARIABLE_NOT_TRAINED"
    everywhere(code, "optimizer_skips", optimizer=lambda: ForgetfulSGD(0.1))
    everywhere(code, "rate_zero", optimizer=lambda: sgd(0.0))
    add(
        code,
        "stop_gradient-mlp",
        "mlp",
        lambda s: case(mlp("glorot", s, extra=[CallLayer(tf.stop_gradient)]), seed=s),
    )
    add(
        code,
        "stop_gradient-cnn",
        "cnn",
        lambda s: case(cnn("glorot", s, extra=[CallLayer(tf.stop_gradient)]), seed=s),
    )
    add(code, "not_listed-mlp", "mlp", lambda s: case(plain_mlp(s, forgotten=2), seed=s))
    add(code, "hidden_in_list-mlp", "mlp", lambda s: case(Untracked(s), seed=s))
    add(code, "frozen-cnn", "cnn", lambda s: case(_frozen(cnn("glorot", s)), seed=s))

    code = "EXAMPLES_LEAK"
    everywhere(code, "loss_softmax_over_batch", loss=_softmax_over_batch)
    everywhere(
        code,
        "model_softmax_over_batch",
        loss=clipped_log,
        head=lambda: [CallLayer(lambda x: tf.nn.softmax(x, axis=0))],
    )
    everywhere(
        code,
        "centred_over_batch",
        head=lambda: [CallLayer(lambda x: x - tf.reduce_mean(x, axis=0))],
    )
    everywhere(code, "loss_summed_over_batch", loss=_summed_over_batch)
    everywhere(code, "reshaped_across_examples", head=lambda: [CallLayer(_mixed_reshape)])

    code = "OUTPUT_ALREADY_PROBABILITIES"
    everywhere(code, "softmax_twice", head=lambda: [layers.Softmax()])
    everywhere(
        code,
        "softmax_twice_keras",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        head=lambda: [layers.Softmax()],
    )
    everywhere(
        code, "softmax_twice_zeros", init="blog", loss=per_example, head=lambda: [layers.Softmax()]
    )
    everywhere(code, "sigmoid_then_softmax", head=lambda: [layers.Activation("sigmoid")])

    code = "OUTPUT_NOT_PROBABILITIES"
    everywhere(code, "log_of_logits", loss=clipped_log)
    everywhere(code, "keras_without_from_logits", loss=keras.losses.SparseCategoricalCrossentropy())
    everywhere(
        code, "log_of_sigmoid", loss=clipped_log, head=lambda: [layers.Activation("sigmoid")]
    )
    everywhere(
        code, "nll_of_logits", loss=lambda y, z: -tf.reduce_mean(tf.gather(z, y, batch_dims=1))
    )

    code = "INPUT_SCALE"
    everywhere(code, "uint8", images=lambda s: (sample(s)[0] * 255).astype(np.uint8))
    everywhere(code, "float_to_255", images=lambda s: sample(s)[0] * 255)
    everywhere(code, "divided_twice", images=lambda s: sample(s)[0] / 255)
    add(
        code,
        "rescaled_twice-cnn",
        "cnn",
        lambda s: case(
            keras.Sequential(
                [keras.Input((28, 28, 1)), layers.Rescaling(1 / 255), *cnn("glorot", s).layers]
            ),
            seed=s,
        ),
    )

    code = "INPUT_IGNORED"
    everywhere(code, "constant_images", images=lambda s: sample(s)[0].astype(np.uint8) // 255 * 0)
    add(
        code,
        "times_zero-mlp",
        "mlp",
        lambda s: case(
            plain_mlp(
                s, lambda x, *v: tf.nn.relu(tf.reshape(x * 0, [-1, 784]) @ v[0] + 0.1) @ v[2]
            ),
            seed=s,
        ),
    )
    add(
        code,
        "zeroed-softmax",
        "softmax",
        lambda s: case(_before(tf.zeros_like, softmax("glorot", s)), seed=s),
    )
    add(
        code,
        "integer_division-cnn",
        "cnn",
        lambda s: case(_before(lambda x: x // 1.01, cnn("notebook", s)), seed=s),
    )
    add(
        code,
        "pooled_over_everything-cnn",
        "cnn",
        lambda s: case(_before(_first_of_batch, cnn("notebook", s)), seed=s),
    )

    code = "LABELS_UNRELATED"
    everywhere(
        code, "shuffled", labels=lambda s: np.random.default_rng(s).permutation(sample(s)[1])
    )
    everywhere(code, "off_by_one_row", labels=lambda s: np.roll(sample(s)[1], 1))

    code = "CLASS_IMBALANCE"
    add(
        code,
        "one_class-softmax",
        "softmax",
        lambda s: _classes(softmax("zeros", s), s, lambda y: y == 0),
    )
    add(
        code,
        "half_the_classes-mlp",
        "mlp",
        lambda s: _classes(mlp("glorot", s), s, lambda y: y < 5),
    )
    add(
        code,
        "mostly_ones-cnn",
        "cnn",
        lambda s: _classes(cnn("glorot", s), s, lambda y: (y == 1) | _some(y)),
    )

    code = "SYMMETRIC_INIT"
    add(code, "constant-mlp", "mlp", lambda s: case(mlp("constant", s), seed=s))
    add(code, "constant-cnn", "cnn", lambda s: case(cnn("constant", s), seed=s))
    add(
        code,
        "constant_dropout-cnn",
        "cnn",
        lambda s: case(cnn("constant", s, dense=50, dropout=0.5), seed=s),
    )
    add(code, "zeros_tanh-mlp", "mlp", lambda s: case(mlp("zeros", s, activation="tanh"), seed=s))

    code = "DEAD_UNITS"
    add(code, "negative_bias-mlp", "mlp", lambda s: case(mlp("dead", s), seed=s))
    add(code, "negative_bias-cnn", "cnn", lambda s: case(cnn("dead", s), seed=s))
    add(
        code,
        "relu_after_minus-mlp",
        "mlp",
        lambda s: case(mlp("glorot", s, extra=[_minus_relu()]), seed=s),
    )
    add(
        code,
        "relu_after_minus-cnn",
        "cnn",
        lambda s: case(cnn("glorot", s, extra=[_minus_relu()]), seed=s),
    )

    code = "SATURATED_ACTIVATIONS"
    add(code, "large_tanh-mlp", "mlp", lambda s: case(mlp("large", s, activation="tanh"), seed=s))
    add(
        code,
        "large_tanh-cnn",
        "cnn",
        lambda s: case(cnn("large", s, activation="tanh", dense=50), seed=s),
    )
    add(
        code,
        "sigmoid_of_255-mlp",
        "mlp",
        lambda s: case(mlp("glorot", s, activation="sigmoid"), seed=s, images=sample(s)[0] * 255),
    )

    code = "CANNOT_OVERFIT"
    add(code, "one_hidden_unit-mlp", "mlp", lambda s: case(mlp("glorot", s, units=1), seed=s))
    everywhere(
        code,
        "relu_on_logits",
        head=lambda: [layers.Activation("relu")],
        optimizer=lambda: adam(1e-2),
    )
    add(
        code,
        "one_pixel-softmax",
        "softmax",
        lambda s: case(
            _before(lambda x: x[:, 14:15, 14:15] * tf.ones((28, 28, 1)), softmax("glorot", s)),
            seed=s,
        ),
    )
    add(
        code,
        "mean_colour-cnn",
        "cnn",
        lambda s: case(_before(_mean_colour, cnn("glorot", s)), seed=s),
    )

    code = "LEARNING_RATE_TOO_HIGH"
    everywhere(code, "adam_1", optimizer=lambda: adam(1.0))
    everywhere(code, "sgd_10", optimizer=lambda: sgd(10.0))
    everywhere(code, "sgd_100", optimizer=lambda: sgd(100.0))
    everywhere(code, "sgd_summed_1", loss=total, optimizer=lambda: sgd(1.0))

    code = "LEARNING_RATE_TOO_LOW"
    everywhere(code, "adam_1e-8", optimizer=lambda: adam(1e-8))
    everywhere(code, "sgd_1e-6", optimizer=lambda: sgd(1e-6))

    code = "TRAIN_EVAL_MISMATCH"
    always = lambda: AlwaysTraining(layers.Dropout(0.5, seed=1))
    add(code, "dropout_on-mlp", "mlp", lambda s: case(mlp("glorot", s, extra=[always()]), seed=s))
    add(code, "dropout_on-cnn", "cnn", lambda s: case(cnn("glorot", s, extra=[always()]), seed=s))
    add(
        code,
        "dropout_function-mlp",
        "mlp",
        lambda s: case(
            plain_mlp(
                s,
                lambda x, *v: (
                    tf.nn.dropout(tf.nn.relu(tf.reshape(x, [-1, 784]) @ v[0] + v[1]), 0.5) @ v[2]
                    + v[3]
                ),
            ),
            seed=s,
        ),
    )
    norm = lambda: AlwaysTraining(layers.BatchNormalization())
    add(code, "batch_norm_on-cnn", "cnn", lambda s: case(cnn("glorot", s, extra=[norm()]), seed=s))
    add(code, "batch_norm_on-mlp", "mlp", lambda s: case(mlp("glorot", s, extra=[norm()]), seed=s))
    add(
        code,
        "input_dropout_on-softmax",
        "softmax",
        lambda s: case(_before(always(), softmax("glorot", s)), seed=s),
    )

    code = "LABELS_OUT_OF_RANGE"
    everywhere(code, "from_one", labels=lambda s: sample(s)[1] + 1)
    everywhere(code, "hundred", labels=lambda s: sample(s)[1] * 11)
    return entries


def _all_pairs(labels: Any, logits: Any) -> tf.Tensor:
    """Labels [B, 1] against outputs [B]: the mean is over all pairs of a label and an output."""
    log = tf.nn.log_softmax(logits)
    return -tf.reduce_mean(tf.reduce_sum(tf.one_hot(labels, 10)[:, None] * log[None], axis=2))


def _inaccuracy(labels: Any, logits: Any) -> tf.Tensor:
    right = tf.cast(
        tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), tf.cast(labels, tf.int32)),
        tf.float32,
    )
    return 1 - tf.reduce_mean(right) + 0 * tf.reduce_sum(logits)


def _softmax_over_batch(labels: Any, logits: Any) -> tf.Tensor:
    return clipped_log(labels, tf.nn.softmax(logits, axis=0))


def _summed_over_batch(labels: Any, logits: Any) -> tf.Tensor:
    return -tf.reduce_sum(tf.one_hot(labels, 10) * tf.nn.log_softmax(logits), axis=0)


def _mixed_reshape(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tf.transpose(x), [-1, 10])


def _large_hidden(seed: int) -> layers.Layer:
    return layers.Dense(
        500, activation="relu", kernel_initializer=initializers("large", seed + 1)("hidden")
    )


def _scaled(factor: float) -> layers.Layer:
    return CallLayer(lambda x: factor * x)


def _minus_relu() -> layers.Layer:
    return CallLayer(lambda x: tf.nn.relu(-x))


def _before(function: Any, model: keras.Model) -> keras.Model:
    first = function if isinstance(function, layers.Layer) else CallLayer(function)
    return keras.Sequential([keras.Input((28, 28, 1)), first, *model.layers])


def _first_of_batch(images: tf.Tensor) -> tf.Tensor:
    return 0 * images + images[:1]


def _mean_colour(images: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(images, axis=[1, 2], keepdims=True) * tf.ones((28, 28, 1))


def _frozen(model: keras.Model) -> keras.Model:
    model.layers[0].trainable = False
    return model


def _classes(model: Any, seed: int, keep: Callable[[np.ndarray], np.ndarray]) -> Case:
    images, labels = sample(seed, 2000)
    rows = keep(labels)
    return Case(model, mean, adam(), images[rows], labels[rows])


def _some(labels: np.ndarray) -> np.ndarray:
    return np.arange(len(labels)) % 10 == 0


class Untracked(keras.Model):
    """Keras does not see layers that are kept in a tuple inside a set of closures."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        hidden = layers.Dense(
            100, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed=seed)
        )
        self.steps = lambda x: hidden(tf.reshape(x, [-1, 784]))
        self.readout = layers.Dense(10)
        self(np.zeros((2, 28, 28, 1), np.float32))

    def call(self, images: tf.Tensor) -> tf.Tensor:
        return self.readout(self.steps(images))
