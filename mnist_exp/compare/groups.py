"""Runs in groups: by config without seed or by chosen settings, each with a short label that tells it apart."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mnist_exp.errors import UserError
from mnist_exp.tracking.runs import Runs, is_finite, swept_keys

ABSENT = "\N{EN DASH}"  # a setting that a group's runs do not have
SEVERAL = "several"  # a setting that differs within a group
# The seed, and what decides no result: `config.NEUTRAL`, which is not imported because that takes a quarter second.
_NOT_SETTINGS = {
    "seed",
    "sweeps",
    "variant",
    "run_name",
    "tags",
    "tracking",
    "checkpoint",
    "resume",
    "best_of",
    "preflight",
    "threads",
    "objective",
    "bridge",
    "reference",
}


@dataclass(frozen=True)
class Group:
    """Runs with the same settings. `values` is {seed: metric}, the mean where a seed has several runs.

    `settings` has every setting; those that differ within the group are `several`.
    """

    label: str
    settings: Mapping[str, str]
    run_ids: tuple[str, ...]  # those counted in `values`
    values: Mapping[str, float]
    left_out: tuple[
        str, ...
    ]  # failed, killed, pruned ..., or an older run of the same config and seed
    configs: int

    @property
    def n(self) -> int:
        return len(self.values)


def statuses(runs: Runs, metric: str) -> pd.Series:
    """Of each run "counted", or why it is not: its status, `no METRIC`, or `repeated` by a newer run."""
    said = runs.info["status"].replace("finished", "counted")
    finite = (
        is_finite(runs.metrics[metric]) if metric in runs.metrics else pd.Series(False, said.index)
    )
    said[(said == "counted") & ~finite] = f"no finite {metric}"
    counted = said[said == "counted"].index
    same = pd.DataFrame({"config": config_keys(runs), "seed": runs.info["seed"]}).loc[counted]
    seeded = same[same["seed"] != ""]  # in order of their start: the newest is kept
    said[seeded[seeded.duplicated(keep="last")].index] = "repeated by a newer run"
    return said


def config_keys(runs: Runs) -> pd.Series:
    """The tag config_hash; of runs without it, all their params but the seed."""
    columns = [name for name in runs.params if _is_setting(name)]
    missing = pd.Series(True, runs.info.index)
    keys = pd.Series("", runs.info.index, dtype=object)
    if "config_hash" in runs.tags:
        missing = runs.tags["config_hash"].isna()
        keys = runs.tags["config_hash"].astype(object)
    for run_id in keys[missing].index:
        keys[run_id] = repr(runs.params.loc[run_id, columns].dropna().to_dict())
    return keys


def find_key(runs: Runs, name: str, option: str) -> str:
    """The param or tag of that name, or the one whose last part it is. Raises UserError."""
    known = [*runs.params, *(tag for tag in runs.tags if not tag.startswith("mlflow."))]
    if name in known:
        return name
    near = sorted({key for key in known if key.endswith(f".{name}")})
    if len(near) == 1:
        return near[0]
    if near:
        raise UserError(f"{option} {name}: could be any of {', '.join(near)}")
    from mnist_exp.errors import did_you_mean

    raise UserError(
        f"{option} {name}: the runs have no such setting or tag{did_you_mean(name, known)}\n"
        f"They differ in {', '.join(differing(runs)) or 'nothing but the seed'}"
    )


def column(runs: Runs, key: str) -> pd.Series:
    """A param's or tag's text of each run, ABSENT where it has none."""
    table = runs.params if key in runs.params else runs.tags
    return table[key].fillna(ABSENT)


def differing(runs: Runs) -> list[str]:
    """Settings that are not the same in all runs: groups' choices first, then single settings."""
    names = [name for name in runs.params if _is_setting(name)]
    varied = [name for name in names if runs.params[name].nunique(dropna=False) > 1]
    return sorted(varied, key=lambda name: ("." in name, names.index(name)))


def _is_setting(param: str) -> bool:
    return param.split(".")[0] not in _NOT_SETTINGS


def make_groups(runs: Runs, said: pd.Series, metric: str, group_by: Sequence[str]) -> list[Group]:
    """In the order of their first runs. `said` is of `statuses`."""
    keys = [find_key(runs, name, "--group-by") for name in group_by]
    config = config_keys(runs)
    by: list[pd.Series] = [column(runs, key) for key in keys] if keys else [config]
    number = runs.info.groupby(by, sort=False).ngroup().to_numpy()
    parts = [np.flatnonzero(number == i) for i in range(number.max() + 1)]
    names = dict.fromkeys([*keys, *differing(runs)])
    columns = {key: column(runs, key).to_numpy(object) for key in names}
    settings = [{key: _common(values[part]) for key, values in columns.items()} for part in parts]
    labels = _labels(runs, parts, settings, keys)
    ids, seeds = runs.info.index.to_numpy(object), runs.info["seed"].to_numpy(object)
    counted = (said == "counted").to_numpy()
    values = (
        runs.metrics[metric].to_numpy() if metric in runs.metrics else np.full(len(ids), np.nan)
    )
    found = []
    for part, label, setting in zip(parts, labels, settings, strict=True):
        used = [i for i in part if counted[i]]
        by_seed: dict[str, list[float]] = {}
        for i in sorted(
            used, key=lambda i: _natural(seeds[i])
        ):  # without a seed, a pair of nothing
            by_seed.setdefault(seeds[i] or ids[i], []).append(float(values[i]))
        found.append(
            Group(
                label if labels.count(label) == 1 else f"{label} ({ids[part[0]][:8]})",
                setting,
                tuple(ids[i] for i in used),
                {seed: float(np.mean(several)) for seed, several in by_seed.items()},
                tuple(ids[i] for i in part if not counted[i]),
                len(set(config.to_numpy(object)[part])),
            )
        )
    return found


def _common(values: NDArray[np.object_]) -> str:
    distinct = set(values)
    return str(distinct.pop()) if len(distinct) == 1 else SEVERAL


def _natural(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def _labels(
    runs: Runs,
    parts: Sequence[NDArray[np.intp]],
    settings: Sequence[Mapping[str, str]],
    keys: Sequence[str],
) -> list[str]:
    """The chosen settings; else the variant if that tells all apart; else what a study varies; else as few as do."""
    variants = column(runs, "variant").to_numpy(object) if "variant" in runs.tags else np.array([])
    if len(parts) == 1 and not keys:
        return [_common(variants) if "variant" in runs.tags else "all runs"]
    if keys:
        return _texts(settings, keys)
    if "variant" in runs.tags:
        own = [_common(variants[part]) for part in parts]
        if len(set(own)) == len(parts) and SEVERAL not in own:
            return own
    known = list(settings[0])
    chosen = [key for key in swept_keys(runs) if key in known]
    for key in known:
        if _distinct(settings, chosen) == len(parts):
            break
        if _distinct(settings, [*chosen, key]) > _distinct(settings, chosen):
            chosen.append(key)
    return _texts(settings, chosen)


def _distinct(settings: Sequence[Mapping[str, str]], keys: Sequence[str]) -> int:
    return len({tuple(setting[key] for key in keys) for setting in settings})


def _texts(settings: Sequence[Mapping[str, str]], keys: Sequence[str]) -> list[str]:
    """`self_entropy, zeros, learning_rate=0.1`: of a group's choice the option alone, which speaks for itself."""
    short = short_names(keys)
    return [
        ", ".join(
            f"{short[key]}={tidy(setting[key])}"
            if "." in key or setting[key] == SEVERAL
            else setting[key]
            for key in keys
            if setting[key] != ABSENT
        )
        or ABSENT
        for setting in settings
    ]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted key, or the whole where two would be the same."""
    last = [key.rpartition(".")[2] for key in keys]
    return {
        key: part if last.count(part) == 1 else key for key, part in zip(keys, last, strict=True)
    }


def tidy(text: str) -> str:
    """A number with at most four significant digits; other text as it is."""
    if re.fullmatch(r"-?\d+\.\d{4,}(e-?\d+)?", text):
        return f"{float(text):.4g}"
    return text


def find_baseline(runs: Runs, groups: Sequence[Group], wanted: str | None) -> int:
    """Index of the group that `KEY=VALUE,...` describes; without, of the one with most seeds, the oldest of those."""
    if wanted is None:
        return max(range(len(groups)), key=lambda i: groups[i].n)
    conditions = {}
    for part in re.split(r",(?![^\[\]]*\])", wanted):
        key, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"--baseline {wanted}: expected KEY=VALUE,..., found {part}")
        conditions[find_key(runs, key.strip(), "--baseline")] = value.strip()
    matches = [
        i
        for i, group in enumerate(groups)
        if all(
            _is(column(runs, key).loc[[*group.run_ids, *group.left_out]], v)
            for key, v in conditions.items()
        )
    ]
    counted = [i for i in matches if groups[i].n]
    if len(counted) == 1:
        return counted[0]
    if not matches:
        options = {key: sorted(column(runs, key).unique())[:8] for key in conditions}
        found = "; ".join(f"{key} is {', '.join(values)}" for key, values in options.items())
        raise UserError(f"--baseline {wanted}: no group has that\n{found}")
    if not counted:
        raise UserError(
            f"--baseline {wanted}: none of that group's runs is finished with the metric"
        )
    names = "; ".join(groups[i].label for i in counted[:5])
    raise UserError(f"--baseline {wanted}: {len(counted)} groups have that; expected one\n{names}")


def _is(values: pd.Series, wanted: str) -> bool:
    return all(_same(value, wanted) for value in values.unique())


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one.lower().replace(" ", "") == other.lower().replace(" ", "")


def varied_settings(groups: Iterable[Group]) -> list[str]:
    """Settings that differ between the groups, in which each group has one value."""
    several = list(groups)
    return [
        key
        for key in (several[0].settings if several else [])
        if len({group.settings[key] for group in several}) > 1
    ]
