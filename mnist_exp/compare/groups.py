"""Sort runs into groups: by their config without the seed, or by chosen settings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from mnist_exp.compare.columns import column, differing_settings, find_key, settings_of_results
from mnist_exp.compare.labels import common_value, group_labels
from mnist_exp.compare.parents import parents_of
from mnist_exp.errors import UserError
from mnist_exp.outside.printing import first_of, plural
from mnist_exp.own_code.code import DIGEST_TAG
from mnist_exp.tracking.params import number
from mnist_exp.tracking.runs import Runs, is_finite

_MOST_GROUPS = 1_000
_LARGEST = 1e150  # the square of more is infinite, and so would be the spread


class Counting(StrEnum):
    """Whether a run counts, where the comparison decides; else it is `failed`, `no finite ...`."""

    COUNTED = "counted"
    REPEATED = "repeated by a later run"
    OTHER_IMAGES = "scored on other images"
    PARENT = "parent of other runs"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs with the same settings."""

    label: str
    settings: Mapping[str, str]  # what differs between all runs; `several` if within the group
    run_ids: tuple[str, ...]  # the runs that count
    values: Mapping[str, float]  # {seed: metric}, the mean where a seed has several runs
    unseeded: frozenset[str] = frozenset()  # keys of `values` that are ids of runs without a seed
    left_out: tuple[str, ...]  # the ids of the runs that do not count
    configs: int  # how many different configs the runs have that count

    @property
    def n(self) -> int:
        """Return the number of seeds."""
        return len(self.values)

    def named(self, key: str) -> str:
        """Return what a key of `values` is: `seed 3`, or `run 0a1b2c3d` of a run without a seed."""
        if key not in self.unseeded:
            return f"seed {key}"
        return key if " " in key else f"run {key[:8]}"  # `line 7` of a table

    @property
    def extent(self) -> str:
        """Return how many seeds it has: `5 seeds`, or `5 runs` if one has none."""
        return plural(self.n, "run" if self.unseeded else "seed")


def statuses(runs: Runs, metric: str) -> pd.Series:
    """Return for each run that it counts, or why it does not.

    A run that does not count has its own status, or `no finite METRIC`, or it is the parent of runs
    that count, or it is repeated: a later run has the same config, seed and data.
    """
    status = runs.info["status"].replace("finished", Counting.COUNTED)
    finite = (
        is_finite(runs.metrics[metric]) & (runs.metrics[metric].abs() < _LARGEST)
        if metric in runs.metrics
        else pd.Series(False, status.index)
    )
    status[(status == Counting.COUNTED) & ~finite] = f"no finite {metric}"
    status[parents_of(runs, counted_runs(status))] = Counting.PARENT
    counted = counted_runs(status)
    same = pd.DataFrame({"config": config_keys(runs), "seed": runs.info["seed"]})
    same["data"] = runs.tags.get("data.digest")
    same = same.loc[counted]
    seeded = same[same["seed"] != ""]  # in the order of their start: the newest is kept
    status[seeded[seeded.duplicated(keep="last")].index] = Counting.REPEATED
    return status


def counted_runs(run_statuses: pd.Series) -> pd.Index:
    """Return the ids of the runs that count."""
    return run_statuses[run_statuses == Counting.COUNTED].index


def config_keys(runs: Runs) -> pd.Series:
    """Return what identifies each run's config: the tag config_hash, or without it its settings.

    With it is the digest of the user's own code, if the run has some.
    """
    names = settings_of_results(runs)
    missing = pd.Series(True, runs.info.index)
    keys = pd.Series("", runs.info.index, dtype=object)
    if "config_hash" in runs.tags:
        missing = runs.tags["config_hash"].isna()
        keys = runs.tags["config_hash"].astype(object)
    if missing.any() and names:
        same = runs.params.loc[missing, names].groupby(names, dropna=False, sort=False)
        keys[missing] = "settings " + same.ngroup().astype(str)
    return keys + " " + runs.params[DIGEST_TAG].fillna("") if DIGEST_TAG in runs.params else keys


def make_groups(
    runs: Runs, run_statuses: pd.Series, metric: str, group_by: Sequence[str]
) -> list[Group]:
    """Sort runs into groups by the settings or tags `group_by`, or else by their config.

    The groups are in the order of their first runs. Raises UserError for a name that the runs do
    not have, and for more groups than a person can look at.
    """
    keys = [find_key(runs, name, "--group-by") for name in group_by]
    configs = config_keys(runs)
    by = [column(runs, key) for key in keys] or [configs]
    numbers = runs.info.groupby(by, sort=False).ngroup().to_numpy()
    if numbers.max() >= _MOST_GROUPS:
        varied = first_of(keys or differing_settings(runs))
        raise UserError(
            f"{numbers.max() + 1:,} groups: expected at most {_MOST_GROUPS:,}, as the runs differ "
            f"in {varied}\n--group-by NAME,... says which settings the runs of a group share"
        )
    members = np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])
    names = dict.fromkeys([*keys, *differing_settings(runs)])
    columns = {key: column(runs, key).to_numpy(object) for key in names}
    counted = (run_statuses == Counting.COUNTED).to_numpy()
    telling = [part[counted[part]] if counted[part].any() else part for part in members]
    settings = [
        {key: common_value(values[part]) for key, values in columns.items()} for part in telling
    ]
    table = pd.DataFrame(
        {
            "seed": runs.info["seed"],
            "value": runs.metrics.get(metric, np.nan),
            "config": configs,
            "counted": counted,
        }
    )
    labels = group_labels(runs, members, settings, keys)
    ranks = {seed: i for i, seed in enumerate(sorted(table["seed"].unique(), key=seed_order))}
    table["rank"] = table["seed"].map(ranks)
    return [
        _group(label, setting, table.iloc[part])
        for label, setting, part in zip(labels, settings, members, strict=True)
    ]


def _group(label: str, settings: Mapping[str, str], table: pd.DataFrame) -> Group:
    """Make a group of these runs; a run without a seed has its id in the seed's place."""
    counted = table[table["counted"]]
    in_order = counted.sort_values("rank", kind="stable")
    is_seeded = in_order["seed"] != ""
    keys = in_order["seed"].where(is_seeded, in_order.index)
    values = in_order["value"].groupby(keys.to_numpy(), sort=False).mean()
    return Group(
        label=label,
        settings=settings,
        run_ids=tuple(counted.index),
        values={str(key): float(value) for key, value in values.items()},
        unseeded=frozenset(in_order.index[~is_seeded]),
        left_out=tuple(table.index[~table["counted"]]),
        configs=counted["config"].nunique(),
    )


def seed_order(seed: str) -> tuple[bool, float, str]:
    """Return what sorts seeds as numbers, and behind them what is no number."""
    value = number(seed)
    return value is None, value or 0.0, seed


def varied_settings(groups: Iterable[Group]) -> list[str]:
    """Return the settings whose values differ between the groups."""
    settings = [group.settings for group in groups]
    keys = settings[0] if settings else {}
    return [key for key in keys if len({values[key] for values in settings}) > 1]
