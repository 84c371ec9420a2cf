"""Copies of optimizers, and their steps."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_exp.preflight.program.steps import CannotCopy, OwnSteps, copy_optimizer


def test_copy_keeps_hyperparameters_and_scales_the_rate() -> None:
    optimizer = keras.optimizers.Adam(1e-3, beta_2=0.99, epsilon=1e-8)
    copy = copy_optimizer(optimizer, scale=0.1)
    assert (copy.beta_2, copy.epsilon) == (0.99, 1e-8)
    assert float(copy.learning_rate) == pytest.approx(1e-4)
    assert float(optimizer.learning_rate) == pytest.approx(1e-3)
    assert not optimizer.built


def test_copy_takes_a_schedule_that_cannot_be_serialised() -> None:
    class Halving(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return tf.where(tf.cast(step, tf.int32) < 10, 0.1, 0.5)

    optimizer = keras.optimizers.SGD(Halving())
    assert float(copy_optimizer(optimizer, scale=0.5).learning_rate) == pytest.approx(0.05)
    assert float(copy_optimizer(optimizer, 0.5, rate=1.0).learning_rate) == pytest.approx(0.5)


class Stronger(keras.optimizers.SGD):
    """SGD with a setting of its own, of which its config says nothing."""

    def __init__(self, strength: float = 1.0, **others: Any) -> None:
        super().__init__(**others)
        self.strength = strength


class OfItsOwnRate(keras.optimizers.SGD):
    """SGD that takes no learning rate."""

    def __init__(self) -> None:
        super().__init__(0.1)


def test_an_optimizer_whose_config_lacks_a_setting_is_not_copied() -> None:
    assert copy_optimizer(Stronger(learning_rate=0.1)).strength == 1
    for optimizer in (Stronger(5.0, learning_rate=0.1), OfItsOwnRate()):
        with pytest.raises(CannotCopy):
            copy_optimizer(optimizer)


def moved(optimizer: Any, scale: float = 1.0) -> float:
    """Return how far a first step moves a weight whose gradient is 1."""
    weight = tf.Variable(0.0)
    OwnSteps(optimizer, [weight], [weight]).start(scale)([tf.constant(1.0)])
    return -float(weight)


def test_every_step_moves_whatever_is_scaled_or_accumulated() -> None:
    sgd = keras.optimizers.SGD
    assert moved(sgd(0.1, gradient_accumulation_steps=4)) == pytest.approx(0.1)
    assert moved(keras.optimizers.LossScaleOptimizer(sgd(0.1))) == pytest.approx(0.1)
    assert moved(sgd(0.1, loss_scale_factor=8.0)) == pytest.approx(0.1)


def test_a_new_start_forgets_all_steps() -> None:
    weight = tf.Variable(0.0)
    steps = OwnSteps(keras.optimizers.SGD(0.1, momentum=0.9), [weight], [weight])
    for scale in (1.0, 0.1):
        weight.assign(0.0)
        step = steps.start(scale)
        for _ in range(2):
            step([tf.constant(1.0)])
        np.testing.assert_allclose(weight.numpy(), -0.29 * scale, rtol=1e-5)
