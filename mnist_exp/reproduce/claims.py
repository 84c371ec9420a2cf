"""A tutorial's number against the values of our runs, and the verdict on it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import optimize, special, stats

from mnist_exp.compare import statistics
from mnist_exp.compare.statistics import (
    CONFIDENCE,
    SMALLEST_VERDICT,
    Description,
    Interval,
    IntervalMethod,
)

POWER = 0.8  # of 10 studies of a program that differs as `Assessment.noticed` says, 8 notice it

# A share of whole images and the decimal that a tutorial prints may differ in the last bit.
_SAME = 1e-12
_UNKNOWN = (math.nan, math.nan)


class Verdict(StrEnum):
    """What our runs say about a claim."""

    SAME_NUMBER = "the same number"
    NOT_CONTRADICTED = "not contradicted"
    CONTRADICTED = "contradicted"
    NOT_DECIDED = "not decided"
    NO_CLAIM = "no claim"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A claim beside the values of our runs."""

    claim: float | None
    description: Description  # n is 0 without values
    prediction: Interval  # contains the value of one more run with 95% probability
    noticed: tuple[float, float] = _UNKNOWN  # see `noticed_differences`
    points: float = math.nan  # 100 * (claim - mean); NaN without a claim or without values
    deviations: float = math.nan  # (claim - mean) / standard deviation of a run; NaN if unknown
    verdict: Verdict

    @property
    def is_test(self) -> bool:
        """Whether there are runs enough for a verdict on a claim."""
        return self.verdict in (Verdict.SAME_NUMBER, Verdict.NOT_CONTRADICTED, Verdict.CONTRADICTED)

    @property
    def beyond_all(self) -> int:
        """Return 1 if the claim lies above all values of our runs, -1 if below all, or 0."""
        if self.claim is None or not self.description.n:
            return 0
        above = self.claim - self.description.maximum > _SAME
        return int(above) - int(self.description.minimum - self.claim > _SAME)


def assess(claim: float | None, values: Mapping[int, float], *, shares: bool) -> Assessment:
    """Compare a claim with the values of our runs, which are given by seed.

    A claim is not contradicted if a single run of ours might well have given it. Fewer than three
    runs decide nothing: the interval of two is so wide that hardly any claim lies outside. The
    interval of `shares`, such as accuracies, stays between 0 and 1.
    """
    numbers = np.array(list(values.values()), float)
    prediction = statistics.students_interval(numbers, shares=shares, one_more=True)
    if not len(numbers):
        return Assessment(
            claim=claim,
            description=_nothing(prediction),
            prediction=prediction,
            verdict=Verdict.NOT_MEASURED,
        )
    (description,) = statistics.describe([numbers], shares=shares)
    noticed = noticed_differences(prediction, len(numbers))
    if claim is None:
        return Assessment(
            claim=None,
            description=description,
            prediction=prediction,
            noticed=noticed,
            verdict=Verdict.NO_CLAIM,
        )
    above = claim - description.mean
    equal = abs(above) <= _SAME
    return Assessment(
        claim=claim,
        description=description,
        prediction=prediction,
        noticed=noticed,
        points=0.0 if equal else 100 * above,
        deviations=above / description.deviation if description.deviation > _SAME else math.nan,
        verdict=_verdict(claim, prediction, len(numbers), equal),
    )


def _verdict(claim: float, prediction: Interval, n: int, equal: bool) -> Verdict:
    if n < SMALLEST_VERDICT:
        return Verdict.NOT_DECIDED
    if prediction.is_degenerate:
        return Verdict.SAME_NUMBER if equal else Verdict.CONTRADICTED
    inside = prediction.low <= claim <= prediction.high
    return Verdict.NOT_CONTRADICTED if inside else Verdict.CONTRADICTED


def noticed_differences(prediction: Interval, n: int) -> tuple[float, float]:
    """Return how far (below, above) ours another program's mean has to lie to be noticed.

    If it lies as far from ours as that, or farther, then 8 of 10 studies notice it: studies with
    `n` new runs of ours, and one run of the other program, which lies outside of the interval of
    one more run. It supposes that both programs have the spread which our runs show: the claim,
    (claim - mean) / (s sqrt(1 + 1/n)), is then distributed as a noncentral t. Both sides are the
    same but for shares, which have less room on one of them. NaN for fewer than three runs, and if
    the interval has no width.
    """
    if n < SMALLEST_VERDICT or not prediction.has_width:
        return _UNKNOWN
    limit = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)

    def missing_power(shift: float) -> float:  # that it lies beyond the other end is negligible
        return float(stats.nct.sf(limit, n - 1, shift)) - POWER

    widths = optimize.brentq(missing_power, 0, 3 * limit) / limit
    if prediction.method is not IntervalMethod.LOGIT_STUDENT:
        half = float(widths * (prediction.high - prediction.low) / 2)
        return half, half
    low, high = special.logit([prediction.low, prediction.high])
    middle, far = (low + high) / 2, widths * (high - low) / 2
    below, above = np.diff(special.expit([middle - far, middle, middle + far]))
    return float(below), float(above)


def _nothing(interval: Interval) -> Description:
    """Return the description of no values, whose interval does not exist."""
    nan = math.nan
    return Description(
        n=0, mean=nan, deviation=nan, median=nan, minimum=nan, maximum=nan, interval=interval
    )
