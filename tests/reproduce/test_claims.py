"""Verdicts against intervals computed with scipy alone, and how often they are right."""

import math

import numpy as np
import pytest
from scipy import special, stats

from mnist_exp.compare.statistics import students_interval
from mnist_exp.reproduce.claims import POWER, Verdict, assess, noticed_differences

ACCURACIES = {0: 0.9874, 1: 0.9891, 2: 0.9880, 3: 0.9902, 4: 0.9885}


def test_the_interval_of_an_accuracy_is_students_of_its_logits() -> None:
    values = np.array(list(ACCURACIES.values()))
    logits = special.logit(values)
    spread = stats.tstd(logits) * math.sqrt(1 + 1 / 5)
    expected = special.expit(stats.t.interval(0.95, 4, loc=logits.mean(), scale=spread))
    prediction = assess(0.9872, ACCURACIES, shares=True).prediction
    assert (prediction.low, prediction.high) == pytest.approx(tuple(expected), abs=1e-12)


@pytest.mark.parametrize("values", [[0.6631, 1.0], [0.999, 0.9, 0.95], [0.001, 0.2, 0.0]])
def test_no_end_lies_beyond_0_or_1(values: list[float]) -> None:
    prediction = assess(0.9, dict(enumerate(values)), shares=True).prediction
    assert 0 <= prediction.low < min(values) + 1e-9
    assert max(values) - 1e-9 < prediction.high <= 1


def test_a_claim_inside_is_not_contradicted_and_how_far_off_it_is() -> None:
    assessment = assess(0.9872, ACCURACIES, shares=True)
    values = np.array(list(ACCURACIES.values()))
    assert assessment.verdict is Verdict.NOT_CONTRADICTED
    assert assessment.is_test
    assert assessment.points == pytest.approx(100 * (0.9872 - values.mean()))
    assert assessment.deviations == pytest.approx((0.9872 - values.mean()) / stats.tstd(values))
    assert assessment.beyond_all == -1
    assert assess(0.9874, ACCURACIES, shares=True).beyond_all == 0
    assert assess(0.9903, ACCURACIES, shares=True).beyond_all == 1


@pytest.mark.parametrize("claim", [0.98, 0.995])
def test_a_claim_outside_is_contradicted(claim: float) -> None:
    assessment = assess(claim, ACCURACIES, shares=True)
    assert assessment.verdict is Verdict.CONTRADICTED
    assert (assessment.points > 0) == (claim > 0.9886)


@pytest.mark.parametrize(
    ("claim", "expected"), [(0.098, Verdict.SAME_NUMBER), (0.0981, Verdict.CONTRADICTED)]
)
def test_runs_without_a_spread_can_only_be_the_same(claim: float, expected: Verdict) -> None:
    assessment = assess(claim, dict.fromkeys(range(5), 980 / 10_000), shares=True)
    assert assessment.verdict is expected
    assert math.isnan(assessment.deviations)
    assert all(map(math.isnan, assessment.noticed))
    assert assessment.points == pytest.approx(100 * (claim - 0.098))


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_than_three_runs_decide_nothing(n: int) -> None:
    assessment = assess(0.5, dict(list(ACCURACIES.items())[:n]), shares=True)
    assert assessment.verdict is Verdict.NOT_DECIDED
    assert not assessment.is_test
    assert assessment.points < -40
    assert assessment.prediction.exists == (n == 2)


def test_nothing_measured_and_nothing_claimed() -> None:
    assert assess(0.9, {}, shares=True).verdict is Verdict.NOT_MEASURED
    assert assess(None, ACCURACIES, shares=True).verdict is Verdict.NO_CLAIM
    assert math.isnan(assess(None, ACCURACIES, shares=True).points)


@pytest.mark.parametrize("n", [3, 5, 20])
def test_a_program_as_far_off_as_that_is_noticed_in_8_of_10_cases(n: int) -> None:
    """The known spread is given to the function; the runs of the simulation only estimate it."""
    rng = np.random.default_rng(n)
    exact = rng.normal(size=n)
    exact = (exact - exact.mean()) / stats.tstd(exact)
    far, above = noticed_differences(students_interval(exact, one_more=True), n)
    assert far == above
    ours, theirs = rng.normal(size=(20_000, n)), rng.normal(loc=far, size=20_000)
    half = stats.t.ppf(0.975, n - 1) * ours.std(axis=1, ddof=1) * math.sqrt(1 + 1 / n)
    noticed = np.abs(theirs - ours.mean(axis=1)) > half
    assert noticed.mean() == pytest.approx(POWER, abs=0.01)  # three standard errors


def test_an_accuracy_has_a_difference_for_each_side_and_both_are_noticed_in_8_of_10_cases() -> None:
    """The program that lies as far off has the same spread of logits."""
    assessment = assess(0.97, ACCURACIES, shares=True)
    logits = special.logit(list(ACCURACIES.values()))
    middle, deviation = logits.mean(), stats.tstd(logits)
    rng, (below, above) = np.random.default_rng(0), assessment.noticed
    assert 0 < above < below
    for far in (special.expit(middle) - below, special.expit(middle) + above):
        ours = rng.normal(middle, deviation, size=(20_000, 5))
        theirs = rng.normal(special.logit(far), deviation, size=20_000)
        half = stats.t.ppf(0.975, 4) * ours.std(axis=1, ddof=1) * math.sqrt(1 + 1 / 5)
        noticed = np.abs(theirs - ours.mean(axis=1)) > half
        assert noticed.mean() == pytest.approx(POWER, abs=0.01)
    wide = assess(0.97, {0: 0.95, 1: 0.99, 2: 0.97}, shares=True)
    assert 0.5 < wide.noticed[0] < 1
    assert wide.description.mean + wide.noticed[1] < 1  # no accuracy is larger than 1
