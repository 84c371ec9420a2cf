"""Which metric is compared, and whether its values are shares."""

from collections.abc import Iterable

import pandas as pd

from mnist_exp.compare.statistics import is_share
from mnist_exp.errors import UserError, did_you_mean
from mnist_exp.outside.printing import first_of, plural
from mnist_exp.tracking.runs import Runs, is_finite

DEFAULT = "test/accuracy"
_COUNTERS = ("epoch", "step", "global_step")  # logged as metrics by PyTorch Lightning and others


def chosen_metric(known: Iterable[str], asked: str | None) -> str:
    """Return the metric that was asked for; else test/accuracy, or the only one that there is.

    Raises UserError if there is no such metric, or none can be chosen. Names of the machine's load,
    which begin with `system/`, and counts of epochs and steps are no choice.
    """
    names = sorted(known)
    if asked in names:
        return asked
    choices = [
        name for name in names if not name.startswith("system/") and name.lower() not in _COUNTERS
    ]
    if asked is None and (DEFAULT in choices or len(choices) == 1):
        return DEFAULT if DEFAULT in choices else choices[0]
    listed = first_of(choices)
    if asked is None:
        near = did_you_mean(DEFAULT, choices)
        raise UserError(f"--metric NAME: needed, as there is no {DEFAULT}{near}\nMetrics: {listed}")
    near = did_you_mean(asked, names)
    raise UserError(f"--metric {asked}: no selected run has it{near}\nMetrics: {listed}")


def has_shares(metric: str, values: pd.Series, *, in_percent: bool = False) -> bool:
    """Return whether a metric's values are shares between 0 and 1, not percents."""
    if in_percent or not is_share(metric):
        return False
    return bool(values[is_finite(values)].between(0, 1).all())


def mixed_kinds(metric: str, values: pd.Series, *, in_percent: bool = False) -> list[str]:
    """Return a line if some accuracies look like shares, and others like percents.

    They may all be percents: a network that guesses one of a hundred classes is right in 1%.
    """
    known = values[is_finite(values)]
    shares, percents = known[known.between(0, 1, inclusive="right")], known[known > 1]
    if in_percent or not is_share(metric) or shares.empty or percents.empty:
        return []
    low = f"at most 1 in {plural(len(shares), 'run')}, such as {shares.max():.4g}"
    high = f"above 1 in {plural(len(percents), 'run')}, such as {percents.min():.4g}"
    return [f"{metric} is {low}, and {high}: expected either shares or percents in all runs"]


def metrics_of(runs: Runs) -> list[str]:
    """Return the names of the metrics that at least one run has a value of."""
    return [name for name in runs.metrics if runs.metrics[name].notna().any()]
