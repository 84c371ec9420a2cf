"""The pattern of a curve beside others: what it is, and that luck gives p its own share."""

import numpy as np
import pytest

from mnist_exp.reproduce import pattern

STEPS = 15


def curves(number: int, rng: np.random.Generator) -> np.ndarray:
    """Return curves [curve, step] that stay on one side of their mean for a while, as costs do."""
    return np.cumsum(rng.normal(size=(number, STEPS)), axis=1)


def test_a_curve_that_is_far_off_for_long_is_found_and_described() -> None:
    ours = dict(enumerate(np.random.default_rng(0).normal(size=(20, STEPS))))
    printed = np.where(np.arange(STEPS) < 5, -4.0, 4.0)
    found = pattern.find(printed, ours)
    assert found is not None
    assert found.stretches == ((-1, 1, 5), (1, 6, 15))
    assert found.like_it == []
    assert found.p == 1 / 21


def test_a_seed_that_does_the_same_is_named() -> None:
    ours = dict(enumerate(np.random.default_rng(0).normal(size=(4, STEPS))))
    ours[7] = np.where(np.arange(STEPS) < 5, 9.0, -9.0)
    found = pattern.find(np.where(np.arange(STEPS) < 5, -4.0, 4.0), ours)
    assert found is not None
    assert found.like_it == [7]
    assert found.p == pytest.approx(2 / 6)


def test_a_curve_of_the_same_kind_has_a_small_p_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    found = [
        pattern.find(c[0], dict(enumerate(c[1:]))) for c in (curves(6, rng) for _ in range(600))
    ]
    ranks = np.bincount([each.as_large for each in found if each is not None], minlength=7)[1:]
    assert ranks == pytest.approx(np.full(6, 100), abs=35)  # 3.8 standard errors


def test_two_curves_are_too_few() -> None:
    assert pattern.find(np.ones(3), {0: np.zeros(3), 1: np.ones(3)}) is None
