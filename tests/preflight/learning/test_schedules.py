"""The learning rate over a run."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_exp.preflight.learning.schedules import Plan, check_schedule
from tests.support.programs import codes, make_program
from tests.support.zoo import models, programs

schedules = keras.optimizers.schedules
IMAGES, LABELS = programs.sample(0, 400)


def plan(rate: object, steps: int = 1000) -> Plan:
    return Plan(optimizer=keras.optimizers.SGD(rate), steps=steps)


def test_a_number_is_constant() -> None:
    constant = plan(0.1)
    assert constant.constant
    assert constant.peak == constant.first == pytest.approx(0.1)
    assert constant.full_steps == pytest.approx(1000)
    assert constant.warmup == 1


def test_a_warm_up_is_known_by_its_peak() -> None:
    warm_up = plan(schedules.CosineDecay(0.0, 1000, warmup_target=0.5, warmup_steps=100))
    assert not warm_up.constant
    assert warm_up.first == 0
    assert warm_up.warmup == np.inf
    assert warm_up.peak == pytest.approx(0.5, rel=0.01)


def test_a_decay_is_as_long_as_its_sum() -> None:
    decay = plan(schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.9), 10_000)
    assert decay.full_steps == pytest.approx(10, rel=0.1)
    assert decay.peak == pytest.approx(0.1)


def found(rate: object, steps: int = 1000) -> list[str]:
    optimizer = keras.optimizers.SGD(rate)
    program = make_program(
        models.softmax("zeros", 0), optimizer=optimizer, images=IMAGES, labels=LABELS
    )
    return codes(check_schedule, program, Plan(optimizer=optimizer, steps=steps), 0)


class Line(keras.optimizers.schedules.LearningRateSchedule):
    """A straight decline, to below 0."""

    def __call__(self, step: Any) -> Any:
        return 0.1 - 1e-3 * tf.cast(step, tf.float32)


@pytest.mark.parametrize(
    "rate",
    [
        schedules.CosineDecay(0.1, 10),
        schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.9),
        schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=2.0),
        Line(),
    ],
)
def test_a_schedule_that_collapses(rate: object) -> None:
    assert found(rate) == ["SCHEDULE_COLLAPSES"]


@pytest.mark.parametrize(
    "rate",
    [
        0.1,
        schedules.CosineDecay(0.0, 1000, warmup_target=0.5, warmup_steps=100),
        schedules.CosineDecay(0.1, 1000),
        schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.9),
        schedules.PiecewiseConstantDecay([200, 400], [0.1, 0.01, 0.001]),
        schedules.InverseTimeDecay(0.1, decay_steps=100, decay_rate=0.5),
    ],
)
def test_a_usual_schedule(rate: object) -> None:
    assert found(rate) == []
