"""Find the group that `--baseline` describes."""

import re
import shlex
from collections.abc import Sequence

import pandas as pd

from mnist_exp.compare.columns import ABSENT, column, find_key
from mnist_exp.compare.groups import Group
from mnist_exp.compare.labels import all_tidy, tidy
from mnist_exp.errors import UserError
from mnist_exp.tracking.params import decode
from mnist_exp.tracking.runs import Runs

_NOTHING = (ABSENT, "", "none", "null", "na", "n/a", "nan")


def find_baseline(runs: Runs, groups: Sequence[Group], described: str | None) -> int:
    """Return the index of the baseline among the groups.

    It is the group whose runs all have what `KEY=VALUE,...` describes, a variant perhaps by the
    beginning of its name, a number perhaps as labels show it; by default the group with most seeds,
    the oldest if there are several. Raises UserError unless exactly one group with a value is
    described.
    """
    if described is None:
        return max(range(len(groups)), key=lambda i: groups[i].n)
    wanted = _conditions(runs, described)
    columns = {key: column(runs, key) for key in wanted}
    shown = {key: all_tidy(values.unique()) for key, values in columns.items()}

    def matches(group: Group) -> bool:
        run_ids = [*group.run_ids, *group.left_out]
        return all(
            _means(value, recorded) or value == shown[key].get(recorded)
            for key, value in wanted.items()
            for recorded in columns[key].loc[run_ids].unique()
        )

    matching = [i for i, group in enumerate(groups) if matches(group)]
    if not matching and "variant" in wanted:  # blog_cnn3x3 is blog_cnn3x3-1epoch, if nothing else
        beginning = wanted["variant"] + "-"
        columns["variant"] = columns["variant"].map(
            lambda name: wanted["variant"] if name.startswith(beginning) else name
        )
        matching = [i for i, group in enumerate(groups) if matches(group)]
    counted = [i for i in matching if groups[i].n]
    if len(counted) != 1:
        problem = _problem(groups, matching, wanted, columns)
        raise UserError(f"--baseline {described}: {problem}")
    return counted[0]


def _conditions(runs: Runs, described: str) -> dict[str, str]:
    """Return {setting: value} of `KEY=VALUE,...`; a comma within brackets belongs to a value."""
    conditions = {}
    for part in re.split(r",(?![^\[\]]*\])", described):
        key, equals, value = part.partition("=")
        if not equals:
            problem = f"expected KEY=VALUE,..., found {part}"
            if "variant" in runs.tags or "variant" in runs.params:
                variants = column(runs, "variant")
                problem += f"{_near(part, variants)}\n{_listed('variant', variants)}"
            raise UserError(f"--baseline {described}: {problem}")
        conditions[find_key(runs, key.strip(), "--baseline")] = value.strip()
    return conditions


def _means(typed: str, recorded: str) -> bool:
    """Return whether a typed value is the recorded one: 1e-3 is 0.001, [64,32] is [64, 32]."""
    if recorded == ABSENT:  # how tables write that there is none
        return typed.lower() in _NOTHING
    value, wanted = decode(recorded), decode("None" if typed == "null" else typed)
    if isinstance(value, bool) == isinstance(wanted, bool) and value == wanted:
        return True
    return recorded.lower().replace(" ", "") == typed.lower().replace(" ", "")


def _problem(
    groups: Sequence[Group],
    matching: Sequence[int],
    wanted: dict[str, str],
    columns: dict[str, pd.Series],
) -> str:
    """Return why the groups that match are not one group with a value."""
    if not matching:
        near = _near(wanted["variant"], columns["variant"]) if "variant" in wanted else ""
        listed = "; ".join(_listed(key, values) for key, values in columns.items())
        return f"no group has that{near}\n{listed}"
    labels = [groups[i].label for i in matching if groups[i].n]
    if not labels:
        return "none of that group's runs is finished with the metric"
    return f"{len(labels)} groups have that; expected one\n{'; '.join(labels[:5])}"


def _near(word: str, variants: pd.Series) -> str:
    """Return `; did you mean variant=NAME?` for the only variant, or the first, that holds a word.

    It is named as shortly as it can be typed: without what follows a `-` in its name.
    """
    held = sorted(name for name in variants.unique() if word and word.lower() in name.lower())
    short = [name.partition("-")[0] for name in held]
    if not held:
        return ""
    named = short[0] if short.count(short[0]) == 1 and word in short[0] else held[0]
    return f"; did you mean variant={shlex.quote(tidy(named))}?"


def _listed(key: str, values: pd.Series) -> str:
    """Return the values that there are, and that a variant's name can be cut at a `-`."""
    names = list(all_tidy(sorted(values.unique())).values())[:8]
    enough = key == "variant" and any("-" in name for name in names)
    cut = " (what stands before a - is enough)" if enough else ""
    return f"{key} is {', '.join(names)}{cut}"
