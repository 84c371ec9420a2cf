"""Runs within runs: a child takes from its parents what it has not logged itself."""

from dataclasses import replace

import pandas as pd

from mnist_exp.tracking.runs import Runs

_PARENT = "mlflow.parentRunId"
_MOST_LEVELS = 5


def with_parents_settings(runs: Runs) -> Runs:
    """Return the runs in which a child has the params of its parents that it lacks.

    A loop over seeds often logs the settings to one run, and each seed's result to a run within
    it. Parents that were not selected give nothing.
    """
    params = runs.params
    for _ in range(_MOST_LEVELS):
        parents = _parents(runs)
        inherited = params.loc[parents].set_axis(parents.index)
        filled = params.copy()
        filled.loc[parents.index] = params.loc[parents.index].where(
            params.loc[parents.index].notna(), inherited
        )
        if filled.equals(params):
            break
        params = filled
    return replace(runs, params=params)


def parents_of(runs: Runs, children: pd.Index) -> pd.Index:
    """Return the ids of the selected runs within which one of these children was made."""
    found = pd.Index([])
    parents = _parents(runs)
    for _ in range(_MOST_LEVELS):
        above = pd.Index(parents[parents.index.isin(children)].unique())
        if above.isin(found).all():
            break
        found, children = found.union(above), above
    return found


def _parents(runs: Runs) -> pd.Series:
    """Return the parent's id of each run that was made within another selected run."""
    if _PARENT not in runs.tags:
        return pd.Series(dtype=object)
    parents = runs.tags[_PARENT].dropna()
    return parents[parents.isin(runs.info.index)]
