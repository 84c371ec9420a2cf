"""Short training runs."""

import keras
import numpy as np
import pytest

from mnist_exp.preflight.learning.short_runs import short_run
from tests.support.programs import make_program
from tests.support.zoo import models, optimizers, programs

IMAGES, LABELS = programs.sample(0, 400)


def test_short_run_lowers_the_loss_and_knows_its_direction() -> None:
    program = make_program(
        models.softmax("zeros", 0), optimizer=optimizers.sgd(0.1), images=IMAGES, labels=LABELS
    )
    run = short_run(program, seed=0)
    assert run.finite
    assert run.loss_before == pytest.approx(np.log(10), rel=1e-4)
    assert run.loss_after < 0.7 * run.loss_before
    assert run.downhill == pytest.approx(1, abs=1e-4)  # plain gradient descent
    assert min(run.moved) > 0


def test_short_run_promise_is_rate_times_squared_gradient() -> None:
    promised = []
    for rate in (0.01, 0.001):
        program = make_program(
            models.softmax("zeros", 0), optimizer=optimizers.sgd(rate), images=IMAGES, labels=LABELS
        )
        promised.append(short_run(program, seed=0).promised)
    assert promised[0] == pytest.approx(10 * promised[1], rel=1e-3)


def test_ascent_is_uphill() -> None:
    program = make_program(optimizer=optimizers.AscendingSGD(0.01), images=IMAGES, labels=LABELS)
    assert short_run(program, seed=0).downhill == pytest.approx(-1, abs=1e-4)


def test_short_run_stops_at_infinity() -> None:
    program = make_program(
        models.mlp("glorot", 0), optimizer=optimizers.sgd(1e20), images=IMAGES, labels=LABELS
    )
    run = short_run(program, seed=0)
    assert not run.finite
    assert run.steps < 15


def test_probe_is_adam() -> None:
    """The same two steps as Keras' Adam."""
    images, labels = IMAGES[:20], LABELS[:20]
    results = []
    for start in (lambda p: p.steps.adam.start(1e-2), lambda p: p.steps.own.start()):
        program = make_program(
            optimizer=keras.optimizers.Adam(1e-2, epsilon=1e-8), images=images, labels=labels
        )
        step = start(program)
        for _ in range(2):
            step(program.gradients(program.inputs, program.labels).values)
        results.append(program.trained[0].numpy())
    np.testing.assert_allclose(results[0], results[1], atol=1e-5)


def collapsing(scale: float) -> keras.Model:
    """A network whose signal is lost until batch normalisation has averages of its own."""
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Rescaling(scale))
    for _ in range(2):
        model.add(keras.layers.Dense(8, kernel_initializer=keras.initializers.RandomNormal(1e-6)))
        model.add(keras.layers.BatchNormalization(momentum=0.9999, epsilon=1e-16))
    model.add(keras.layers.Dense(10))
    return model


def test_outputs_that_are_equal_until_averages_follow_are_no_loss_of_the_inputs() -> None:
    def run(scale: float) -> bool:
        program = make_program(
            collapsing(scale), optimizer=optimizers.sgd(1e-9), images=IMAGES, labels=LABELS
        )
        return short_run(program, seed=0).collapsed

    assert not run(1.0)
    assert run(0.0)
