"""The learning rate over a run."""

import keras
import numpy as np
import pytest

from mnist_exp.preflight.schedules import Plan

schedules = keras.optimizers.schedules


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
