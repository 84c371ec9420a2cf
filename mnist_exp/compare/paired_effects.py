"""What a change adds to the metric, measured with the same seeds without and with it."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from mnist_exp.compare import statistics
from mnist_exp.compare.margins import Spread, paired, size_shown
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Interval

MARGIN = 0.002  # the smallest effect on an accuracy that matters: 20 of 10,000 test images


@dataclass(frozen=True, kw_only=True)
class PairedEffect:
    """What one change adds to the metric."""

    name: str  # of what is changed
    before: str  # its value
    after: str
    values: tuple[float, ...]  # one a seed

    @cached_property
    def interval(self) -> Interval:
        """Return that of the mean over seeds."""
        return statistics.intervals([np.array(self.values)], sizes=[1.0])[0]

    @property
    def change(self) -> str:
        """Return both values, an arrow between them."""
        return f"{self.before} \N{RIGHTWARDS ARROW} {self.after}"

    @property
    def mean(self) -> float:
        """Return the mean over seeds."""
        return statistics.mean_difference(np.array(self.values))

    @property
    def is_shown(self) -> bool:
        """Return whether there is an effect, by the rule of `compare`'s verdicts."""
        found = statistics.verdict(self.interval, len(self.values), higher_is_better=True)
        return found.is_difference

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
        if math.isnan(self.p):
            return math.nan
        seeds = len(self.values)
        variance = float(np.var(self.values, ddof=1))
        return size_shown(Spread(variance=variance, freedom=seeds - 1, gain=1), seeds)

    def is_within(self, margin: float) -> bool:
        """Return whether the effect is shown to be smaller than the margin."""
        return paired(np.array(self.values), margin, 1.0).is_equivalent
