"""Find out why a program cannot learn a few examples by heart: change one suspect at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight.learning.memorising import Lesson, lesson, memorise
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.flow import made_by
from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.objective import mean_loss
from mnist_exp.preflight.program.passes import Gradients
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import NUMBERS, ONE_OF_MANY, YES_OR_NO

RATES = (3e-3, 1e-2)
STEPS = 100
# Operations at the end of a model that no logit or number needs.
BOUNDED = {"Relu", "Relu6", "Tanh", "Elu", "Selu", "Softplus", "LeakyRelu", "Abs"}
BOUNDED |= {"Maximum", "Minimum", "ClipByValue"}
SQUASHING = {"Sigmoid", "Softmax"}


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A part of a program that may keep it from learning.

    name: as the table of codes calls the case.
    words: the change after which the program may learn.
    prepare: changes it, and returns how the changed program learns; the next restore undoes it.
    """

    name: str
    words: str
    prepare: Callable[[], Lesson]


def cause(program: Program, inputs: Inputs, labels: np.ndarray) -> Suspect | None:
    """Return the first suspect without which the examples are learned by heart."""
    for suspect in _suspects(program, inputs, labels):
        for rate in RATES:
            program.restore()
            given = suspect.prepare()
            result = memorise(program, given, program.steps.adam.start(rate), STEPS)
            program.penalty_weight = 1.0
            if result.score >= given.enough:
                return suspect
    return None


def _suspects(program: Program, inputs: Inputs, labels: np.ndarray) -> Iterator[Suspect]:
    """Yield what may be at fault, what is likeliest and cheapest to try first."""
    last = program.taps.output_op
    if program.penalised:
        yield Suspect(
            name="penalty",
            words="without the layers' own losses",
            prepare=lambda: _without_penalty(program, inputs, labels),
        )
    if last in BOUNDED:
        yield Suspect(
            name="activation",
            words=f"without the {last} at the end of the model",
            prepare=lambda: _changed(program, inputs, labels, raw=True, fitting=False),
        )
    yield Suspect(
        name="dropout",
        words="without dropout and what else is different in training",
        prepare=lambda: lesson(program, inputs, labels, training=False),
    )
    if (standard := _standardised(inputs)) is not None:
        yield Suspect(
            name="inputs",
            words="with inputs of mean 0 and deviation 1",
            prepare=lambda: lesson(program, standard, labels),
        )
    yield Suspect(
        name="weights",
        words="with initial weights drawn anew (Glorot, biases 0)",
        prepare=lambda: _drawn_anew(program, inputs, labels),
    )
    if program.target.task in ONE_OF_MANY | YES_OR_NO | NUMBERS:
        fits = last in BOUNDED | SQUASHING
        said = f"and without the {last} at the end of the model" if fits else ""
        yield Suspect(
            name="loss",
            words=f"with a loss that fits the labels {said}".strip(),
            prepare=lambda: _changed(program, inputs, labels, raw=fits, fitting=True),
        )


def _without_penalty(program: Program, inputs: Inputs, labels: np.ndarray) -> Lesson:
    program.penalty_weight = 0.0
    return lesson(program, inputs, labels)


def _drawn_anew(program: Program, inputs: Inputs, labels: np.ndarray) -> Lesson:
    generator = np.random.default_rng(0)
    for variable in program.trained:
        shape = variable.shape
        if len(shape) < 2:
            value = np.full(shape, 1.0 if "gamma" in variable.name else 0.0)
        else:
            limit = np.sqrt(6 / (np.prod(shape[:-1]) + shape[-1]))
            value = generator.uniform(-limit, limit, shape)
        variable.assign(tf.cast(value, variable.dtype))
    return lesson(program, inputs, labels)


def _standardised(inputs: Inputs) -> Inputs | None:
    """Return inputs whose numbers have mean 0 and deviation 1; None if none are numbers."""
    if not any(array.dtype.kind == "f" for array in inputs.arrays):
        return None

    def standard(array: np.ndarray) -> np.ndarray:
        if array.dtype.kind != "f":
            return array
        spread = array.std(axis=0)
        centred = array - array.mean(axis=0)
        whole = max(float(array.std()), 1e-12)
        return np.asarray(centred / np.where(spread > 1e-3 * whole, spread, whole), array.dtype)

    return Inputs(tf.nest.map_structure(standard, inputs.structure), inputs.weights)


def _changed(
    program: Program, inputs: Inputs, labels: np.ndarray, *, raw: bool, fitting: bool
) -> Lesson:
    """Return a lesson with the outputs before the last activation, or with a fitting loss."""
    target = program.target
    taught = _taught(program, labels) if fitting else labels

    def graph(batch: Any, right: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            outputs = program.call(batch, training=True)
            if raw:
                outputs = _before_activation(outputs)
            outputs = tf.cast(outputs, tf.float32)
            loss = (
                _fitting_loss(program, right, outputs)
                if fitting
                else mean_loss(program.objective.values(right, outputs))
            )
        slopes = tape.gradient(loss, program.trained, unconnected_gradients="zero")
        return loss, outputs, [tf.convert_to_tensor(slope) for slope in slopes]

    batch, right = inputs.tensors(), tf.constant(taught)
    traced = tf.function(graph, autograph=False)

    def gradients() -> Gradients:
        loss, outputs, values = traced(batch, right)
        finite = all(bool(tf.reduce_all(tf.math.is_finite(v))) for v in (loss, *values))
        return Gradients(
            loss=float(loss), penalty=0.0, outputs=outputs.numpy(), values=values, finite=finite
        )

    own = lesson(program, inputs, labels)
    squash = fitting and target.task in YES_OR_NO and target.takes is not LossInput.LOGITS

    def score(outputs: np.ndarray) -> float:
        return own.score(1 / (1 + np.exp(-outputs)) if squash else outputs)

    return Lesson(
        gradients=gradients, score=score, outputs=None, chance=own.chance, enough=own.enough
    )


def _taught(program: Program, labels: np.ndarray) -> np.ndarray:
    """Return labels as a fitting loss compares them."""
    target = program.target
    if target.task in ONE_OF_MANY:
        return target.answers(labels)
    numbers = target.yes(labels) if target.task in YES_OR_NO else labels
    return numbers.astype(np.float32).reshape(len(labels), *program.output_shape)


def _before_activation(outputs: tf.Tensor) -> tf.Tensor:
    """Return what the operation that makes the outputs is given, in their shape."""
    return tf.reshape(made_by(outputs).inputs[0], tf.shape(outputs))


def _fitting_loss(program: Program, right: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Return the usual loss of a task, from logits or numbers."""
    if program.target.task in ONE_OF_MANY:
        flat = tf.reshape(outputs, [-1, program.num_classes])
        classes = tf.clip_by_value(tf.reshape(right, [-1]), 0, program.num_classes - 1)
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=flat)
        )
    if program.target.task in YES_OR_NO:
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=right, logits=outputs))
    return tf.reduce_mean(tf.square(right - outputs))
