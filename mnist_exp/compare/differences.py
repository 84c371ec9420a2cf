"""Compare a group with the baseline: paired by seed, or, without seeds in common, as two samples.

docs/compare.md has the sources.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from scipy import stats

from mnist_exp.compare.permutations import (
    are_affordable,
    shuffle_p,
    sign_flip_p,
    smallest_p,
    smallest_shuffle_p,
)
from mnist_exp.compare.statistics import (
    CONFIDENCE,
    ROUNDING,
    Interval,
    IntervalMethod,
    Values,
    Verdict,
    holm,
    intervals,
    mean_difference,
    verdict,
)


class Test(StrEnum):
    """How p was computed, in the words that tables and files show."""

    __test__ = False  # pytest takes it for a test otherwise

    SIGN_FLIPS = "sign flips"
    SHUFFLES = "permutations"
    STUDENT = "t test"  # of so many runs that the others would take minutes
    WELCH = "Welch's t test"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A group minus the baseline."""

    seeds: tuple[str, ...]  # those that both have; empty if they are not paired
    values: tuple[float, ...]  # one a seed
    sizes: tuple[int, int]  # how many values of the group and of the baseline are compared
    mean: float
    interval: Interval
    p: float  # NaN if nothing is compared, or a single run that is not paired
    test: Test
    p_holm: float
    verdict: Verdict

    @property
    def is_paired(self) -> bool:
        """Return whether it is the mean of differences on the same seeds."""
        return bool(self.seeds)

    @property
    def is_compared(self) -> bool:
        """Return False if the group has nothing that can be compared with the baseline."""
        return min(self.sizes) > 0

    @property
    def smallest_p(self) -> float:
        """Return what p would be if every pair, or every two runs, pointed the same way.

        A t test has no such limit.
        """
        if self.test in (Test.STUDENT, Test.WELCH):
            return 0.0
        return smallest_p(len(self.seeds)) if self.is_paired else smallest_shuffle_p(*self.sizes)


@dataclass(frozen=True, kw_only=True)
class _Samples:
    """The values of a group and of the baseline; where seeds are given, value by value of one."""

    seeds: tuple[str, ...]
    group: Values
    baseline: Values

    @property
    def size(self) -> float:
        """Return the largest of all values, whatever their sign."""
        return float(np.abs([*self.group, *self.baseline]).max())

    @property
    def by_seed(self) -> Values:
        """Return the differences on the same seeds."""
        return _without_rounding(self.group, self.baseline)

    @property
    def mean(self) -> float:
        """Return the difference of the means."""
        if not (len(self.group) and len(self.baseline)):
            return math.nan
        if self.seeds:
            return mean_difference(self.by_seed)
        return float(_without_rounding(self.group.mean(), self.baseline.mean()))


def _without_rounding(group: Values | float, baseline: Values | float) -> Values:
    """Return the difference, 0 where it is less than rounding makes of two equal numbers."""
    difference = np.subtract(group, baseline)
    size = np.maximum(np.abs(group), np.abs(baseline))
    return np.where(np.abs(difference) <= ROUNDING * size, 0.0, difference)


def differences(
    baseline: Mapping[str, float],
    groups: Sequence[Mapping[str, float]],
    higher_is_better: bool,
    *,
    shares: bool = False,
) -> list[Difference]:
    """Compare each group's {seed: value} with the baseline's.

    They are paired on the seeds that both have. Without such a seed they are two samples of
    independent runs. Two `shares` differ by 1 at most: their intervals end there, which changes no
    verdict.
    """
    widest = 1.0 if shares else math.inf
    samples = [_samples(group, baseline) for group in groups]
    of_seeds = [each for each in samples if each.seeds]
    sizes = [each.size for each in of_seeds]
    paired = iter(intervals([each.by_seed for each in of_seeds], sizes=sizes))
    means = [next(paired) if each.seeds else welch(each.group, each.baseline) for each in samples]
    tests = _tests(samples)
    adjusted = holm([p for p, _ in tests])
    return [
        Difference(
            seeds=each.seeds,
            values=tuple(map(float, each.by_seed)) if each.seeds else (),
            sizes=(len(each.group), len(each.baseline)),
            mean=each.mean,
            interval=interval.within(-widest, widest),
            p=p,
            test=test,
            p_holm=p_holm,
            verdict=verdict(interval, min(len(each.group), len(each.baseline)), higher_is_better),
        )
        for each, interval, (p, test), p_holm in zip(samples, means, tests, adjusted, strict=True)
    ]


def _samples(group: Mapping[str, float], baseline: Mapping[str, float]) -> _Samples:
    """Return the values on the seeds that both have; if there are none, all values of both."""
    seeds = tuple(seed for seed in group if seed in baseline)
    return _Samples(
        seeds=seeds,
        group=np.array([group[seed] for seed in seeds or group], float),
        baseline=np.array([baseline[seed] for seed in seeds or (baseline if group else ())], float),
    )


def welch(group: Values, baseline: Values) -> Interval:
    """Return Welch's interval of the difference of two means (Welch, Biometrika 34 (1947) 28).

    It does not assume that both groups have the same spread. There is none for a group of one run.
    """
    if min(len(group), len(baseline)) < 2:
        return Interval(low=math.nan, high=math.nan, method=IntervalMethod.NONE)
    largest = float(np.abs([*group, *baseline]).max())
    has_none = not (np.var(group) or np.var(baseline))  # of 1e-200 it underflows
    if max(np.ptp(group), np.ptp(baseline)) <= ROUNDING * largest or has_none:
        mean = float(_without_rounding(group.mean(), baseline.mean()))
        return Interval(low=mean, high=mean, method=IntervalMethod.ALL_EQUAL)
    result = welch_test(group, baseline).confidence_interval(CONFIDENCE)
    return Interval(low=float(result.low), high=float(result.high), method=IntervalMethod.WELCH)


def welch_test(group: Values, baseline: Values, alternative: str = "two-sided") -> Any:
    """Do Welch's t test, without scipy's warning where the values of one group are all equal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return stats.ttest_ind(group, baseline, equal_var=False, alternative=alternative)


def _tests(samples: Sequence[_Samples]) -> list[tuple[float, Test]]:
    """Return p of each and its test: permutations, or t tests if these would take too long."""
    paired = [len(each.seeds) for each in samples if each.seeds]
    others = [(len(each.group), len(each.baseline)) for each in samples if not each.seeds]
    if are_affordable(paired, others):
        return [
            (sign_flip_p(each.by_seed), Test.SIGN_FLIPS)
            if each.seeds
            else (shuffle_p(each.group, each.baseline), Test.SHUFFLES)
            for each in samples
        ]
    return [
        (float(stats.ttest_1samp(each.by_seed, 0).pvalue), Test.STUDENT)
        if each.seeds
        else (float(welch_test(each.group, each.baseline).pvalue), Test.WELCH)
        for each in samples
    ]
