from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_exp.config.schema import Config
from mnist_exp.training import optimizers, schedules

Compose = Callable[..., Config]


def minimise(optimizer: keras.optimizers.Optimizer, steps: int = 5) -> np.ndarray:
    """Weights after some steps down a bowl with one steep and one flat side, compiled."""
    weights = keras.Variable([1.0, -2.0])
    optimizer.build([weights])

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.constant([5.0, 0.1]) * weights.value**2)
        optimizer.apply(tape.gradient(loss, [weights.value]), [weights])

    for _ in range(steps):
        step()
    return weights.numpy()


def built(config: Config, total_steps: int = 100) -> keras.optimizers.Optimizer:
    return optimizers.build(config.optimizer, config.schedule, total_steps)


@pytest.mark.parametrize(
    ("overrides", "reference"),
    [
        (["optimizer=sgd"], keras.optimizers.SGD(0.01)),
        (["optimizer=momentum"], keras.optimizers.SGD(0.01, momentum=0.9)),
        (
            ["optimizer=momentum", "optimizer.nesterov=true"],
            keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
        ),
        (["optimizer=adam"], keras.optimizers.Adam(0.001, epsilon=1e-8)),
        (
            ["optimizer=adam", "optimizer.beta_1=0.5"],
            keras.optimizers.Adam(0.001, 0.5, epsilon=1e-8),
        ),
        (["optimizer=adamw"], keras.optimizers.AdamW(0.001, weight_decay=0.01, epsilon=1e-8)),
        (["optimizer=rmsprop"], keras.optimizers.RMSprop(0.001, rho=0.9)),
        (
            ["optimizer=rmsprop", "optimizer.momentum=0.5"],
            keras.optimizers.RMSprop(0.001, rho=0.9, momentum=0.5),
        ),
        (["optimizer=adagrad"], keras.optimizers.Adagrad(0.01)),
    ],
)
def test_same_updates_as_keras(
    settings: Compose, overrides: list[str], reference: keras.optimizers.Optimizer
) -> None:
    np.testing.assert_allclose(
        minimise(built(settings(*overrides))), minimise(reference), rtol=1e-5
    )


def test_fused_adam_follows_a_schedule(settings: Compose) -> None:
    config = settings("optimizer=adam", "schedule=cosine")
    rate = schedules.learning_rate(0.001, config.schedule, 5)
    np.testing.assert_allclose(
        minimise(built(config, 5)), minimise(keras.optimizers.Adam(rate, epsilon=1e-8)), rtol=1e-5
    )


def test_constant_rate(settings: Compose) -> None:
    assert schedules.learning_rate(0.1, settings().schedule, 10) == 0.1


def test_cosine_goes_from_the_rate_to_its_final_fraction(settings: Compose) -> None:
    schedule = settings("schedule=cosine", "schedule.final_fraction=0.1").schedule
    rate = schedules.learning_rate(1.0, schedule, 11)
    values = [float(rate(step)) for step in range(11)]  # type: ignore[operator]
    assert values[0] == pytest.approx(1.0)
    assert values[5] == pytest.approx(0.55)
    assert values[10] == pytest.approx(0.1)
    assert values == sorted(values, reverse=True)


def test_one_cycle_rises_then_falls(settings: Compose) -> None:
    rate = schedules.learning_rate(1.0, settings("schedule=one_cycle").schedule, 101)
    values = [float(rate(step)) for step in range(101)]  # type: ignore[operator]
    assert values[0] == pytest.approx(0.04)
    assert int(np.argmax(values)) == 30
    assert values[30] == pytest.approx(1.0)
    assert values[100] == pytest.approx(4e-6, abs=1e-7)
