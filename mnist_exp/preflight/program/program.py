"""Put the program under test behind one interface: any model, loss, label form, image shape."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.batches import Inputs, in_batches_of
from mnist_exp.preflight.program.calling import (
    accepts_training,
    build,
    cannot_run,
    fixed_batch,
    refuse_untrainable,
    stateful_layers,
)
from mnist_exp.preflight.program.compiled import NoLoss
from mnist_exp.preflight.program.forms import as_inputs, label_form
from mnist_exp.preflight.program.heads import Heads
from mnist_exp.preflight.program.loss_kind import tell_loss_kind
from mnist_exp.preflight.program.objective import Objective
from mnist_exp.preflight.program.passes import Gradients, mean_of
from mnist_exp.preflight.program.random_draws import Noise, find_noise
from mnist_exp.preflight.program.steps import Steps
from mnist_exp.preflight.program.taps import Taps, tap_graph
from mnist_exp.preflight.program.tasks import Target, Task, tell_target

Loss = Callable[[Any, Any], Any]  # (labels, outputs) -> a scalar or one value per example

# With an optimizer that scales the loss, as long as no gradient overflows; Keras' own scale may do
# so at first, and goes down, too.
LOSS_SCALES = (1024.0, 32.0, 1.0)


class Program:
    """A caller's program, which runs on the caller's own variables.

    `restore` gives their values back bit for bit.

    inputs: N examples in the form that the model takes.
    labels: [N, ...] in the form that the loss takes.
    trainable: what the model lists as trainable. trained: those that the loss depends on.
    disconnected: names of those that it does not depend on.
    graphs: of the evaluation and of a training step.
    noise: where a training step draws at random.
    variables: every variable that the model has or reads; first_values: what `restore` gives them.
    penalty_weight: what the layers' own losses are multiplied with in the objective.
    objective: the loss as the caller gave it. If it refuses the labels, nothing is `trained`.
    """

    penalty_weight: float

    def __init__(
        self,
        model: Any,
        loss: Loss,
        optimizer: Any,
        inputs: Any,
        labels: Any,
        *,
        penalised: bool = False,
    ):
        self.model, self.optimizer = model, optimizer
        self.penalised, self.penalty_weight = penalised, 1.0
        self.inputs = as_inputs(model, inputs)
        build(model, self.inputs)
        self._batch = fixed_batch(model)
        if labels is None:
            labels = np.zeros((len(self.inputs), 0), np.float32)
        heads = Heads(labels) if tf.nest.is_nested(labels) else None
        self.labels = heads.packed if heads else label_form(np.asarray(labels))
        self.objective = Objective(loss, heads)
        self._takes_training = accepts_training(model)
        self._stateful = stateful_layers(model)
        scales = hasattr(optimizer, "inner_optimizer")
        self._loss_scales: tuple[float, ...] = LOSS_SCALES if scales else (1.0,)
        self._given = list(model.trainable_variables)
        self.trainable = [tf_variable(v) for v in self._given]
        refuse_untrainable(model, self.trainable)
        self.disconnected: list[str] = []  # filled while tracing, as is `trained`
        self.trained: list[tf.Variable] = []
        self.noise: list[Noise] = []
        self._taps: Taps | None = None
        try:  # AutoGraph takes a second to rewrite Python, most of which has nothing for it to do
            self.graphs = self._trace(autograph=False)
        except tf.errors.OperatorNotAllowedInGraphError:  # an `if` or a `for` over tensors
            self.graphs = self._trace(autograph=True)
        touched = [
            variable for graph in self.graphs for variable in graph.variables
        ] + self.trainable
        touched += [tf_variable(v) for v in getattr(model, "variables", [])]
        self.variables = list({id(v): v for v in touched}.values())
        self.first_values = [variable.numpy() for variable in self.variables]
        self._streams = [
            (variable, value)
            for variable, value in zip(self.variables, self.first_values, strict=True)
            if variable_name(variable).endswith("seed_generator_state")
        ]

    def _trace(self, autograph: bool) -> list[tf.Graph]:
        """Return the graphs of the evaluation and of a training step."""
        input_specs = self.inputs.specs(self._batch)
        # Called as functions: a concrete function that gets a default argument first formats all
        # tensors, for an error that does not come.
        self._evaluate = tf.function(
            self._evaluate_graph, input_signature=[input_specs], autograph=autograph
        )
        # The evaluation is first: several outputs change the labels' form.
        graphs = [self._traced(self._evaluate, autograph)]
        label_spec = tf.TensorSpec([self._batch, *self.labels.shape[1:]], self.labels.dtype)
        weights, scalar = self.inputs.weights, tf.TensorSpec([])
        weight_specs = [] if weights is None else [tf.TensorSpec([self._batch, *weights.shape[1:]])]
        self._gradients = {
            training: tf.function(
                functools.partial(self._gradient_graph, training=training),
                input_signature=[input_specs, label_spec, weight_specs, scalar, scalar],
                autograph=autograph,
            )
            for training in (True, False)
        }
        try:
            graphs.append(self._traced(self._gradients[True], autograph))
        except PreflightError:
            if not self.refusal:  # it is not the loss that fails
                raise
        return graphs

    def _traced(self, function: Any, autograph: bool) -> tf.Graph:
        """Return the graph of a function; raise PreflightError where the program cannot be run."""
        try:
            return function.get_concrete_function().graph
        except PreflightError:
            raise
        except Exception as error:
            if isinstance(error, tf.errors.OperatorNotAllowedInGraphError) and not autograph:
                raise
            raise cannot_run(self.model, self.inputs, error) from error

    def restore(self) -> None:
        """Give every variable its first value back: weights, batch statistics, dropout seeds."""
        for variable, value in zip(self.variables, self.first_values, strict=True):
            variable.assign(value)
        if isinstance(self.model, keras.layers.Layer):
            self.model._clear_losses()  # those of the last call belong to a graph

    def keep(self, rows: np.ndarray) -> None:
        """Leave out all examples but these."""
        self.inputs, self.labels = self.inputs[rows], self.labels[rows]
        for fact in ("target", "classes"):
            self.__dict__.pop(fact, None)

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
        """Return what the labels ask of the outputs; of several together it is not known."""
        if self.objective.heads is not None or self.labels.size == 0:
            why = "there are no labels" if self.labels.size == 0 else "there are several outputs"
            return Target(task=Task.UNKNOWN, num_classes=self.labels.shape[1], why=why)
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

    @property
    def refusal(self) -> str:
        """Return why the loss cannot be computed for these labels, or ""."""
        return self.objective.refusal

    def given_outputs(self, inputs: Any, training: bool) -> Any:
        """Return what the model gives: one tensor, or a structure of several."""
        model = self.model
        return model(inputs, training=training) if self._takes_training else model(inputs)

    def call(self, inputs: Any, training: bool) -> tf.Tensor:
        """Return the outputs; several are packed into one tensor."""
        outputs = self.given_outputs(inputs, training)
        heads, flat = self.objective.heads, tf.nest.flatten(outputs)
        if len(flat) == 1 and (heads is None or not tf.nest.is_nested(outputs)):
            return flat[0]
        if heads is None:
            self.objective.heads = heads = Heads(self.labels)
            self.labels = heads.packed
        return heads.pack(outputs)

    def evaluate(self, inputs: Inputs) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return outputs [B, ...] with dropout off, and what `tap_graph` measured inside."""
        found = []
        for batch in self._batches(len(inputs)):
            outputs, measured = self._evaluate(inputs[batch].tensors())
            found.append((outputs.numpy(), {n: value.numpy() for n, value in measured.items()}))
        if len(found) == 1:
            return found[0][0][: len(inputs)], found[0][1]
        largest = {n: np.max([measured[n] for _, measured in found], axis=0) for n in found[0][1]}
        return np.concatenate([outputs for outputs, _ in found])[: len(inputs)], largest

    def outputs(self, inputs: Inputs) -> np.ndarray:
        """Return outputs [B, ...] with dropout off."""
        return self.evaluate(inputs)[0]

    def gradients(self, inputs: Inputs, labels: np.ndarray, training: bool = True) -> Gradients:
        """Run one forward and backward pass, with dropout on if `training`."""
        largest, *smaller = self._loss_scales
        first = self._gradients_at(largest, inputs, labels, training)
        if first.finite or not math.isfinite(first.loss):
            return first
        for number, scale in enumerate(smaller, start=1):
            found = self._gradients_at(scale, inputs, labels, training)
            if found.finite:
                self._loss_scales = self._loss_scales[number:]
                return found
        return first

    def _gradients_at(
        self, loss_scale: float, inputs: Inputs, labels: np.ndarray, training: bool
    ) -> Gradients:
        found = []
        factors = tf.constant(self.penalty_weight), tf.constant(loss_scale)
        for batch in self._batches(len(inputs)):
            part = inputs[batch]
            weights = [] if self.inputs.weights is None else [tf.constant(part.weights)]
            loss, penalty, outputs, values, finite = self._gradients[training](
                part.tensors(), tf.constant(labels[batch]), weights, *factors
            )
            found.append(
                Gradients(
                    loss=float(loss),
                    penalty=float(penalty),
                    outputs=outputs.numpy(),
                    values=values,
                    finite=bool(finite),
                )
            )
        return found[0] if len(found) == 1 and self._batch is None else mean_of(found, len(inputs))

    def _batches(self, count: int) -> Sequence[slice | np.ndarray]:
        """Return the rows of the batches in which `count` examples are fed, without memory."""
        for layer in self._stateful:
            layer.reset_state()
        return [slice(None)] if self._batch is None else in_batches_of(self._batch, count)

    def loss_of(
        self, labels: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """Return the objective of a batch: the mean if the loss gives one value per example."""
        return self.objective.mean(labels, outputs, weights)

    def loss_gradient(
        self, labels: np.ndarray, outputs: np.ndarray
    ) -> tuple[float, np.ndarray, tuple[int, ...]]:
        """Return the objective, its gradient by the outputs [B, ...], and the loss's shape."""
        return self.objective.gradient(labels, outputs)

    @property
    def optimized(self) -> list[Any]:
        """Return `trained` as the model lists them.

        An optimizer may tell Keras variables apart by their path.
        """
        kept = {id(variable) for variable in self.trained}
        return [g for g, v in zip(self._given, self.trainable, strict=True) if id(v) in kept]

    @functools.cached_property
    def steps(self) -> Steps:
        """Return what takes steps: copies of the caller's optimizer, and Adam."""
        return Steps(self.optimizer, self.optimized, self.trained)

    def _penalty(self) -> tf.Tensor:
        """Return the sum of the layers' own losses, which Keras' `fit` adds to a compiled loss."""
        own = getattr(self.model, "losses", ()) if self.penalised else ()
        if not own and isinstance(self.objective.given, NoLoss):
            self.objective.refusal = "the model was compiled without a loss, and no layer adds one"
            raise PreflightError(self.refusal)
        return tf.add_n([tf.cast(tf.reduce_sum(value), tf.float32) for value in own or [0.0]])

    def _evaluate_graph(self, inputs: Any) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        outputs = self.call(inputs, training=False)
        self._taps, measured = tap_graph(tf.nest.flatten(inputs), outputs)
        return tf.cast(outputs, tf.float32), measured

    def _gradient_graph(
        self,
        inputs: Any,
        labels: tf.Tensor,
        weights: list[tf.Tensor],
        penalty_weight: tf.Tensor,
        loss_scale: tf.Tensor,
        training: bool,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Return loss, penalty, outputs, gradients, and whether loss and gradients are finite."""
        with tf.GradientTape() as tape:
            outputs = self.call(inputs, training=training)
            if training:
                self.noise = find_noise(tf.nest.flatten(inputs), outputs)
            loss = self.objective.traced(labels, outputs, weights)
            penalty = penalty_weight * self._penalty()
            total = loss + tf.cast(penalty, loss.dtype)
            # Small gradients in float16 would be 0 without a scale.
            scaled = total * tf.cast(loss_scale, total.dtype)
        gradients = list(zip(self.trainable, tape.gradient(scaled, self.trainable), strict=True))
        self.trained = [variable for variable, gradient in gradients if gradient is not None]
        self.disconnected = [variable_name(v) for v, gradient in gradients if gradient is None]
        dense = [tf.convert_to_tensor(g) for _, g in gradients if g is not None]
        values = [value / tf.cast(loss_scale, value.dtype) for value in dense]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(v)) for v in (total, *values)])
        return loss, penalty, tf.cast(outputs, tf.float32), values, finite


def variable_name(variable: Any) -> str:
    """Return the path of a Keras variable, or the name of a TensorFlow one."""
    return str(getattr(variable, "path", variable.name)).removesuffix(":0")


def tf_variable(variable: Any) -> tf.Variable:
    """Return the TensorFlow variable in which a Keras variable keeps its value."""
    return variable.value if isinstance(variable, keras.Variable) else variable
