"""Put the program under test behind one interface: any model, loss, label form, image shape."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.forms import label_form, model_input
from mnist_exp.preflight.loss_kind import tell_loss_kind
from mnist_exp.preflight.steps import AdamSteps, OwnSteps
from mnist_exp.preflight.taps import Taps, tap_graph
from mnist_exp.preflight.tasks import Target, tell_target

Loss = Callable[[Any, Any], Any]  # (labels, outputs) -> a scalar or one value per example


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """The result of one forward and backward pass.

    loss: the mean over the examples if the loss gives one value each, else what the loss returns.
    penalty: what the layers add to it, such as an l2 of their weights; 0 if it is left out.
    outputs: the model's outputs [B, ...].
    values: a gradient for each trained variable, in the order of `Program.trained`.
    finite: True if the loss and all gradients are finite.
    """

    loss: float
    penalty: float
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
    penalty_weight: what the layers' own losses are multiplied with in the objective.
    """

    penalty_weight: float

    def __init__(
        self,
        model: Any,
        loss: Loss,
        optimizer: Any,
        inputs: Any,
        labels: np.ndarray,
        *,
        penalised: bool = False,
    ):
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self._penalised, self.penalty_weight = penalised, 1.0
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
                input_signature=[input_specs, label_spec, tf.TensorSpec([])],
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
        loss, penalty, outputs, values, finite = self._gradients[training](
            inputs.tensors(), tf.constant(labels), tf.constant(self.penalty_weight)
        )
        return Gradients(
            loss=float(loss),
            penalty=float(penalty),
            outputs=outputs.numpy(),
            values=values,
            finite=bool(finite),
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

    @functools.cached_property
    def own_steps(self) -> OwnSteps:
        """Return steps of a copy of the caller's optimizer."""
        return OwnSteps(self.optimizer, self.optimized, self.trained)

    @functools.cached_property
    def held_steps(self) -> OwnSteps:
        """Return steps of a copy whose learning rate is 1, without a schedule."""
        return OwnSteps(self.optimizer, self.optimized, self.trained, rate=1.0)

    @functools.cached_property
    def adam(self) -> AdamSteps:
        """Return steps of Adam."""
        return AdamSteps(self.trained)

    def _penalty(self) -> tf.Tensor:
        """Return the sum of the layers' own losses, which Keras' `fit` adds to a compiled loss."""
        own = getattr(self.model, "losses", ()) if self._penalised else ()
        return tf.add_n([tf.cast(tf.reduce_sum(value), tf.float32) for value in own or [0.0]])

    def _evaluate_graph(self, inputs: Any) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        outputs = self._call(inputs, training=False)
        self._taps, measured = tap_graph(tf.nest.flatten(inputs), outputs)
        return tf.cast(outputs, tf.float32), measured

    def _gradient_graph(
        self, inputs: Any, labels: tf.Tensor, penalty_weight: tf.Tensor, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Return loss, penalty, outputs, gradients, and whether loss and gradients are finite."""
        with tf.GradientTape() as tape:
            outputs = self._call(inputs, training=training)
            loss = objective(self.loss(labels, outputs))
            penalty = penalty_weight * self._penalty()
            total = loss + tf.cast(penalty, loss.dtype)
        gradients = list(zip(self.trainable, tape.gradient(total, self.trainable), strict=True))
        self.trained = [variable for variable, gradient in gradients if gradient is not None]
        self.disconnected = [variable_name(v) for v, gradient in gradients if gradient is None]
        values = [tf.convert_to_tensor(g) for _, g in gradients if g is not None]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(v)) for v in (total, *values)])
        return loss, penalty, tf.cast(outputs, tf.float32), values, finite


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
