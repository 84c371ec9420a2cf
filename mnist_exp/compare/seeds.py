"""Find the seed of runs that other programs made: a setting or tag that is named like one."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mnist_exp.compare.columns import find_key
from mnist_exp.compare.parents import parents_of
from mnist_exp.errors import UserError
from mnist_exp.outside.printing import listed, plural
from mnist_exp.tracking.runs import Runs

# The last part of a name, without signs and in small letters; the first ones count before others.
_NAMES = (
    *("seed", "randomseed", "randomstate", "manualseed", "globalseed", "rngseed", "rng"),
    *("seedeverything", "seedid"),  # of Lightning's command line, and others
)
_ENDING = re.compile(r".*_seed(_id)?")  # of other names: train_seed, user_attrs_seed
_NO_SEEDS_NAME = re.compile(r"(num|number|n|use|fix|fixed|set|is|has|no|with)_.*")
_NOT_FOUND = (
    "No seed was found: no setting, tag or column is named seed, random_seed or random_state. The "
    "runs are compared as independent ones; --seed NAME names another."
)
_CONSTANT = (
    "{} is the same in all runs, so it is not taken for their seed: they are compared as "
    "independent ones. --seed NAME names another."
)
_WHOLE = re.compile(r"^(-?[0-9]+)\.0*$")
_NO_SEED = ("", "None", "null", "nan", "NaN", "True", "False")


def with_seeds(runs: Runs, named: str | None) -> tuple[Runs, list[str]]:
    """Return the runs with their seeds, and sentences that say where these were found.

    The seed is the setting, tag or column `named`, or else the first that is named like a seed and
    not the same in all runs. A run that lacks it has the seed of the next such name. What was taken
    for the seed is no setting any more, and neither is what says the same under another name.

    Raises UserError if no run has what was named, or if two names have equally good claims.
    """
    if named is not None:
        key = find_key(runs, named, "--seed")
        seeds = _seeds(runs, key)
        if not (seeds != "").any():
            raise UserError(f"--seed {named}: no run has a value of it")
        return _with(runs, seeds, [key]), _without(runs, seeds)
    if "config_hash" in runs.tags and runs.tags["config_hash"].notna().all():
        return runs, []  # this project's own, in whose record there is one seed
    found = {key: _seeds(runs, key) for key in _candidates(runs)}
    found = {key: seeds for key, seeds in found.items() if (seeds != "").any()}
    varying = [key for key, seeds in found.items() if seeds[seeds != ""].nunique() > 1]
    constant = [key for key in found if key not in varying]
    order = [*varying, *constant]
    none = pd.Series("", runs.info.index, dtype=object)
    if not order:
        return _with(runs, none, []), [_NOT_FOUND]
    if not varying and (found[order[0]] != "").sum() > 1:
        return _with(runs, none, []), [_CONSTANT.format(order[0])]
    first = order[0]
    _require_one(found, first, varying)
    seeds, taken = found[first], [first]
    for key in order[1:]:
        if _say_the_same(found[key], seeds) or not ((found[key] != "") & (seeds != "")).any():
            seeds, taken = seeds.where(seeds != "", found[key]), [*taken, key]
    same = [key for key in runs.params if key not in taken and _names_the_seed(runs, key, seeds)]
    notes = [] if taken == ["seed"] else [f"The seed of a run is its {' or '.join(taken)}."]
    return _with(runs, seeds, [*taken, *same]), notes + _without(runs, seeds)


def _candidates(runs: Runs) -> list[str]:
    """Return the settings and tags that are named like a seed, the best names first."""
    keys = dict.fromkeys([*runs.params, *(tag for tag in runs.tags if tag[:7] != "mlflow.")])
    return sorted(
        (key for key in keys if _rank(key) is not None), key=lambda key: (_rank(key), key)
    )


def _rank(key: str) -> tuple[int, int] | None:
    """Return how good a name of a seed it is, less is better, and how deep it is nested; or None.

    `train.random_state` and `args/seed` are named by their last part.
    """
    parts = re.split(r"[./:]", key)
    last = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", parts[-1]).lower()
    name = re.sub(r"[^a-z]", "", last)
    if name in _NAMES:
        return _NAMES.index(name), len(parts)
    is_one = _ENDING.fullmatch(last) and not _NO_SEEDS_NAME.fullmatch(last)
    return (len(_NAMES), len(parts)) if is_one else None


def is_named_like_a_seed(name: str) -> bool:
    """Return whether a column's name says that it is the seed."""
    return _rank(name) is not None


def _seeds(runs: Runs, key: str) -> pd.Series:
    """Return each run's seed by a setting or tag, or both; "" where there is none.

    A whole number that was written with decimals is that whole number: seed 3.0 is seed 3.
    """
    seeds = pd.Series("", runs.info.index, dtype=object)
    for table in (runs.tags, runs.params):
        if key in table:
            texts = table[key].where(~table[key].isin(_NO_SEED))
            seeds = texts.fillna(seeds)
    return seeds.str.replace(_WHOLE, r"\1", regex=True)


def _require_one(found: dict[str, pd.Series], first: str, varying: Sequence[str]) -> None:
    """Raise UserError if another name is as good as the first, and says something else."""
    rivals = [
        key
        for key in varying
        if _rank(key) == _rank(first) and not _say_the_same(found[key], found[first])
    ]
    if any(((found[key] != "") & (found[first] != "")).any() for key in rivals):
        raise UserError(
            f"the seed could be {listed([first, *rivals])}, which differ\n--seed NAME names it"
        )


def _say_the_same(one: pd.Series, other: pd.Series) -> bool:
    """Return whether each tells the same runs apart, where both are known."""
    both = pd.DataFrame({"one": one, "other": other})[(one != "") & (other != "")]
    pairs = len(both.drop_duplicates())
    return bool(len(both)) and pairs == both["one"].nunique() == both["other"].nunique()


def _names_the_seed(runs: Runs, key: str, seeds: pd.Series) -> bool:
    """Return whether a text stands for the seed, as the folder `version_3` of each third run."""
    texts = runs.params[key].fillna("")
    known = seeds[seeds != ""]
    several = len(known) >= 2 * known.nunique() > 2
    is_text = bool(pd.to_numeric(runs.params[key].dropna(), errors="coerce").isna().all())
    return several and is_text and _say_the_same(texts, seeds)


def _with(runs: Runs, seeds: pd.Series, taken: Sequence[str]) -> Runs:
    """Return the runs with these seeds, without the settings from which they were taken."""
    params = runs.params.drop(columns=[key for key in taken if key in runs.params])
    return replace(runs, info=runs.info.assign(seed=seeds), params=params)


def _without(runs: Runs, seeds: pd.Series) -> list[str]:
    """Return a sentence about runs without a seed, where others have one; parents need none."""
    seeds = seeds.drop(parents_of(runs, seeds.index))
    missing = int((seeds == "").sum())
    have = "has" if missing == 1 else "have"
    return [f"{plural(missing, 'run')} of {len(seeds):,} {have} no seed."] if missing else []
