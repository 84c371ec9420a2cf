"""Comparisons of values that a test writes down, without a store."""

from collections.abc import Mapping, Sequence

import pandas as pd

from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.groups import Group
from mnist_exp.compare.rows import make_rows
from mnist_exp.tracking.runs import Runs

ACCURACY = "test/accuracy"
NOISE = (0.0, 0.001, -0.001, 0.002)
NOTHING = pd.DataFrame()


def compared(groups: Mapping[str, Sequence[float] | Mapping[str, float]]) -> Comparison:
    """A comparison of {label: values by seed}; the first group is the baseline."""
    sorted_runs = [
        Group(
            label=label,
            settings={},
            run_ids=(),
            values=values
            if isinstance(values, Mapping)
            else {str(seed): value for seed, value in enumerate(values)},
            left_out=(),
            configs=1,
        )
        for label, values in groups.items()
    ]
    return Comparison(
        title="study x",
        uri="",
        metric=ACCURACY,
        higher_is_better=True,
        runs=Runs(info=NOTHING, params=NOTHING, tags=NOTHING, metrics=NOTHING),
        statuses=pd.Series(dtype=object),
        rows=tuple(make_rows(sorted_runs, 0, higher_is_better=True, shares=True)),
        empty=(),
        curves={},
        effects=(),
        warnings=(),
    )


def shifted(by: float, n: int = 4) -> list[float]:
    """Values that are `by` higher than the baseline's, give or take a little."""
    return [0.9 + by + noise + seed / 100_000 for seed, noise in enumerate(NOISE[:n])]


BASE = [0.9 + noise for noise in NOISE]
