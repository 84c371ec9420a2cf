"""Runs within runs: a child takes from its parents what it has not logged itself."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mnist_exp.tracking.runs import Runs

_PARENT = "mlflow.parentRunId"
_MOST_LEVELS = 5


def with_parents_settings(runs: Runs, elsewhere: Runs | None = None) -> Runs:
    """Return the runs in which a child has the params of its parents that it lacks.

    A loop over seeds often logs the settings to one run, and each seed's result to a run within
    it. `elsewhere` are parents that are not selected themselves.
    """
    known = runs.params if elsewhere is None else pd.concat([runs.params, elsewhere.params])
    tags = runs.tags if elsewhere is None else pd.concat([runs.tags, elsewhere.tags])
    parents = tags[_PARENT].dropna() if _PARENT in tags else pd.Series(dtype=object)
    parents = parents[parents.isin(known.index)]
    for _ in range(_MOST_LEVELS):
        own, inherited = known.loc[parents.index], known.loc[parents].set_axis(parents.index)
        filled = known.copy()
        filled.loc[parents.index] = own.where(own.notna(), inherited)
        if filled.equals(known):
            break
        known = filled
    return replace(runs, params=known.loc[runs.info.index])


def joined(tables: Sequence[Runs]) -> Runs:
    """Return the runs of several tables in one."""
    return Runs(
        info=pd.concat([each.info for each in tables]),
        params=pd.concat([each.params for each in tables]),
        tags=pd.concat([each.tags for each in tables]),
        metrics=pd.concat([each.metrics for each in tables]),
    )


def unselected_parents(runs: Runs) -> list[str]:
    """Return the ids of the parents of these runs that are not among them."""
    if _PARENT not in runs.tags:
        return []
    parents = runs.tags[_PARENT].dropna()
    return [str(parent) for parent in parents[~parents.isin(runs.info.index)].unique()]


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
