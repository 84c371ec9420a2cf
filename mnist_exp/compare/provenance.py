"""Warn of what differs between runs although it is no setting: data, code, packages, machine."""

from collections.abc import Sequence

import pandas as pd

from mnist_exp.compare.groups import counted_runs
from mnist_exp.compare.rows import Row
from mnist_exp.compare.source import Source
from mnist_exp.outside.printing import plural
from mnist_exp.own_code.changes import changes
from mnist_exp.own_code.code import DIGEST_TAG
from mnist_exp.tracking.environment import read_hardware, read_packages
from mnist_exp.tracking.runs import Runs

_MOST_ENTRIES = 10  # of a file that are named
_MOST_VALUES = 4  # of an entry that are named
_MOST_FILES = 5  # of the user's own, that are named


def warnings(source: Source, runs: Runs, run_statuses: pd.Series, rows: Sequence[Row]) -> list[str]:
    """Return a line for each difference.

    Data and code are compared over all runs that count; packages and machine, which take a file a
    run, over those of the rows that have a colour.
    """
    tags = runs.tags.loc[counted_runs(run_statuses)]
    read = [run_id for row in rows if row.color is not None for run_id in row.group.run_ids]
    lines = [*_tag_differences(tags), *_own_code_differences(source, runs, tags)]
    for path, parse in (("env/packages.txt", read_packages), ("env/hardware.json", read_hardware)):
        contents = {run_id: source.artifact(runs, run_id, path) for run_id in read}
        parsed = {
            content: parse(content) for content in set(contents.values()) if content is not None
        }
        facts = {
            run_id: parsed[content] for run_id, content in contents.items() if content is not None
        }
        lines += _fact_differences(path, pd.DataFrame.from_dict(facts, orient="index"))
    pooled = [row for row in rows if row.group.configs > 1]
    if pooled:
        lines.append(
            f"{plural(len(pooled), 'group')} of several configs each: a seed's value is the "
            "mean of its runs, and what else differs between the groups is not held fixed"
        )
    return lines


def _tag_differences(tags: pd.DataFrame) -> list[str]:
    lines = []
    for tag, what in (("data.digest", "data"), ("git.commit", "code (git commit)")):
        if tag in tags and tags[tag].nunique() > 1:
            lines.append(f"{what} differs: {_counts(tags[tag].str.slice(0, 12))}")
    uncommitted = int((tags["git.dirty"] == "true").sum()) if "git.dirty" in tags else 0
    if uncommitted:
        lines.append(
            f"{plural(uncommitted, 'run')} had changes in the code that were not committed"
        )
    return lines


def _own_code_differences(source: Source, runs: Runs, tags: pd.DataFrame) -> list[str]:
    """Return a line for the versions of the user's own code, and how the files of two differ."""
    if DIGEST_TAG not in tags or tags[DIGEST_TAG].nunique() < 2:
        return []
    first, *others = (source.sources(runs, str(same.index[0])) for _, same in _versions(tags))
    same_file = {line: None for other in others for line in changes(first, other)}
    lines = [f"your own code differs: {_counts(tags[DIGEST_TAG])}"]
    return lines + [f"your own {line} (artifacts own_code/)" for line in [*same_file][:_MOST_FILES]]


def _versions(tags: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the runs of each version of the user's own code, the oldest version first."""
    return [(str(digest), same) for digest, same in tags.groupby(DIGEST_TAG, sort=False)]


def _fact_differences(path: str, facts: pd.DataFrame) -> list[str]:
    """Return a line for each of the first entries (columns) that differ between the runs (rows)."""
    table = facts.fillna("none")
    changed = [name for name in table if table[name].nunique() > 1]
    lines = [f"{name} differs: {_counts(table[name])}" for name in changed[:_MOST_ENTRIES]]
    if len(changed) > _MOST_ENTRIES:
        more = plural(len(changed) - _MOST_ENTRIES, "more place")
        lines.append(f"{path} differs in {more}")
    return lines


def _counts(values: pd.Series) -> str:
    """Return how many runs have each value: `2.4.6 (3 runs), 2.4.5 (1 run)`."""
    counts = values.value_counts()
    shown = ", ".join(
        f"{str(value)[:60]} ({plural(int(count), 'run')})"
        for value, count in counts.head(_MOST_VALUES).items()
    )
    more = len(counts) - _MOST_VALUES
    return f"{shown} and {more} more" if more > 0 else shown
