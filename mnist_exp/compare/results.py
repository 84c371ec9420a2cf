"""`mnist_exp.compare_runs`: the answers of `compare` in Python and notebooks."""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict, Unpack

import pandas as pd

from mnist_exp.command import save
from mnist_exp.compare import page, sentences, table, words
from mnist_exp.compare.comparison import Comparison, compare, compare_table
from mnist_exp.compare.question import asked
from mnist_exp.compare.table_files import read_table
from mnist_exp.errors import UserError, did_you_mean, require_texts
from mnist_exp.outside import templates
from mnist_exp.tracking.runs import Selection, Store

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_STORE = "mnist_exp.uri"  # the attribute of a table of `mnist_exp.runs`: where its runs are
_FILE = re.compile(r"\.(csv|tsv|txt|parquet|pq)(\.gz)?$", re.IGNORECASE)  # a name, not a run id
_NO_NAMES = ("direction", "margin", "data_dir")  # options that are checked where they are used
_MOST_LISTED = 5  # runs that are not counted


class Options(TypedDict, total=False):
    """The options of `compare_runs`: those of `python -m mnist_exp.compare`."""

    study: str | None
    experiment: str | None
    filter: str | None
    run_ids: Iterable[str]
    uri: str | None
    metric: str | None
    seed: str | None
    group_by: str | Iterable[str]
    baseline: str | None
    direction: str | None
    margin: float | str | None
    data_dir: str | None


class ComparedRuns:
    """Which group of runs is better, by how much, and is that luck?"""

    def __init__(self, comparison: Comparison, data_dir: str | None) -> None:
        self._comparison, self._data_dir = comparison, data_dir

    @property
    def summary(self) -> str:
        """One or two sentences: how many groups are better or worse, and by how much the best."""
        return sentences.summary(self._comparison)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each group, from the best mean to the worst: the columns of `compare.csv`."""
        return table.of_groups(self._comparison)

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each run, as `compare.csv` has it: its group, seed, value, and if it counts."""
        return table.to_csv(self._comparison)

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict on each group but the baseline, such as `better`, by the group's name."""
        rows, ending = self._comparison.others, self._comparison.ending
        return {row.group.label + ending: str(row.compared.verdict) for row in rows}

    @property
    def notes(self) -> list[str]:
        """Sentences on the verdicts, on how the runs were read, and on what differs in them."""
        return [
            *sentences.verdict_notes(self._comparison),
            *(f"{name}: {line}" for name, line in sentences.left_out(self._comparison)),
            *(line.strip() for line in words.not_counted(self._comparison, _MOST_LISTED)),
            *self._comparison.warnings,
        ]

    def save(self, file: str | Path = "compare.html") -> Path:
        """Write the page, or the table of runs if the name ends in `.csv`; return the file's path.

        Raises UserError if it cannot be written there.
        """
        now = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
        return save(
            file,
            page=lambda: page.render(self._comparison, now, self._data_dir),
            rows=lambda: self.runs.to_csv(index=False),
        )

    def __repr__(self) -> str:
        shown = self.table[["group", "n", "mean", "difference", "verdict"]]
        return f"{shown.to_string(index=False)}\n\n{self.summary}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the summary, the table of groups and the notes."""
        return templates.render(
            "compare/compared_runs.html",
            comparison=self._comparison,
            summary=self.summary,
            notes=self.notes,
            words=words,
        )


def compare_runs(
    runs: pd.DataFrame | str | Path | Iterable[Any] | None = None, **options: Unpack[Options]
) -> ComparedRuns:
    """Compare groups of runs with a baseline: which is better, by how much, and is that luck?

    runs: a table with a row for each run, such as `pandas.read_csv` or `mnist_exp.runs` returns; a
        CSV or Parquet file; or ids of runs in MLflow. Without it, the options say which runs
    study, experiment, filter, run_ids, uri: the runs in MLflow; `uri` is the store
    metric: what is compared; default: test/accuracy, or the only metric
    seed: the setting or column that is the seed; default: one named like a seed. Without a seed in
        common, groups are compared as independent runs
    group_by: what the runs of a group share: a name, or several; default: all settings but the seed
    baseline: `KEY=VALUE,...`, the group to compare with; default: the one with most seeds
    direction: `maximize` or `minimize`; default: from the metric's name
    margin: the smallest difference that matters: asks whether groups are equivalent within it
    data_dir: `data.dir` of the runs, to show its test images

    Raises UserError if there is nothing to compare, or for a name that the runs do not have.
    """
    if unknown := [name for name in options if name not in Options.__annotations__]:
        near = did_you_mean(unknown[0], Options.__annotations__)
        raise UserError(f"compare_runs({unknown[0]}=...): no such option{near}")
    _require_names(options)
    question = asked(options)
    data_dir = options.get("data_dir")
    title = "table"
    if isinstance(runs, Path) or (isinstance(runs, str) and _FILE.search(runs)):
        title, runs = Path(runs).name, read_table(Path(runs))
    if isinstance(runs, pd.DataFrame) and not _has_run_ids(runs):
        if any(options.get(name) for name in ("study", "experiment", "filter", "run_ids", "uri")):
            raise UserError("compare_runs: expected a table, or options that select runs, not both")
        return ComparedRuns(compare_table(runs, title, question), data_dir)
    selection, uri = _selection(runs, options)
    try:
        return ComparedRuns(compare(Store(uri), selection, question), data_dir)
    except UserError as error:
        _refuse_added_column(error, runs)
        raise


def _refuse_added_column(error: UserError, runs: object) -> None:
    """Raise UserError with a way on if the error is about a column added to a table of runs."""
    asked = re.match(r"(--metric|--group-by|--seed) (.+?): ", str(error))
    if asked is None or not isinstance(runs, pd.DataFrame) or asked[2] not in runs:
        return
    raise UserError(
        f"{asked[1]} {asked[2]}: a column of the table, which the runs in MLflow do not have\n"
        "compare_runs(table.reset_index(drop=True), ...) compares the table's own columns"
    ) from error


def _require_names(options: Options) -> None:
    """Raise UserError for an option that is no text where one is needed, or no several of them."""
    for name, value in options.items():
        is_list = name in ("group_by", "run_ids") and isinstance(value, Iterable)
        if not is_list and name not in _NO_NAMES:
            require_texts("compare_runs", **{name: value})


def _has_run_ids(table: pd.DataFrame) -> bool:
    """Return whether a table has runs of MLflow; one made of such tables may have lost their ids.

    pandas keeps the attributes of a table when its index is made anew.
    """
    ids = table.get("run_id", table.index)
    return _STORE in table.attrs and all(_RUN_ID.fullmatch(str(one)) for one in ids)


def _selection(
    runs: pd.DataFrame | str | Iterable[Any] | None, options: Options
) -> tuple[Selection, str | None]:
    """Return which runs of which store. Raises UserError if nothing is selected."""
    uri = options.get("uri")
    given = options.get("run_ids") or ()
    ids = [given] if isinstance(given, str) else [str(run_id) for run_id in given]
    if isinstance(runs, pd.DataFrame):
        uri = uri if uri is not None else runs.attrs[_STORE]
        ids += [str(run_id) for run_id in runs.get("run_id", runs.index)]
    elif runs is not None:
        several = [runs] if isinstance(runs, str) or not isinstance(runs, Iterable) else runs
        known = [getattr(one, "run_id", one) for one in several]
        if isinstance(several, pd.Series | dict) or not all(isinstance(one, str) for one in known):
            raise UserError("compare_runs: expected a pandas DataFrame, a file or ids of runs")
        ids += known
    selection = Selection(
        study=options.get("study"),
        experiment=options.get("experiment"),
        filter=options.get("filter"),
        run_ids=tuple(ids),
    )
    if selection == Selection():
        raise UserError(
            "compare_runs: nothing to compare; give a table, study=, experiment=, filter= or ids"
        )
    return selection, uri
