"""Verdicts against intervals computed with scipy alone."""

import math

import numpy as np
import pytest
from scipy import stats

from mnist_exp.reproduce.claims import Verdict, assess, prediction_interval

ACCURACIES = {0: 0.9874, 1: 0.9891, 2: 0.9880, 3: 0.9902, 4: 0.9885}


def test_the_prediction_interval_is_students() -> None:
    values = np.array(list(ACCURACIES.values()))
    low, high = stats.t.interval(
        0.95, 4, loc=values.mean(), scale=stats.tstd(values) * math.sqrt(1 + 1 / 5)
    )
    interval = prediction_interval(values)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-15)


def test_it_covers_one_more_value_in_95_of_100_cases() -> None:
    draws = np.random.default_rng(0).normal(size=(4000, 6))
    inside = [
        interval.low <= row[5] <= interval.high
        for row in draws
        for interval in [prediction_interval(row[:5])]
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.01)  # three standard errors


def test_a_claim_inside_is_reproduced_and_how_far_off_it_is() -> None:
    assessment = assess(0.9872, ACCURACIES)
    values = np.array(list(ACCURACIES.values()))
    assert assessment.verdict is Verdict.REPRODUCED
    assert assessment.holds
    assert assessment.points == pytest.approx(100 * (0.9872 - values.mean()))
    assert assessment.deviations == pytest.approx((0.9872 - values.mean()) / stats.tstd(values))


@pytest.mark.parametrize("claim", [0.98, 0.995])
def test_a_claim_outside_is_not(claim: float) -> None:
    assessment = assess(claim, ACCURACIES)
    assert assessment.verdict is Verdict.NOT_REPRODUCED
    assert not assessment.holds
    assert (assessment.points > 0) == (claim > 0.9886)


@pytest.mark.parametrize(
    ("claim", "expected"), [(0.098, Verdict.REPRODUCED_EXACTLY), (0.0981, Verdict.NOT_REPRODUCED)]
)
def test_runs_without_a_spread_can_only_be_exact(claim: float, expected: Verdict) -> None:
    assessment = assess(claim, dict.fromkeys(range(5), 980 / 10_000))
    assert assessment.verdict is expected
    assert math.isnan(assessment.deviations)
    assert assessment.points == pytest.approx(100 * (claim - 0.098))


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_than_three_runs_decide_nothing(n: int) -> None:
    assessment = assess(0.5, dict(list(ACCURACIES.items())[:n]))
    assert assessment.verdict is Verdict.NOT_DECIDED
    assert assessment.points < -40
    assert assessment.prediction.method == ("none" if n == 1 else "t")


def test_nothing_measured_and_nothing_claimed() -> None:
    assert assess(0.9, {}).verdict is Verdict.NOT_MEASURED
    assert assess(None, ACCURACIES).verdict is Verdict.NO_CLAIM
    assert math.isnan(assess(None, ACCURACIES).points)
