"""Leave out what differs in nearly every run of other programs: names, times, paths, results."""

from dataclasses import replace

import pandas as pd

from mnist_exp.compare.columns import settings_of_results
from mnist_exp.outside.printing import first_of
from mnist_exp.tracking.runs import Runs

_ENOUGH = 0.5  # of the runs share their settings with another


def without_names(runs: Runs, *, of_table: bool) -> tuple[Runs, list[str]]:
    """Return the runs without settings that would make most of them groups of their own.

    While fewer than half of the runs share their settings with another run, the setting with most
    different values is left out, as long as these are more than a quarter of the runs: texts and,
    `of_table`, also numbers, because a table has results among its columns. Runs of this project
    stay as they are. The sentences say what was left out, or that most groups have one run all the
    same.
    """
    names = settings_of_results(runs)
    is_foreign = "config_hash" not in runs.tags
    if not (is_foreign and names and len(runs.info) > 2) or _shared(runs, names) >= _ENOUGH:
        return runs, []
    values = runs.params[names].nunique().sort_values(ascending=False, kind="stable")
    many = [name for name in values.index if values[name] > len(runs.info) / 4]
    left_out: list[str] = []
    for name in many:
        if of_table or pd.to_numeric(runs.params[name], errors="coerce").isna().any():
            left_out.append(name)
        kept = [name for name in names if name not in left_out]
        has_seeds = (runs.info["seed"] != "").any()
        if not has_seeds and not any(runs.params[key].nunique(dropna=False) > 1 for key in kept):
            break  # one group of all runs, as if they were its seeds
        if _shared(runs, kept) >= _ENOUGH:
            note = (
                "Taken for names, times or results, not for settings, because of their many "
                f"values: {first_of(left_out)}. --group-by NAME,... chooses the settings."
            )
            return replace(runs, params=runs.params.drop(columns=left_out)), [note]
    varied = [name for name in names if runs.params[name].nunique(dropna=False) > 1]
    note = (
        f"Most groups have one run, as the runs differ in {first_of(varied)}. --group-by NAME,... "
        "says which settings the runs of a group share."
    )
    return runs, [note]


def _shared(runs: Runs, names: list[str]) -> float:
    """Return the share of runs that have the same settings as another run; 0 without settings."""
    return float(runs.params.duplicated(names, keep=False).mean()) if names else 0.0
