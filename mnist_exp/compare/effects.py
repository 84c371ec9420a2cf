"""Collect the metric of every run by each setting that a study varies."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mnist_exp.compare.columns import column
from mnist_exp.compare.groups import counted_runs
from mnist_exp.tracking.params import number
from mnist_exp.tracking.runs import Runs, swept_keys

MOST_LEVELS = 12  # of a setting that are drawn one by one
_LOGARITHMIC = 20  # times the smallest value is the largest: the axis is logarithmic


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A setting that a study varies, and the metric of every run that counts."""

    key: str
    run_ids: tuple[str, ...]
    levels: tuple[str, ...]  # the setting's value, one a run
    values: tuple[float, ...]  # the metric, one a run
    numeric: bool  # every level is a number
    logarithmic: bool

    @property
    def range_of_means(self) -> float:
        """Return how far apart the means of the levels are; of many levels, of three thirds."""
        levels, values = np.array(self.levels), np.array(self.values)
        distinct = set(self.levels)
        if len(distinct) > MOST_LEVELS:
            order = np.argsort([float(level) for level in self.levels])
            parts = [part for part in np.array_split(values[order], 3) if len(part)]
        else:
            parts = [values[levels == level] for level in distinct]
        means = [float(part.mean()) for part in parts]
        return max(means) - min(means)


def setting_effects(runs: Runs, run_statuses: pd.Series, metric: str) -> tuple[Effect, ...]:
    """Return the effect of each setting that a study varies, if it varies several.

    Each is over all runs that count, whatever their other settings were. A setting of many values
    that are no numbers is left out.
    """
    counted = counted_runs(run_statuses)
    values = tuple(map(float, runs.metrics.loc[counted, metric]))
    effects = []
    for key in swept_keys(runs):
        levels = tuple(column(runs, key).loc[counted]) if key in runs.params else ()
        distinct = {level: number(level) for level in levels}
        numbers = [x for x in distinct.values() if x is not None and math.isfinite(x)]
        numeric = len(numbers) == len(distinct)
        if len(distinct) < 2 or (len(distinct) > MOST_LEVELS and not numeric):
            continue
        logarithmic = numeric and min(numbers) > 0 and max(numbers) / min(numbers) >= _LOGARITHMIC
        effects.append(
            Effect(
                key=key,
                run_ids=tuple(counted),
                levels=levels,
                values=values,
                numeric=numeric,
                logarithmic=logarithmic,
            )
        )
    return tuple(effects) if len(effects) > 1 else ()
