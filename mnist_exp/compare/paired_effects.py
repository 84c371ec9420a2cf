"""What a change adds to the metric, measured with the same seeds before and after it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from mnist_exp.compare import statistics
from mnist_exp.compare.margins import Spread, paired, size_shown
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Interval


@dataclass(frozen=True, kw_only=True)
class PairedEffect:
    """What one change adds to the metric."""

    name: str  # of what is changed
    before: str  # its value
    after: str
    values: tuple[float, ...]  # one a seed
    interval: Interval  # of the mean over seeds, see `intervals`

    @property
    def change(self) -> str:
        """Return both values, an arrow between them."""
        return f"{self.before} \N{RIGHTWARDS ARROW} {self.after}"

    @property
    def mean(self) -> float:
        """Return the mean over seeds."""
        return float(np.mean(self.values))

    @property
    def is_shown(self) -> bool:
        """Return whether there is an effect, by the rule of `compare`'s verdicts."""
        return is_shown(self.interval, len(self.values))

    @property
    def p(self) -> float:
        """Return p of Student's paired test; NaN where the verdict cannot rest on it."""
        if len(self.values) < SMALLEST_VERDICT or not self.interval.has_width:
            return math.nan
        return float(stats.ttest_1samp(self.values, 0).pvalue)

    @property
    def noticed(self) -> float:
        """Return the size of an effect that so many seeds show in 8 of 10 studies.

        NaN without spread, or with fewer seeds than a verdict needs.
        """
        spread = Spread(
            variance=float(np.var(self.values, ddof=1)) if len(self.values) > 1 else 0.0,
            freedom=len(self.values) - 1,
            gain=1,
        )
        return size_shown(spread, len(self.values)) if not math.isnan(self.p) else math.nan

    def is_within(self, margin: float) -> bool:
        """Return whether the effect is shown to be smaller than the margin."""
        return paired(np.array(self.values), margin).is_equivalent


def is_shown(interval: Interval, seeds: int) -> bool:
    """Return whether an interval of `intervals` shows an effect."""
    return statistics.verdict([interval], seeds, higher_is_better=True).is_difference


def intervals(samples: Sequence[statistics.Values]) -> list[Interval]:
    """Return an interval of each mean that excludes zero just where a verdict needs it.

    A verdict needs that two intervals exclude zero (docs/compare.md says why): from the lower of
    their lower ends to the higher of their higher ends, this interval contains both.
    """
    pairs = zip(
        statistics.intervals(samples), map(statistics.students_interval, samples), strict=True
    )
    return [
        replace(one, low=min(one.low, other.low), high=max(one.high, other.high))
        for one, other in pairs
    ]
