"""Compute intervals, paired tests and verdicts from numbers. docs/compare.md has the sources."""

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

CONFIDENCE = 0.95
ROUNDING = 1e-12  # of the largest number: a smaller difference is none
RESAMPLES = 9_999  # of the bootstrap
SMALLEST_BOOTSTRAP = 5  # values; fewer do not show how they are spread
LARGEST_BOOTSTRAP = 1_000  # values; of more, it differs little from Student's and takes long
SMALLEST_VERDICT = 3  # pairs, or runs in each of two groups that are not paired
_SMALLEST_SHARE = 0.5 / 10_000  # half of a test image: the logits of 0 and 1 are infinite
_NUMBERS_AT_ONCE = 2**22  # resampled together; more would take more memory

Values = NDArray[np.float64]


class IntervalMethod(StrEnum):
    """How an interval was computed, in the words that tables and files show."""

    BOTH = "BCa and t"  # what either of the two contains; the t of shares is that of logits
    STUDENT = "t"
    WELCH = "Welch"  # Student's for two groups that are not paired
    LOGIT_STUDENT = "t of logits"  # of shares: both ends lie between 0 and 1
    ALL_EQUAL = "all equal"  # without spread there is nothing to infer an interval from
    NONE = "none"


class Verdict(StrEnum):
    """How a group compares with the baseline, in the words that tables and files show."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"  # within the margin that was asked about
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


def is_share(metric: str) -> bool:
    """Return whether a metric's values are shares of images, between 0 and 1."""
    return re.search(r"accuracy(_score)?$|(^|[/_. -])acc$", metric.lower()) is not None


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


def intervals(
    samples: Sequence[Values], *, shares: bool = False, sizes: Sequence[float] | None = None
) -> list[Interval]:
    """Return an interval of each sample's mean.

    It is Student's interval for two values or more, and none for fewer. For 5 to 1,000 values it
    reaches as far as the BCa bootstrap interval (Efron 1987) where that reaches farther: alone,
    that one is too narrow for few values, as docs/compare.md shows. If the values are `shares`, no
    end lies beyond 0 or 1. `sizes`: each sample's `size` as in `students_interval`. Every sample is
    resampled with the same seed, so that its interval does not depend on the others.
    """
    result = [
        students_interval(x, shares=shares and len(x) <= LARGEST_BOOTSTRAP, size=size)
        for x, size in zip(samples, sizes or [0.0] * len(samples), strict=True)
    ]
    lengths = {len(x) for x in samples}
    for n in {n for n in lengths if SMALLEST_BOOTSTRAP <= n <= LARGEST_BOOTSTRAP}:
        spread = [i for i, x in enumerate(samples) if len(x) == n and result[i].has_width]
        at_once = max(1, _NUMBERS_AT_ONCE // (RESAMPLES * n))
        for start in range(0, len(spread), at_once):
            batch = spread[start : start + at_once]
            for i, ends in zip(batch, _bca(np.stack([samples[i] for i in batch])), strict=True):
                if np.isfinite(ends).all():
                    result[i] = _reaching(result[i], *ends)
    return result


def _reaching(interval: Interval, low: float, high: float) -> Interval:
    """Return the interval, made to contain another one as well."""
    return Interval(
        low=min(interval.low, low), high=max(interval.high, high), method=IntervalMethod.BOTH
    )


def students_interval(
    x: Values, *, shares: bool = False, one_more: bool = False, size: float = 0.0
) -> Interval:
    """Return Student's interval of the mean (Student 1908); none for fewer than two values.

    With `one_more` it is the interval that contains one more value of the same kind: Hahn and
    Meeker, Statistical Intervals (Wiley 1991), chapter 4. If the values are `shares`, such as
    accuracies, it is computed of their logits and transformed back, so that both ends lie between
    0 and 1; docs/compare.md says how often it is right. Values are all equal if they differ by no
    more than rounding does: by ROUNDING of the largest, or of the `size` of the numbers whose
    differences they are.
    """
    if len(x) < 2:
        return Interval(low=math.nan, high=math.nan, method=IntervalMethod.NONE)
    logits = special.logit(np.clip(x, _SMALLEST_SHARE, 1 - _SMALLEST_SHARE)) if shares else x
    largest = max(size, float(np.abs(x).max()))
    if min(np.ptp(x), np.ptp(logits)) <= ROUNDING * largest or not np.var(x):  # it may underflow
        mean = float(np.clip(np.mean(x), x.min(), x.max()))  # rounding may put it outside
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


def _bca(x: Values) -> list[tuple[float, float]]:
    """Return both ends of the BCa interval of the mean of each row of `x` [samples, values]."""
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
    return [(float(low), float(high)) for low, high in zip(result.low, result.high, strict=True)]


def mean_difference(differences: Values) -> float:
    """Return the mean, 0 where differences cancel each other but for errors of rounding."""
    mean = float(np.mean(differences))
    return mean if abs(mean) > ROUNDING * float(np.abs(differences).max()) else 0.0


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


def verdict(interval: Interval, pairs: int, higher_is_better: bool) -> Verdict:
    """Return better or worse only if the interval excludes zero, of three pairs or more."""
    if pairs < SMALLEST_VERDICT:
        return Verdict.TOO_FEW if pairs else Verdict.NOT_COMPARED
    if not interval.side:
        return Verdict.NOT_SHOWN
    return Verdict.BETTER if (interval.side > 0) == higher_is_better else Verdict.WORSE
