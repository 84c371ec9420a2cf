"""Put the program under test behind one interface: any model, loss, label form, image shape."""

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.forms import label_form, model_input
from mnist_exp.preflight.loss_kind import tell_loss_kind
from mnist_exp.preflight.taps import Taps, tap_graph
from mnist_exp.preflight.tasks import Target, tell_target

Loss = Callable[[Any, Any], Any]  # (labels, outputs) -> a scalar or one value per example


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """The result of one forward and backward pass.

    loss: the mean over the examples if the loss gives one value each, else what the loss returns.
    outputs: the model's outputs [B, ...].
    values: a gradient for each trained variable, in the order of `Program.trained`.
    finite: True if the loss and all gradients are finite.
    """

    loss: float
    outputs: np.ndarray
    values: list[tf.Tensor]
    finite: bool

    def arrays(self) -> list[np.ndarray]:
        """Return the gradients as NumPy arrays."""
        return [value.numpy() for value in self.values]


class Program:
    """A caller's program, which runs on the caller's own variables.

    `restore` gives their values back bit for bit.

    inputs: N examples in the form that the model takes.
    labels: [N, ...] in the form that the loss takes.
    trainable: what the model lists as trainable. trained: those that the loss depends on.
    disconnected: names of those that it does not depend on.
    variables: every variable that the model has or reads.
    """

    def __init__(self, model: Any, loss: Loss, optimizer: Any, inputs: Any, labels: np.ndarray):
        self.model, self.loss, self.optimizer = model, loss, optimizer
        single = isinstance(inputs, np.ndarray)
        self.inputs = Inputs(model_input(model, inputs) if single else inputs)
        self.labels = label_form(np.asarray(labels))
        self._takes_training = isinstance(model, keras.layers.Layer) or _accepts_training(model)
        self._given = list(model.trainable_variables)
        self.trainable: list[tf.Variable] = [tf_variable(v) for v in self._given]
        if not self.trainable:
            raise ValueError("the model has no trainable variables")
        self.disconnected: list[str] = []  # filled while tracing, as is `trained`
        self.trained: list[tf.Variable] = []
        self._taps: Taps | None = None
        try:  # AutoGraph takes a second to rewrite Python, most of which has nothing for it to do
            graphs = self._trace(autograph=False)
        except tf.errors.OperatorNotAllowedInGraphError:  # an `if` or a `for` over tensors
            graphs = self._trace(autograph=True)
        touched = [variable for graph in graphs for variable in graph.variables] + self.trainable
        touched += [tf_variable(v) for v in getattr(model, "variables", [])]
        self.variables = list({id(v): v for v in touched}.values())
        self._initial = [variable.numpy() for variable in self.variables]
        self._streams = [
            (variable, value)
            for variable, value in zip(self.variables, self._initial, strict=True)
            if variable_name(variable).endswith("seed_generator_state")
        ]

    def _trace(self, autograph: bool) -> list[tf.Graph]:
        """Return the graphs of the evaluation and of a training step."""
        input_specs = self.inputs.specs()
        label_spec = tf.TensorSpec([None, *self.labels.shape[1:]], self.labels.dtype)
        # Called as functions: a concrete function that gets a default argument first formats all
        # tensors, for an error that does not come.
        self._evaluate = tf.function(
            self._evaluate_graph, input_signature=[input_specs], autograph=autograph
        )
        self._gradients = {
            training: tf.function(
                functools.partial(self._gradient_graph, training=training),
                input_signature=[input_specs, label_spec],
                autograph=autograph,
            )
            for training in (True, False)
        }
        return [f.get_concrete_function().graph for f in (self._evaluate, self._gradients[True])]

    def restore(self) -> None:
        """Give every variable its first value back: weights, batch statistics, dropout seeds."""
        for variable, value in zip(self.variables, self._initial, strict=True):
            variable.assign(value)

    def rewind_streams(self) -> None:
        """Give the random streams of Keras their first place back: the same is drawn again."""
        for variable, value in self._streams:
            variable.assign(value)

    @property
    def taps(self) -> Taps:
        """Return what the graph of the evaluation shows."""
        assert self._taps is not None  # set while tracing in __init__
        return self._taps

    @functools.cached_property
    def output_shape(self) -> tuple[int, ...]:
        """Return the shape of the outputs of one example."""
        return self.outputs(self.inputs[:2]).shape[1:]

    @functools.cached_property
    def target(self) -> Target:
        """Return what the labels ask of the outputs."""
        shape = self.output_shape
        kind = tell_loss_kind(self.loss_gradient, self.labels, shape)
        return tell_target(shape, self.labels, self.inputs.arrays, kind, self.taps.output_op)

    @property
    def num_classes(self) -> int:
        """Return the number of outputs for one answer, C."""
        return self.target.num_classes

    @functools.cached_property
    def classes(self) -> np.ndarray:
        """Return the labels of a task with classes as integers [N, ...]."""
        return self.target.answers(self.labels)

    def _call(self, inputs: Any, training: bool) -> tf.Tensor:
        return self.model(inputs, training=training) if self._takes_training else self.model(inputs)

    def evaluate(self, inputs: Inputs) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return outputs [B, ...] with dropout off, and what `tap_graph` measured inside."""
        outputs, measured = self._evaluate(inputs.tensors())
        return outputs.numpy(), {name: value.numpy() for name, value in measured.items()}

    def outputs(self, inputs: Inputs) -> np.ndarray:
        """Return outputs [B, ...] with dropout off."""
        return self.evaluate(inputs)[0]

    def gradients(self, inputs: Inputs, labels: np.ndarray, training: bool = True) -> Gradients:
        """Run one forward and backward pass, with dropout on if `training`."""
        loss, outputs, values, finite = self._gradients[training](
            inputs.tensors(), tf.constant(labels)
        )
        return Gradients(
            loss=float(loss), outputs=outputs.numpy(), values=values, finite=bool(finite)
        )

    def loss_of(self, labels: np.ndarray, outputs: np.ndarray) -> float:
        """Return the objective of a batch: the mean if the loss gives one value per example."""
        return float(objective(self.loss(tf.constant(labels), tf.constant(outputs))))

    def loss_gradient(
        self, labels: np.ndarray, outputs: np.ndarray
    ) -> tuple[float, np.ndarray, tuple[int, ...]]:
        """Return the objective, its gradient with respect to the outputs, and the loss's shape.

        The gradient has the shape of the outputs, [B, ...].
        """
        point = tf.constant(outputs)
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = tf.convert_to_tensor(self.loss(tf.constant(labels), point))
            total = objective(value)
        gradient = tape.gradient(total, point)
        array = np.zeros_like(outputs) if gradient is None else gradient.numpy()
        return float(total), array, tuple(value.shape)

    @property
    def optimized(self) -> list[Any]:
        """Return `trained` as the model lists them.

        An optimizer may tell Keras variables apart by their path.
        """
        kept = {id(variable) for variable in self.trained}
        return [g for g, v in zip(self._given, self.trainable, strict=True) if id(v) in kept]

    def optimizer_copy(self, scale: float = 1.0) -> keras.optimizers.Optimizer:
        """Return a fresh copy of the caller's optimizer, its learning rate times `scale`."""
        rate = self.optimizer._learning_rate
        # Only hyperparameters go through the config: a schedule need not be serialisable, so the
        # copy gets it as it is.
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
        """Return the learning rate of the first step."""
        return self._rate_at(0)

    @property
    def warmup(self) -> float:
        """Return how many times as large as the first learning rate the largest of the schedule is.

        It is 1 without a schedule, and infinite for a schedule that begins with 0.
        """
        steps = (0, 1, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000)
        rates = [self._rate_at(step) for step in steps]
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

    def _evaluate_graph(self, inputs: Any) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        outputs = self._call(inputs, training=False)
        self._taps, measured = tap_graph(tf.nest.flatten(inputs), outputs)
        return tf.cast(outputs, tf.float32), measured

    def _gradient_graph(
        self, inputs: Any, labels: tf.Tensor, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Return loss, outputs, gradients, and whether loss and gradients are finite."""
        with tf.GradientTape() as tape:
            outputs = self._call(inputs, training=training)
            loss = objective(self.loss(labels, outputs))
        gradients = list(zip(self.trainable, tape.gradient(loss, self.trainable), strict=True))
        self.trained = [variable for variable, gradient in gradients if gradient is not None]
        self.disconnected = [variable_name(v) for v, gradient in gradients if gradient is None]
        values = [tf.convert_to_tensor(g) for _, g in gradients if g is not None]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(v)) for v in (loss, *values)])
        return loss, tf.cast(outputs, tf.float32), values, finite


class _ScaledRate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate, of a schedule or a function, times a factor."""

    def __init__(self, inner: Callable[..., Any], scale: float):
        self.inner, self.scale = inner, scale
        self.takes_step = isinstance(inner, keras.optimizers.schedules.LearningRateSchedule)

    def __call__(self, step: Any) -> Any:
        return (self.inner(step) if self.takes_step else self.inner()) * self.scale


def objective(loss: Any) -> tf.Tensor:
    """Return the scalar to minimise, from a scalar or one value per example."""
    return tf.reduce_mean(tf.convert_to_tensor(loss))


def variable_name(variable: Any) -> str:
    """Return the path of a Keras variable, or the name of a TensorFlow one."""
    return str(getattr(variable, "path", variable.name)).removesuffix(":0")


def tf_variable(variable: Any) -> tf.Variable:
    """Return the TensorFlow variable in which a Keras variable keeps its value."""
    return variable.value if isinstance(variable, keras.Variable) else variable


def _accepts_training(model: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(model).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters)
