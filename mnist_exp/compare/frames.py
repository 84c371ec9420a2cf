"""A table of results as runs: a row is a run, and its columns are settings, a seed and metrics."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mnist_exp.compare.metrics import chosen_metric
from mnist_exp.errors import DataError
from mnist_exp.sweeper.foreign_text import clean, printable
from mnist_exp.tracking.params import encode
from mnist_exp.tracking.runs import Runs

# What W&B, MLflow and Optuna call the state of a run that has ended well; others are kept.
_FINISHED = ("finished", "complete", "completed", "success", "succeeded", "done")
_OTHER_STATES = (
    *("failed", "fail", "crashed", "killed", "running", "pruned", "scheduled", "waiting"),
    *("pending", "preempting", "preempted"),
)


def to_runs(table: pd.DataFrame, metric: str | None, what: str) -> tuple[Runs, str]:
    """Return the rows of a table as runs, and the metric, which is a column of numbers.

    Every other column is a setting, but for `state` or `status` where it says how a run ended. In a
    table of `mlflow.search_runs`, only `params.NAME` are settings, and metrics are `metrics.NAME`.
    `what` names the table in messages. Raises DataError for a table that cannot be compared.
    """
    columns = [clean(name, 200) for name in table.columns]
    twice = [name for i, name in enumerate(columns) if name in columns[:i]]
    if twice:
        raise DataError(f"{what}: two columns are named {twice[0]}")
    table = table.set_axis(columns, axis="columns")
    ids = _ids(table)
    parts = {prefix: _of(table, prefix) for prefix in ("metrics.", "params.", "tags.")}
    is_of_mlflow = bool(len(parts["metrics."].columns)) and "run_id" in table
    if is_of_mlflow:
        measured, settings = parts["metrics."], parts["params."]
    else:
        measured = table[[name for name in table if _has_numbers(table[name])]]
        settings = table
    chosen = _chosen(measured, table, metric, what)
    state = next((name for name in table if _are_states(name, table[name])), None)
    status = pd.Series("finished", table.index) if state is None else table[state]
    given = [name for name in settings if name not in (chosen, state)]
    names = table.get("tags.mlflow.runName") if is_of_mlflow else None
    info = {
        "name": ids if names is None else [clean(name, 250) for name in names],
        "status": [_status(text) for text in status],
        **dict.fromkeys(("seed", "reason", "artifacts", "experiment"), ""),
        "seconds": np.nan,
        **dict.fromkeys(("train", "validation", "test"), ""),
    }
    values = measured[chosen] if chosen in measured else table[chosen]
    runs = Runs(
        info=pd.DataFrame(info, index=ids),
        params=_texts(settings[given]).set_axis(ids),
        tags=_texts(parts["tags."] if is_of_mlflow else table[[]]).set_axis(ids),
        metrics=pd.DataFrame({chosen: _numbers(values, what)}).set_axis(ids),
    )
    return runs, chosen


def _of(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return the columns with a prefix, without it."""
    names = {name: name.removeprefix(prefix) for name in table if name.startswith(prefix)}
    return table[list(names)].rename(columns=names)


def _ids(table: pd.DataFrame) -> pd.Index:
    """Return what each row is called: the line of a file, or `row LABEL`."""
    labels = [str(label) for label in table.index]
    if not all(label.startswith(("line ", "row ")) for label in labels):
        labels = [f"row {clean(label, 50)}" for label in labels]
    if len(set(labels)) < len(labels):
        labels = [f"row {i}" for i in range(len(labels))]
    return pd.Index(labels, name="run_id")


def _has_numbers(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _chosen(measured: pd.DataFrame, table: pd.DataFrame, metric: str | None, what: str) -> str:
    """Return the column that is compared. Raises UserError if there is none."""
    if metric is not None and metric in table and metric not in measured:
        return metric
    decimal = [name for name in measured if (measured[name].dropna() % 1 != 0).any()]
    return chosen_metric(measured if metric is not None or not decimal else decimal, metric)


def _numbers(column: pd.Series, what: str) -> pd.Series:
    """Return the column's numbers, NaN where there is none. Raises DataError for other text."""
    if _has_numbers(column):
        return column.astype(float)
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column[numbers.isna() & column.notna() & (column.astype(str).str.strip() != "")]
    if len(wrong):
        where = wrong.index[0]
        raise DataError(
            f"{what}: expected a number in the column {column.name}, found "
            f"{clean(repr(wrong.iloc[0]), 60)} ({where}, and {len(wrong) - 1:,} more)"
        )
    return numbers.astype(float)


def _are_states(name: str, column: pd.Series) -> bool:
    """Return whether a column says how each run has ended, as W&B's `State` does."""
    if name.rpartition(".")[2].lower() not in ("state", "status") or _has_numbers(column):
        return False
    return {str(text).lower() for text in column.dropna().unique()} <= {*_FINISHED, *_OTHER_STATES}


def _status(text: object) -> str:
    word = str(text).lower()
    return "finished" if word in _FINISHED or word == "nan" else clean(word, 50)


def _texts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the values as a run's record has them: texts, NaN where there is none."""
    return table.apply(_text_column).astype(object) if len(table.columns) else table


def _text_column(column: pd.Series) -> pd.Series:
    """Return one column's texts; whole numbers have no decimals although others are missing."""
    known = column.dropna()
    if pd.api.types.is_float_dtype(column) and len(known) and (known % 1 == 0).all():
        known = known.map(int, na_action="ignore")
    try:
        texts: Mapping[object, str] = {value: _text(value) for value in known.unique()}
        return known.map(texts).reindex(column.index)
    except TypeError:  # lists and the like, which have no hash
        return known.map(_text).reindex(column.index)


def _text(value: object) -> str:
    return clean(printable(encode(value)), 500)
