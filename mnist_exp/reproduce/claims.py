"""A tutorial's number against the values of our runs, and the verdict on it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy import stats

from mnist_exp.compare import statistics
from mnist_exp.compare.statistics import CONFIDENCE, SMALLEST_VERDICT, Description, Interval, Values

# A share of whole images and the decimal that a tutorial prints may differ in the last bit.
_SAME = 1e-12


class Verdict(StrEnum):
    """What our runs say about a claim."""

    REPRODUCED = "reproduced"
    REPRODUCED_EXACTLY = "reproduced exactly"
    NOT_REPRODUCED = "not reproduced"
    NOT_DECIDED = "not decided"
    NO_CLAIM = "no claim"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A claim beside the values of our runs."""

    claim: float | None
    description: Description  # n is 0 without values
    prediction: Interval  # contains the value of one more run with 95% probability
    points: float = math.nan  # 100 * (claim - mean); NaN without a claim or without values
    deviations: float = math.nan  # (claim - mean) / standard deviation of a run; NaN if unknown
    verdict: Verdict

    @property
    def holds(self) -> bool:
        """Whether the claim is reproduced, exactly or not."""
        return self.verdict in (Verdict.REPRODUCED, Verdict.REPRODUCED_EXACTLY)


def prediction_interval(values: Values) -> Interval:
    """Return the interval that contains one more value of the same kind with 95% probability.

    It is mean +- t(n - 1) s sqrt(1 + 1/n), for normally distributed values: Hahn and Meeker,
    Statistical Intervals (Wiley 1991), chapter 4. Fewer than two values have no interval. Nothing
    can be inferred about the spread of values that are all equal.
    """
    of_mean = statistics.students_interval(values)
    if not of_mean.has_width:
        return of_mean
    n, mean = len(values), float(np.mean(values))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(values, ddof=1) * math.sqrt(1 + 1 / n)
    return replace(of_mean, low=mean - float(half), high=mean + float(half))


def assess(claim: float | None, values: Mapping[int, float]) -> Assessment:
    """Compare a claim with the values of our runs, which are given by seed.

    A claim is reproduced if a single run of ours might well have given it. Fewer than three runs
    decide nothing: the interval of two is so wide that hardly any claim lies outside.
    """
    numbers = np.array(list(values.values()), float)
    prediction = prediction_interval(numbers)
    if not len(numbers):
        return Assessment(
            claim=claim,
            description=_nothing(prediction),
            prediction=prediction,
            verdict=Verdict.NOT_MEASURED,
        )
    (description,) = statistics.describe([numbers])
    if claim is None:
        return Assessment(
            claim=None, description=description, prediction=prediction, verdict=Verdict.NO_CLAIM
        )
    above = claim - description.mean
    equal = abs(above) <= _SAME
    if len(numbers) < SMALLEST_VERDICT:
        verdict = Verdict.NOT_DECIDED
    elif prediction.is_degenerate:
        verdict = Verdict.REPRODUCED_EXACTLY if equal else Verdict.NOT_REPRODUCED
    elif prediction.low <= claim <= prediction.high:
        verdict = Verdict.REPRODUCED
    else:
        verdict = Verdict.NOT_REPRODUCED
    return Assessment(
        claim=claim,
        description=description,
        prediction=prediction,
        points=0.0 if equal else 100 * above,
        deviations=above / description.deviation if description.deviation > _SAME else math.nan,
        verdict=verdict,
    )


def _nothing(interval: Interval) -> Description:
    """Return the description of no values, whose interval does not exist."""
    nan = math.nan
    return Description(
        n=0, mean=nan, deviation=nan, median=nan, minimum=nan, maximum=nan, interval=interval
    )
