"""A tutorial's number against those of our runs, as numbers in and a verdict out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mnist_exp.compare import statistics
from mnist_exp.compare.statistics import CONFIDENCE, SMALLEST_VERDICT, Description, Interval, Values

_SAME = 1e-12  # apart: a share of whole images and the decimal that a tutorial prints may differ in the last bit


@dataclass(frozen=True)
class Verdict:
    """`claim` beside runs' values. `points` and `deviations`: how far the claim is above their mean, NaN if unknown.

    points: percentage points, which is 100 times the difference; deviations: the same in standard deviations of a run.
    `word` is one of reproduced, reproduced exactly, not reproduced, not decided, no claim, not measured.
    """

    claim: float | None
    description: Description | None  # None without values
    prediction: Interval  # where one more run falls, with 95%
    points: float
    deviations: float
    word: str

    @property
    def holds(self) -> bool:
        return self.word.startswith("reproduced")


def prediction_interval(x: Values) -> Interval:
    """Where one more value of the same kind falls with 95%: mean +- t(n - 1) s sqrt(1 + 1/n), for normal values.

    Hahn and Meeker, Statistical Intervals (Wiley 1991), chapter 4. None for fewer than two values; without spread,
    there is nothing to infer a spread from.
    """
    of_mean = statistics.students_interval(x)
    if of_mean.method != "t":
        return of_mean
    n, mean = len(x), float(np.mean(x))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(x, ddof=1) * math.sqrt(1 + 1 / n)
    return Interval(mean - float(half), mean + float(half), "t")


def judge(claim: float | None, values: Mapping[int, float]) -> Verdict:
    """`values` by seed. A claim is reproduced if a single run of ours might well have given it.

    Fewer than three runs decide nothing: the interval of two is so wide that hardly any claim lies outside.
    """
    x = np.array(list(values.values()), float)
    if not len(x):
        return Verdict(claim, None, prediction_interval(x), math.nan, math.nan, "not measured")
    (described,) = statistics.describe([x])
    interval = prediction_interval(x)
    if claim is None:
        return Verdict(None, described, interval, math.nan, math.nan, "no claim")
    above = claim - described.mean
    equal = abs(above) <= _SAME
    deviations = above / described.deviation if described.deviation > _SAME else math.nan
    if len(x) < SMALLEST_VERDICT:
        word = "not decided"
    elif interval.method == "all equal":
        word = "reproduced exactly" if equal else "not reproduced"
    else:
        word = "reproduced" if interval.low <= claim <= interval.high else "not reproduced"
    return Verdict(claim, described, interval, 0.0 if equal else 100 * above, deviations, word)
