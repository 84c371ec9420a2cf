"""Read the settings and tags of runs as columns: which there are, and in which the runs differ."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mnist_exp.config.identity import BEFORE, NEUTRAL
from mnist_exp.config.used_settings import without_effect
from mnist_exp.errors import UserError, did_you_mean
from mnist_exp.outside.printing import first_of
from mnist_exp.tracking.params import decode, encode
from mnist_exp.tracking.runs import Runs

# Before a setting's name in tables of MLflow, Optuna, Ray Tune and W&B.
_OF_A_TABLE = re.compile(r"^(params[._]|tags\.|config[./])")
ABSENT = "\N{EN DASH}"  # the value of a setting that a run does not have


def with_used_settings(runs: Runs) -> Runs:
    """Return the runs without those settings that have no effect on them.

    The initial values of convolutions are settings of a softmax regression, too, but it has none.
    """
    runs = _with_what_was_before(runs)
    deciding = [
        name for name in runs.params if name.startswith("model.") or name.endswith(".distribution")
    ]
    if "model.kind" not in deciding:
        return runs
    params = runs.params.copy()
    for _, part in runs.params.groupby(deciding, dropna=False, sort=False):
        recorded = {name: decode(text) for name, text in part.iloc[0].dropna().items()}
        params.loc[part.index, without_effect(recorded)] = np.nan
    return replace(runs, params=params)


def _with_what_was_before(runs: Runs) -> Runs:
    """Return the runs with the settings of those from before there were these settings."""
    params = runs.params.copy()
    for name in BEFORE.keys() & {*params}:
        of_others = params.get("model.kind", pd.Series(index=params.index)).isna()
        params[name] = params[name].where(params[name].notna() | of_others, encode(BEFORE[name]))
    return replace(runs, params=params)


def find_key(runs: Runs, name: str, option: str) -> str:
    """Return the setting or tag of that name, or the only one whose last part it is.

    Raises UserError, which begins with `option`, if there is none or more than one.
    """
    known = [*runs.params, *(tag for tag in runs.tags if not tag.startswith("mlflow."))]
    for key in (name, _OF_A_TABLE.sub("", name)):
        if key in known:
            return key
    ending = sorted({key for key in known if key.endswith((f".{name}", f"/{name}"))})
    if len(ending) == 1:
        return str(ending[0])
    if ending:
        raise UserError(f"{option} {name}: could be any of {', '.join(ending)}")
    raise UserError(
        f"{option} {name}: the runs have no such setting or tag{did_you_mean(name, known)}\n"
        f"They differ in {first_of(differing_settings(runs) or ['nothing but the seed'])}"
    )


def column(runs: Runs, key: str) -> pd.Series:
    """Return each run's text of a setting or tag; ABSENT where it has none."""
    table = runs.params if key in runs.params else runs.tags
    return table[key].fillna(ABSENT)


def settings_of_results(runs: Runs) -> list[str]:
    """Return the recorded settings that decide a result, the seed left out.

    Of other programs the seed is no setting any more, whatever its name is (`seeds.with_seeds`). In
    their runs a setting may have the name of one here that decides nothing.
    """
    is_ours = "config_hash" in runs.tags or "model.kind" in runs.params
    left_out = {"seed", "sweeps", *NEUTRAL} if is_ours else set[str]()
    return [name for name in runs.params if name.split(".")[0] not in left_out]


def differing_settings(runs: Runs) -> list[str]:
    """Return the settings that differ between the runs, the choices of config groups first."""
    names = settings_of_results(runs)
    varied = [name for name in names if runs.params[name].nunique(dropna=False) > 1]
    return sorted(varied, key=lambda name: ("." in name, names.index(name)))


def worth_listing(keys: Sequence[str], groups: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the settings of `keys` whose difference does not follow from another one.

    Some groups have no kernel size because their model has none. If all others have the same
    kernel size, the model is the difference. Its `kind` is what the choice of the model says.
    """
    distinct = {key: {settings[key] for settings in groups} - {ABSENT} for key in keys}

    def follows(key: str) -> bool:
        group, _, name = key.partition(".")
        if name == "kind" and group in keys:
            return True
        chosen = any(choice in keys for choice in ("model", group) if choice != key)
        return chosen and len(distinct[key]) == 1

    return [key for key in keys if not follows(key)]
