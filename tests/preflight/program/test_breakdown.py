"""Where the numbers of a program stop being finite."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight.learning.conclusions import check_overfit
from mnist_exp.preflight.learning.rates import check_rate
from mnist_exp.preflight.learning.schedules import Plan
from mnist_exp.preflight.learning.short_runs import short_run
from mnist_exp.preflight.program.breakdown import Part, breakdown
from mnist_exp.preflight.structure.gradients import check_finite
from tests.support.programs import findings, make_program
from tests.support.zoo import losses, models


def ending(function: Callable[[Any], Any]) -> Any:
    """Return a model that applies a function to its logits."""
    keras.utils.set_random_seed(0)
    return models.sequential(layers.Flatten(), layers.Dense(10), models.CallLayer(function))


def with_a_nan() -> Any:
    model = models.softmax("glorot", 0)
    model.build((None, 28, 28, 1))
    model.trainable_variables[0].assign(model.trainable_variables[0] * float("nan"))
    return model


def log_of_exact(labels: Any, outputs: Any) -> Any:
    shares = tf.cast(outputs > 0, tf.float32) + 0 * outputs
    return losses.mean(labels, outputs) - tf.reduce_mean(tf.math.log(shares))


def slope_of_a_root(labels: Any, outputs: Any) -> Any:
    return losses.mean(labels, outputs) + tf.reduce_sum(tf.sqrt(outputs - outputs))


@pytest.mark.parametrize(
    ("changes", "part", "words"),
    [
        ({"model": with_a_nan()}, Part.WEIGHTS, "kernel are not finite"),
        (
            {"model": ending(lambda z: z / 0)},
            Part.MODEL,
            "outputs are not finite, with weights of up to 0.",
        ),
        ({"loss": log_of_exact}, Part.LOSS, "outputs are finite, from"),
        ({"loss": slope_of_a_root}, Part.SLOPE, "the loss is finite (2."),
    ],
)
def test_the_first_part_that_is_not_finite_is_named(
    changes: dict[str, Any], part: Part, words: str
) -> None:
    program = make_program(**changes)
    gradients = program.gradients(program.inputs, program.labels)
    why = breakdown(program, gradients)
    assert why.part is part
    assert words in why.words
    (finding,) = findings(check_finite, program, gradients)
    assert words in finding.message
    assert finding.evidence["part"] == part


def test_outputs_that_are_exactly_0_are_counted() -> None:
    relu = models.sequential(layers.Flatten(), layers.Dense(10, "relu"))
    program = make_program(relu, lambda y, z: tf.reduce_mean(-tf.math.log(z)))
    why = breakdown(program, program.gradients(program.inputs, program.labels))
    assert "of them exactly 0, and the loss of them is not" in why.words


def test_nan_that_comes_soon_says_where() -> None:
    """The loss pulls the logits beyond 4, from where on there is no root."""
    model = ending(lambda z: tf.sqrt(4 - z))
    program = make_program(model, lambda y, z: losses.mean(y, z) + 100 * tf.reduce_mean(z))
    (finding,) = findings(check_overfit, program)
    assert finding.code == "GRADIENT_NON_FINITE"
    assert "outputs are not finite, with weights of up to" in finding.message


def test_an_optimizer_that_divides_by_0_is_named() -> None:
    """Adam without epsilon: pixels that are always 0 give a gradient of 0, and 0 / 0."""
    adam = keras.optimizers.Adam(1e-3, epsilon=0.0)
    program = make_program(models.softmax("zeros", 0), optimizer=adam)
    run = short_run(program, 0)
    assert run.breakdown is not None
    assert run.breakdown.part is Part.WEIGHTS
    (finding,) = findings(check_rate, program, run, Plan(optimizer=adam, steps=100), 0)
    assert finding.code == "GRADIENT_NON_FINITE"
    assert np.isfinite(program.first_values[0]).all()
    assert "epsilon" in finding.advice
