"""The program under test, behind one interface: any model, loss, label form and image shape."""

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .taps import Taps, tap_graph

SHAPE_ERRORS = (ValueError, TypeError, tf.errors.InvalidArgumentError)


@dataclass(frozen=True)
class Gradients:
    """One forward and backward pass. values: one array a trained variable, in the order of `Program.trained`."""

    loss: (
        float  # mean over the examples if the loss gives one value each, else what the loss returns
    )
    outputs: np.ndarray  # [B, C]
    values: list[tf.Tensor]
    finite: bool  # loss and gradients

    def arrays(self) -> list[np.ndarray]:
        return [value.numpy() for value in self.values]


class Program:
    """Runs the caller's model on the caller's own variables; `restore` gives their values back bit for bit."""

    def __init__(
        self, model: Any, loss: Callable, optimizer: Any, images: np.ndarray, labels: np.ndarray
    ):
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.images = model_input(model, np.asarray(images))
        self.labels, self.classes = label_forms(np.asarray(labels))
        self._takes_training = isinstance(model, keras.layers.Layer) or _accepts_training(model)
        self._given = list(model.trainable_variables)
        self.trainable: list[tf.Variable] = [tf_variable(v) for v in self._given]
        if not self.trainable:
            raise ValueError("the model has no trainable variables")
        self.disconnected: list[
            str
        ] = []  # filled while tracing: variables that the loss does not depend on
        self.trained: list[tf.Variable] = []  # filled while tracing: the others
        self._taps: Taps | None = None
        try:  # AutoGraph takes a second to rewrite Python, most of which has nothing for it to do
            graphs = self._trace(autograph=False)
        except tf.errors.OperatorNotAllowedInGraphError:  # an `if` or a `for` over tensors
            graphs = self._trace(autograph=True)
        touched = [variable for graph in graphs for variable in graph.variables] + self.trainable
        touched += [tf_variable(v) for v in getattr(model, "variables", [])]
        self.variables = list({id(v): v for v in touched}.values())
        self._initial = [variable.numpy() for variable in self.variables]

    def _trace(self, autograph: bool) -> list[tf.Graph]:
        """Of the evaluation and of a training step."""
        image_spec = tf.TensorSpec([None, *self.images.shape[1:]], tf.float32)
        label_spec = tf.TensorSpec([None, *self.labels.shape[1:]], self.labels.dtype)
        # Called as functions: a concrete function that gets a default argument formats all tensors for an error first.
        self._evaluate = tf.function(
            self._evaluate_graph, input_signature=[image_spec], autograph=autograph
        )
        self._gradients = {
            training: tf.function(
                functools.partial(self._gradient_graph, training=training),
                input_signature=[image_spec, label_spec],
                autograph=autograph,
            )
            for training in (True, False)
        }
        return [f.get_concrete_function().graph for f in (self._evaluate, self._gradients[True])]

    def restore(self) -> None:
        """Every variable that the model has or reads: weights, batch statistics, dropout seeds."""
        for variable, value in zip(self.variables, self._initial, strict=True):
            variable.assign(value)

    @property
    def taps(self) -> Taps:
        assert self._taps is not None  # set while tracing in __init__
        return self._taps

    @functools.cached_property
    def num_classes(self) -> int:
        return int(self.evaluate(self.images[:2])[0].shape[1])

    def call(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        return self.model(images, training=training) if self._takes_training else self.model(images)

    def evaluate(self, images: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Outputs [B, C] with dropout off, and what `taps` measured inside the network."""
        outputs, measured = self._evaluate(tf.constant(images))
        return outputs.numpy(), {name: value.numpy() for name, value in measured.items()}

    def outputs(self, images: np.ndarray) -> np.ndarray:
        return self.evaluate(images)[0]

    def gradients(self, images: np.ndarray, labels: np.ndarray, training: bool = True) -> Gradients:
        loss, outputs, values, finite = self._gradients[training](
            tf.constant(images), tf.constant(labels)
        )
        return Gradients(float(loss), outputs.numpy(), values, bool(finite))

    def loss_of(self, labels: np.ndarray, outputs: np.ndarray) -> float:
        """The training objective of a batch: the mean if the loss gives one value per example."""
        return float(objective(self.loss(tf.constant(labels), tf.constant(outputs))))

    def loss_gradient(
        self, labels: np.ndarray, outputs: np.ndarray
    ) -> tuple[float, np.ndarray, tuple[int, ...]]:
        """Objective, its gradient with respect to the outputs [B, C], and the shape that the loss returned."""
        point = tf.constant(outputs)
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = tf.convert_to_tensor(self.loss(tf.constant(labels), point))
            total = objective(value)
        gradient = tape.gradient(total, point)
        array = np.zeros_like(outputs) if gradient is None else gradient.numpy()
        return float(total), array, tuple(value.shape)

    def accuracy(self, outputs: np.ndarray, classes: np.ndarray) -> float:
        return float(np.mean(np.argmax(outputs, axis=1) == classes))

    @property
    def optimized(self) -> list[Any]:
        """`trained` as the model lists them: an optimizer may tell Keras variables by their path."""
        kept = {id(variable) for variable in self.trained}
        return [g for g, v in zip(self._given, self.trainable, strict=True) if id(v) in kept]

    def optimizer_copy(self, scale: float = 1.0) -> keras.optimizers.Optimizer:
        """A fresh copy of the caller's optimizer, its learning rate multiplied by `scale`."""
        rate = self.optimizer._learning_rate
        # Only hyperparameters go through the config: a schedule need not be serialisable, so it is handed over as is.
        bare = object.__new__(type(self.optimizer))
        bare.__dict__.update(self.optimizer.__dict__)
        bare.__dict__["_learning_rate"] = None
        config = bare.get_config()
        config["learning_rate"] = (
            _ScaledRate(rate, scale) if callable(rate) else float(np.asarray(rate)) * scale
        )
        return type(self.optimizer).from_config(config)

    @property
    def learning_rate(self) -> float:
        """The rate of the first step."""
        return self._rate_at(0)

    @property
    def warmup(self) -> float:
        """How much larger the largest rate of the schedule is than the first: 1 without a schedule, inf from 0."""
        rates = [
            self._rate_at(step) for step in (0, 1, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000)
        ]
        if max(rates) == rates[0]:
            return 1.0
        return max(rates) / rates[0] if rates[0] > 0 else math.inf

    def _rate_at(self, step: int) -> float:
        rate = self.optimizer._learning_rate
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            rate = rate(step)
        elif callable(rate):
            rate = rate()
        return float(np.asarray(rate))

    def _evaluate_graph(self, images: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        outputs = self.call(images, training=False)
        if outputs.shape.rank != 2:
            raise ValueError(
                f"the model must give outputs [batch, classes], got shape {outputs.shape}"
            )
        self._taps, measured = tap_graph(images, outputs)
        return tf.cast(outputs, tf.float32), measured

    def _gradient_graph(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple:
        with tf.GradientTape() as tape:
            outputs = self.call(images, training=training)
            loss = objective(self.loss(labels, outputs))
        gradients = tape.gradient(loss, self.trainable)
        known = [
            (v, tf.convert_to_tensor(g))
            for v, g in zip(self.trainable, gradients, strict=True)
            if g is not None
        ]
        self.trained = [variable for variable, _ in known]
        self.disconnected = [
            variable_name(v) for v, g in zip(self.trainable, gradients, strict=True) if g is None
        ]
        values = [gradient for _, gradient in known]
        finite = tf.reduce_all(
            [tf.reduce_all(tf.math.is_finite(value)) for value in (loss, *values)]
        )
        return loss, tf.cast(outputs, tf.float32), values, finite


class _ScaledRate(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, inner: Callable, scale: float):
        self.inner, self.scale = inner, scale
        self.takes_step = isinstance(inner, keras.optimizers.schedules.LearningRateSchedule)

    def __call__(self, step: Any) -> Any:
        return (self.inner(step) if self.takes_step else self.inner()) * self.scale


def objective(loss: Any) -> tf.Tensor:
    """Scalar to minimise, from a scalar or one value per example."""
    return tf.reduce_mean(tf.convert_to_tensor(loss))


def variable_name(variable: Any) -> str:
    return str(getattr(variable, "path", variable.name)).removesuffix(":0")


def model_input(model: Any, images: np.ndarray) -> np.ndarray:
    """Images as float32 (values untouched) in the first of [N, H, W, 1], [N, H*W], [N, H, W] that the model accepts."""
    forms = _image_forms(images.astype(np.float32))
    shape = getattr(model, "input_shape", None) if getattr(model, "built", False) else None
    if isinstance(shape, tuple) and len(shape) in forms:
        return forms[len(shape)]
    failure: Exception | None = None
    for form in forms.values():
        try:
            _accept(model, form)
            return form
        except SHAPE_ERRORS as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _accept(model: Any, images: np.ndarray) -> None:
    """Raise unless the model takes these images. Traced, not run: a run may change what the model keeps."""
    if isinstance(model, keras.layers.Layer) and not model.built:
        model(images[:2])  # creates the weights
    else:
        tf.function(lambda x: model(x)).get_concrete_function(
            tf.TensorSpec([None, *images.shape[1:]])
        )


def _image_forms(images: np.ndarray) -> dict[int, np.ndarray]:
    """By rank, the form given first."""
    count, pixels = len(images), int(np.prod(images.shape[1:]))
    side = math.isqrt(pixels)
    forms = {images.ndim: images}
    if side * side == pixels:
        square = {4: images.reshape(count, side, side, 1), 3: images.reshape(count, side, side)}
        forms |= {rank: form for rank, form in square.items() if rank not in forms}
    forms.setdefault(2, images.reshape(count, pixels))
    # [N, H, W] is how files come; a model rarely takes it, and a convolution may read it as something else.
    return {
        rank: forms[rank]
        for rank in sorted(forms, key=lambda r: (r != images.ndim or r == 3, r == 3))
    }


def label_forms(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels in the dtype that losses take, and as integer classes [N]."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels.astype(np.float32), np.argmax(labels, axis=1)
    if labels.dtype != np.int64:
        labels = labels.astype(np.int32)
    return labels, labels.reshape(len(labels)).astype(np.int64)


def tf_variable(variable: Any) -> tf.Variable:
    """What a Keras variable keeps its value in."""
    return variable.value if isinstance(variable, keras.Variable) else variable


def _accepts_training(model: Callable) -> bool:
    try:
        parameters: Sequence[inspect.Parameter] = list(inspect.signature(model).parameters.values())
    except (TypeError, ValueError):
        return False
    return any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters)
