"""Test equivalence within a margin, and count the seeds that would show a difference as large.

docs/compare.md has the sources, and how often each statement is wrong.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special, stats

from mnist_exp.compare.differences import welch, welch_test
from mnist_exp.compare.statistics import (
    CONFIDENCE,
    SMALLEST_VERDICT,
    Values,
    holm,
    students_interval,
)
from mnist_exp.errors import UserError

LEVEL = 0.05  # of each of the two one-sided tests
POWER = 0.8  # with so many seeds, a difference as large as the margin is shown in 8 of 10 cases
MOST_SEEDS = 10_000  # more are infinitely many: nobody trains them

_CERTAIN = 1_000.0  # standard deviations, which three pairs show; of more, scipy's power is NaN


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far a difference scatters: with n seeds a group, its variance is `variance` / n."""

    variance: float  # of one seed's difference; if not paired, the sum of both groups' variances
    freedom: float  # degrees of freedom with which `variance` was estimated
    gain: float  # degrees of freedom that each further seed brings: 1, up to 2 if not paired

    def scaled(self, by: float) -> "Spread":
        """Return it with so many times the variance."""
        return replace(self, variance=by * self.variance)


@dataclass(frozen=True, kw_only=True)
class SeedsNeeded:
    """How many seeds show a difference as large as the margin; infinite beyond MOST_SEEDS.

    If the groups are not paired, it is the number of runs of each.
    """

    n: float  # if the spread is the observed one
    low: float  # if it is the smallest of its 95% interval
    high: float  # if it is the largest


@dataclass(frozen=True, kw_only=True)
class AgainstMargin:
    """What the values say about differences as large as the margin.

    All numbers but `margin` are NaN without two values, or if all values are equal: without spread
    there is nothing to infer from.
    """

    margin: float
    low: float = math.nan  # the 90% interval of the difference; both tests reject if its ends
    high: float = math.nan  # lie within the margin
    p: float = math.nan  # the larger one of the two tests; NaN with fewer than three values, too
    p_holm: float = math.nan
    seeds: SeedsNeeded | None = None

    @property
    def is_equivalent(self) -> bool:
        """Return whether both tests reject that the difference is as large as the margin."""
        return self.p <= LEVEL


def checked_margin(given: object, metric: str, *, shares: bool) -> float:
    """Return the margin as a number; UserError unless it is a possible difference above zero.

    Two `shares` differ by less than 1.
    """
    try:
        margin = float(str(given))
    except ValueError:
        raise UserError(f"--margin {given}: expected a number, such as 0.002") from None
    if shares and not 0 < margin < 1:
        raise UserError(
            f"--margin {given}: expected a difference in {metric} between 0 and 1, such as 0.002"
        )
    if not 0 < margin < math.inf:
        raise UserError(f"--margin {given}: expected a difference in {metric} above 0")
    return margin


def with_holm(results: Sequence[AgainstMargin]) -> list[AgainstMargin]:
    """Adjust p for the number of groups that were tested (Holm 1979)."""
    adjusted = holm([result.p for result in results])
    return [replace(result, p_holm=p) for result, p in zip(results, adjusted, strict=True)]


def paired(differences: Values, margin: float, size: float = 0.0) -> AgainstMargin:
    """Test differences by seed with two one-sided t tests (Schuirmann 1987).

    size: of the numbers whose differences they are, as in `students_interval`
    """
    if not students_interval(differences, size=size).has_width:
        return AgainstMargin(margin=margin)
    above = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, margin, alternative="less").pvalue
    both = stats.ttest_1samp(differences, 0)
    low, high = both.confidence_interval(1 - 2 * LEVEL)
    spread = Spread(variance=float(np.var(differences, ddof=1)), freedom=float(both.df), gain=1)
    return AgainstMargin(
        margin=margin,
        low=float(low),
        high=float(high),
        p=float(max(above, below)) if len(differences) >= SMALLEST_VERDICT else math.nan,
        seeds=seeds_needed(spread, margin),
    )


def unpaired(group: Values, baseline: Values, margin: float) -> AgainstMargin:
    """Test the difference of two means with two one-sided Welch tests (Dannenberg et al. 1994)."""
    if not welch(group, baseline).has_width:
        return AgainstMargin(margin=margin)
    above = welch_test(group + margin, baseline, alternative="greater").pvalue
    below = welch_test(group - margin, baseline, alternative="less").pvalue
    both = welch_test(group, baseline)
    low, high = both.confidence_interval(1 - 2 * LEVEL)
    one, other = (float(np.var(values, ddof=1)) for values in (group, baseline))
    spread = Spread(
        variance=one + other, freedom=float(both.df), gain=(one + other) ** 2 / (one**2 + other**2)
    )
    enough = min(len(group), len(baseline)) >= SMALLEST_VERDICT
    return AgainstMargin(
        margin=margin,
        low=float(low),
        high=float(high),
        p=float(max(above, below)) if enough else math.nan,
        seeds=seeds_needed(spread, margin),
    )


def seeds_needed(spread: Spread, size: float) -> SeedsNeeded:
    """Return how many seeds show a difference of this size with 80% power.

    The 95% interval of the spread, from the chi-squared distribution, is that of the number
    (Browne 1995).
    """
    tail = (1 - CONFIDENCE) / 2
    scales = [spread.freedom / stats.chi2.ppf(p, spread.freedom) for p in (1 - tail, tail)]
    low, high = (_smallest_number(spread.scaled(by), size) for by in scales)
    return SeedsNeeded(n=_smallest_number(spread, size), low=low, high=high)


def _smallest_number(spread: Spread, size: float) -> float:
    """Return the smallest number of seeds that shows a difference of this size."""
    numbers = range(SMALLEST_VERDICT, MOST_SEEDS + 1)
    place = bisect_left(numbers, POWER, key=lambda n: power(spread, size, n))
    return numbers[place] if place < len(numbers) else math.inf


def size_shown(spread: Spread, seeds: int) -> float:
    """Return the size of a difference that so many seeds show with 80% power."""
    deviation = math.sqrt(spread.variance)
    most = _CERTAIN * deviation
    return float(optimize.brentq(lambda size: power(spread, size, seeds) - POWER, 0, most))


def power(spread: Spread, size: float, seeds: int) -> float:
    """Return how often Student's 95% interval lies on the right side of zero.

    `size` is the true difference. Its t, and Welch's, are distributed as a noncentral t (Cohen,
    Statistical Power Analysis, 1988, chapter 2).
    """
    freedom = spread.gain * (seeds - 1)
    limit = special.stdtrit(freedom, (1 + CONFIDENCE) / 2)
    effect = min(size / math.sqrt(spread.variance), _CERTAIN)
    return float(1 - special.nctdtr(freedom, effect * math.sqrt(seeds), limit))
