"""Compute intervals, paired tests and verdicts from numbers. docs/compare.md has the sources."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

CONFIDENCE = 0.95
RESAMPLES = 9_999  # of the bootstrap
SMALLEST_BOOTSTRAP = 5  # values; fewer do not show how they are spread
SMALLEST_VERDICT = 3  # pairs
EXACT_UP_TO = 16  # pairs: all 2^16 sign flips are tried; of more pairs, as many at random
_SMALLEST_SHARE = 0.5 / 10_000  # half of a test image: the logits of 0 and 1 are infinite
_SAMPLES_AT_ONCE = 50  # bootstrapped together; more would take more memory

Values = NDArray[np.float64]


class IntervalMethod(StrEnum):
    """How an interval was computed, in the words that tables and files show."""

    BCA = "BCa"
    STUDENT = "t"
    LOGIT_STUDENT = "t of logits"  # of shares: both ends lie between 0 and 1
    ALL_EQUAL = "all equal"  # without spread there is nothing to infer an interval from
    NONE = "none"


class Verdict(StrEnum):
    """How a group compares with the baseline, in the words that tables and files show."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "no difference shown"
    TOO_FEW = "too few seeds"  # one or two pairs: no verdict was possible
    NOT_COMPARED = "not compared"  # no pair: there is nothing to test

    @property
    def is_difference(self) -> bool:
        """Return whether it says that there is a difference."""
        return self in (Verdict.BETTER, Verdict.WORSE)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A 95% confidence interval of a mean; both ends are NaN where there is none."""

    low: float
    high: float
    method: IntervalMethod

    @property
    def exists(self) -> bool:
        """Return False for fewer than two values, which have no interval."""
        return self.method is not IntervalMethod.NONE

    @property
    def is_degenerate(self) -> bool:
        """Return True if all values are equal, so that both ends are the mean."""
        return self.method is IntervalMethod.ALL_EQUAL

    @property
    def has_width(self) -> bool:
        """Return whether there is an interval with two different ends."""
        return self.exists and not self.is_degenerate

    @property
    def side(self) -> int:
        """Return 1 if it lies above zero, -1 below, 0 if it covers or touches zero or is none."""
        return int(self.low > 0) - int(self.high < 0)

    def within(self, low: float, high: float) -> "Interval":
        """Return the part of it between these ends, beyond which the true value cannot lie."""
        ends = np.clip([self.low, self.high], low, high)
        return replace(self, low=float(ends[0]), high=float(ends[1]))


@dataclass(frozen=True, kw_only=True)
class Description:
    """A group's values, one a seed."""

    n: int
    mean: float
    deviation: float  # of the sample (n - 1); NaN for n = 1
    median: float
    minimum: float
    maximum: float
    interval: Interval  # of the mean


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A group minus the baseline, paired by seed."""

    seeds: tuple[str, ...]
    values: tuple[float, ...]  # one a seed
    mean: float
    interval: Interval
    student: Interval  # Student's, which a verdict needs as well
    p: float  # of the sign-flip test; NaN without pairs
    p_holm: float
    verdict: Verdict

    @property
    def smallest_p(self) -> float:
        """Return what p would be if every pair pointed the same way."""
        return smallest_p(len(self.values))


def is_share(metric: str) -> bool:
    """Return whether a metric's values are shares of images, between 0 and 1."""
    return metric.endswith("accuracy")


def describe(samples: Sequence[Values], *, shares: bool = False) -> list[Description]:
    """Describe each sample, which needs at least one value; `shares` as in `intervals`."""
    return [
        Description(
            n=len(x),
            mean=float(np.mean(x)),
            deviation=float(np.std(x, ddof=1)) if len(x) > 1 else math.nan,
            median=float(np.median(x)),
            minimum=float(np.min(x)),
            maximum=float(np.max(x)),
            interval=interval,
        )
        for x, interval in zip(samples, intervals(samples, shares=shares), strict=True)
    ]


def intervals(samples: Sequence[Values], *, shares: bool = False) -> list[Interval]:
    """Return an interval of each sample's mean.

    It is a BCa bootstrap interval (Efron 1987) for five values or more, Student's for two to four,
    and none for fewer. If the values are `shares`, no end lies beyond 0 or 1. Every sample is
    resampled with the same seed, so that its interval does not depend on the other samples.
    """
    result = [students_interval(x, shares=shares) for x in samples]
    for size in {len(x) for x in samples if len(x) >= SMALLEST_BOOTSTRAP}:
        spread = [i for i, x in enumerate(samples) if len(x) == size and result[i].has_width]
        for start in range(0, len(spread), _SAMPLES_AT_ONCE):
            batch = spread[start : start + _SAMPLES_AT_ONCE]
            for i, interval in zip(batch, _bca(np.stack([samples[i] for i in batch])), strict=True):
                if np.isfinite([interval.low, interval.high]).all():
                    result[i] = interval
    return result


def students_interval(x: Values, *, shares: bool = False, one_more: bool = False) -> Interval:
    """Return Student's interval of the mean (Student 1908); none for fewer than two values.

    With `one_more` it is the interval that contains one more value of the same kind: Hahn and
    Meeker, Statistical Intervals (Wiley 1991), chapter 4. If the values are `shares`, such as
    accuracies, it is computed of their logits and transformed back, so that both ends lie between
    0 and 1; docs/compare.md says how often it is right.
    """
    if len(x) < 2:
        return Interval(low=math.nan, high=math.nan, method=IntervalMethod.NONE)
    logits = special.logit(np.clip(x, _SMALLEST_SHARE, 1 - _SMALLEST_SHARE)) if shares else x
    if min(np.ptp(x), np.ptp(logits)) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        mean = float(np.mean(x))
        return Interval(low=mean, high=mean, method=IntervalMethod.ALL_EQUAL)
    if shares:
        low, high = (float(special.expit(end)) for end in _students_ends(logits, one_more))
        return Interval(low=low, high=high, method=IntervalMethod.LOGIT_STUDENT)
    low, high = _students_ends(x, one_more)
    return Interval(low=low, high=high, method=IntervalMethod.STUDENT)


def _students_ends(x: Values, one_more: bool) -> tuple[float, float]:
    """Return both ends of Student's interval of the mean, or of one more value."""
    error = stats.sem(x) * math.sqrt(len(x) + 1 if one_more else 1)
    low, high = stats.t.interval(CONFIDENCE, len(x) - 1, loc=np.mean(x), scale=error)
    return float(low), float(high)


def _bca(x: Values) -> list[Interval]:
    """Return the BCa bootstrap interval of the mean of each row of `x` [samples, values]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            (x,),
            np.mean,
            axis=-1,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
    return [
        Interval(low=float(low), high=float(high), method=IntervalMethod.BCA)
        for low, high in zip(result.low, result.high, strict=True)
    ]


def sign_flip_p(differences: Values) -> float:
    """Return the two-sided p of the hypothesis that each difference's sign is a coin's toss.

    It is the share of the 2^n ways to flip signs that give as large a mean (Fisher 1935, section
    21): exact up to 16 pairs; beyond, from 65,536 random flips. NaN without differences.
    """
    if not len(differences):
        return math.nan
    if len(differences) == 1 or not np.any(differences):
        return 1.0
    result = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=2**EXACT_UP_TO,
        vectorized=True,
        axis=-1,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def smallest_p(pairs: int) -> float:
    """Return what `sign_flip_p` is when all pairs differ in the same direction."""
    return min(1.0, 2.0 ** (1 - pairs)) if pairs else math.nan


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values for their number, which keeps the family-wise error (Holm 1979).

    A NaN stays one and does not count.
    """
    values = np.asarray(p, float)
    adjusted = np.full(len(values), np.nan)
    order = [i for i in np.argsort(values, kind="stable") if not np.isnan(values[i])]
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * float(values[i])))
        adjusted[i] = largest
    return [float(value) for value in adjusted]


def differences(
    baseline: Mapping[str, float],
    groups: Sequence[Mapping[str, float]],
    higher_is_better: bool,
    *,
    shares: bool = False,
) -> list[Difference]:
    """Compare each group's {seed: value} with the baseline's, over the seeds that both have.

    Two `shares` differ by 1 at most: their intervals end there, which changes no verdict.
    """
    widest = 1.0 if shares else math.inf
    seeds = [tuple(seed for seed in group if seed in baseline) for group in groups]
    values = [
        np.array([group[seed] - baseline[seed] for seed in common])
        for group, common in zip(groups, seeds, strict=True)
    ]
    p_values = [sign_flip_p(x) for x in values]
    students = [students_interval(x).within(-widest, widest) for x in values]
    shown = [interval.within(-widest, widest) for interval in intervals(values)]
    columns = (seeds, values, shown, students, p_values, holm(p_values))
    return [
        Difference(
            seeds=common,
            values=tuple(map(float, x)),
            mean=float(np.mean(x)) if len(x) else math.nan,
            interval=interval,
            student=student,
            p=p,
            p_holm=p_holm,
            verdict=verdict((interval, student), len(x), higher_is_better),
        )
        for common, x, interval, student, p, p_holm in zip(*columns, strict=True)
    ]


def verdict(intervals: Sequence[Interval], pairs: int, higher_is_better: bool) -> Verdict:
    """Return better or worse only if all intervals exclude zero on the same side, of three pairs.

    A caller gives the interval that is shown and Student's: of five pairs without a difference, the
    bootstrap's alone excludes zero too often (docs/compare.md has the numbers).
    """
    if pairs < SMALLEST_VERDICT:
        return Verdict.TOO_FEW if pairs else Verdict.NOT_COMPARED
    sides = {interval.side for interval in intervals}
    if sides not in ({1}, {-1}):
        return Verdict.NOT_SHOWN
    return Verdict.BETTER if (sides == {1}) == higher_is_better else Verdict.WORSE
