"""A table of results as runs: a row is a run, and its columns are settings, a seed and metrics."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mnist_exp.compare.directions import direction_notes
from mnist_exp.compare.metrics import chosen_metric
from mnist_exp.compare.seeds import is_named_like_a_seed
from mnist_exp.errors import DataError
from mnist_exp.outside.printing import first_of
from mnist_exp.sweeper.foreign_text import clean, printable
from mnist_exp.tracking.params import encode
from mnist_exp.tracking.runs import Runs

# What W&B, MLflow and Optuna call the state of a run that has ended well; others are kept.
_FINISHED = (
    *("finished", "complete", "completed", "success", "succeeded", "successful", "done", "ok"),
    *("passed", "ended", "early_stopped"),
)
_OTHER_STATES = (
    *("failed", "fail", "crashed", "killed", "running", "pruned", "scheduled", "waiting"),
    *("pending", "preempting", "preempted", "error", "errored", "terminated", "interrupted"),
    *("timeout", "canceled", "cancelled", "aborted", "stopped", "paused", "queued"),
)
_RAYS_FINISHED = "TERMINATED"  # Guild's `terminated` is a run that somebody stopped
# Columns that say when a run began: of MLflow, Optuna and W&B, and others.
_STARTS = (
    *("start_time", "datetime_start", "created", "created_at", "started", "started_at"),
    *("_timestamp", "timestamp"),
)
# Before the names of settings, in tables of Ray Tune, and of W&B as pandas normalises them; with
# what such a table has besides, as its name or the beginning of one.
_CONFIG = {
    "params_": ("number",),
    "config/": ("trial_id", "training_iteration", "time_total_s"),
    "config.": ("summary.",),
}
_COUNTERS = ("epoch", "step", "global_step", "iteration", "training_iteration", "_step")


def to_runs(table: pd.DataFrame, metric: str | None, what: str) -> tuple[Runs, str]:
    """Return the rows of a table as runs, and the metric, which is a column of numbers.

    Every other column is a setting, but for `state` or `status` where it says how a run ended. In a
    table of `mlflow.search_runs`, only `params.NAME` are settings, and metrics are `metrics.NAME`;
    in one of Optuna's trials, `params_NAME` are settings, and in one of Ray Tune `config/NAME`. The
    runs are in the order in which they began, where a column says it, or in that of the rows.
    `what` names the table in messages. Raises DataError for a table that cannot be compared.
    """
    table = _with_names(table, what)
    if table.empty:
        raise DataError(f"{what}: has no {'columns' if table.columns.empty else 'rows'}")
    ids = _ids(table)
    measured, settings, tags = _parts(table)
    chosen = _chosen(measured, table, metric, what)
    state = next((name for name in table if _are_states(name, table[name])), None)
    status = pd.Series("finished", table.index) if state is None else table[state]
    names = tags.get("mlflow.runName")
    info = {
        "name": ids if names is None else [clean(name, 250) for name in names],
        "status": [_status(text) for text in status],
        **dict.fromkeys(("seed", "reason", "artifacts", "experiment"), ""),
        "seconds": np.nan,
        **dict.fromkeys(("train", "validation", "test"), ""),
    }
    values = (measured if chosen in measured else table)[chosen].set_axis(ids)
    results = (chosen, state) if settings is table else ()
    given = settings[[name for name in settings if name not in results]]
    order = _order(table)
    runs = Runs(
        info=pd.DataFrame(info, index=ids).iloc[order],
        params=_texts(given).set_axis(ids).iloc[order],
        tags=_texts(tags).set_axis(ids).iloc[order],
        metrics=pd.DataFrame({chosen: _numbers(values, what)}).iloc[order],
        in_percent=_are_percents(values),
    )
    return runs, chosen


def curve_notes(table: pd.DataFrame) -> list[str]:
    """Return a sentence if the rows are not runs, but the epochs or steps of runs.

    They are if what the texts, truth values and seeds of the rows tell apart has several rows each,
    in which a column such as `epoch` goes up evenly, from 0 or 1.
    """
    table = _with_names(table, "")
    names = [name for name in table if str(name).lower() in _COUNTERS]
    of_runs = [
        name
        for name in table
        if is_named_like_a_seed(str(name))
        or pd.api.types.is_bool_dtype(table[name])
        or not pd.api.types.is_numeric_dtype(table[name])
    ]
    texts = table[of_runs].astype(str)
    runs = texts.groupby(of_runs, sort=False).ngroup() if of_runs else pd.Series(0, table.index)
    if len(table) < 3 * (runs.max() + 1):
        return []
    for name in names:
        steps = pd.to_numeric(table[name], errors="coerce").groupby(runs)
        if steps.apply(_counts_up).all():
            told = (
                f"The rows look like learning curves, in which {name} goes up, and not like runs: "
                "if they are, keep one row of each run, such as its last one."
            )
            return [told]
    return []


def _counts_up(values: pd.Series) -> bool:
    """Return whether these are several numbers from 0 or 1 on, all as far apart."""
    apart = values.diff().iloc[1:]
    return (
        len(apart) > 0 and values.iloc[0] in (0, 1) and apart.nunique() == 1 and apart.iloc[0] > 0
    )


def _with_names(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return the table with a name for each column, its index among them if that has names."""
    if any(name is not None for name in table.index.names):
        added = [name for name in table.index.names if name not in table.columns]
        table = table.reset_index(level=added).reset_index(drop=True)
    texts = [".".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in table.columns]
    kept = [i for i, name in enumerate(texts) if not _is_index(clean(name), table.iloc[:, i])]
    table, texts = table.iloc[:, kept], [texts[i] for i in kept]
    columns = [clean(name, 200) or f"column {i + 1}" for i, name in enumerate(texts)]
    if any(name.endswith("__MIN") for name in columns):
        raise DataError(f"{what}: the export of a chart; expected a table with a row for each run")
    for i, name in enumerate(columns):
        if name in columns[:i]:
            raise DataError(f"{what}: two columns are named {name}")
    return table.set_axis(columns, axis="columns")


def _is_index(name: str, column: pd.Series) -> bool:
    """Return whether a column without a name counts the rows, as pandas writes them to a file."""
    return name.lower() in ("", "unnamed: 0") and list(column) == list(range(len(column)))


def _parts(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the columns that may be a metric, the settings, and the tags, by their own names."""
    metrics, params, tags = (_of(table, prefix) for prefix in ("metrics.", "params.", "tags."))
    if len(metrics.columns) and "run_id" in table:
        return metrics, params, tags
    prefix = next((each for each in _CONFIG if _has_settings_behind(each, table)), "")
    names = _named(table, prefix) if prefix else []
    others = table[table.columns.difference(names, sort=False)]
    is_result = [_are_results(name, others[name]) for name in others]
    results = others.loc[:, is_result]
    if not names:
        return results, table, table[[]]
    return results, _of(table, prefix), others.loc[:, [not each for each in is_result]]


def _has_settings_behind(prefix: str, table: pd.DataFrame) -> bool:
    """Return whether only the columns with this prefix are settings: see _CONFIG."""
    marks = _CONFIG[prefix]
    is_such = any(name == mark or name.startswith(mark) for name in table for mark in marks)
    return is_such and bool(_named(table, prefix))


def _of(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return the columns with a prefix, without it."""
    names = {name: name.removeprefix(prefix) for name in _named(table, prefix)}
    return table[list(names)].rename(columns=names)


def _named(table: pd.DataFrame, prefix: str) -> list[str]:
    """Return the columns whose names begin so."""
    return [name for name in table if name.startswith(prefix)]


def _order(table: pd.DataFrame) -> np.ndarray:
    """Return the positions of the rows, those of the oldest runs first if a column says so."""
    lower = {name.lower(): name for name in table}
    for name in [lower[start] for start in _STARTS if start in lower]:
        began = table[name]
        if not pd.api.types.is_numeric_dtype(began):  # of 03/04/2026 nobody knows the day
            began = pd.to_datetime(began, errors="coerce", utc=True, format="ISO8601")
        if began.notna().all():
            return np.argsort(began.to_numpy(), kind="stable")
    return np.arange(len(table))


def _ids(table: pd.DataFrame) -> pd.Index:
    """Return what each row is called: the line of a file, or `row LABEL`."""
    labels = [str(label) for label in table.index]
    if not all(label.startswith(("line ", "row ")) for label in labels):
        labels = [f"row {clean(label, 50)}" for label in labels]
    if len(set(labels)) < len(labels):
        labels = [f"row {i}" for i in range(len(labels))]  # from 0, as pandas counts
    return pd.Index(labels, name="run_id")


def _are_results(name: str, column: pd.Series) -> bool:
    """Return whether most values of a column are numbers; no truth value and no seed is a result.

    A single text among the numbers makes a column of texts.
    """
    if is_named_like_a_seed(name) or pd.api.types.is_bool_dtype(column):
        return False
    return bool(_as_numbers(column).notna().sum() > column.notna().sum() / 2)


def _as_numbers(column: pd.Series) -> pd.Series:
    """Return the column's numbers, NaN for all else; of texts that all end in %, the percents."""
    if pd.api.types.is_complex_dtype(column):
        return pd.Series(np.nan, column.index)
    values = column.astype(object)
    if _are_percents(column):
        values = values.where(values.isna(), values.astype(str).str.strip().str.removesuffix("%"))
    return pd.to_numeric(values, errors="coerce").astype(float)


def _are_percents(column: pd.Series) -> bool:
    """Return whether all of a column's texts end in %."""
    known = column.dropna().astype(object)
    return len(known) > 0 and all(str(value).strip().endswith("%") for value in known)


def _chosen(measured: pd.DataFrame, table: pd.DataFrame, metric: str | None, what: str) -> str:
    """Return the column that is compared: unless it was asked for, one with decimal numbers.

    Raises UserError if there is none, and DataError if another column is more likely to be meant
    but has other text beside its numbers.
    """
    if metric is not None:
        return metric if metric in table else chosen_metric(measured, metric)
    decimal = [name for name in measured if (_as_numbers(measured[name]).dropna() % 1 != 0).any()]
    if not len(measured.columns):
        for name in table:
            if _begin_with_numbers(table[name]):
                _numbers(table[name].set_axis(_ids(table)), what)
        raise DataError(f"{what}: no column holds numbers\nColumns: {first_of(list(table))}")
    chosen = chosen_metric(decimal or measured, metric)
    if direction_notes(chosen):  # its name is not one of a metric: perhaps another column's is
        for name in table.columns.difference(measured.columns):
            if not direction_notes(name) and _begin_with_numbers(table[name]):
                _numbers(table[name].set_axis(_ids(table)), what)
    return chosen


def _begin_with_numbers(column: pd.Series) -> bool:
    """Return whether all texts of a column begin with a number, as `0.9 +- 0.01` does."""
    texts = column.dropna().astype(str)
    return bool(len(texts) and texts.str.match(r"\s*[-+\u2212]?\d*[.,' \u00a0\u202f]?\d").all())


def _numbers(column: pd.Series, what: str) -> pd.Series:
    """Return the column's numbers, NaN where there is none. Raises DataError for other text."""
    numbers = _as_numbers(column)
    wrong = column[numbers.isna() & column.notna() & (column.astype(str).str.strip() != "")]
    if len(wrong):
        found = clean(repr(wrong.iloc[0]), 60)
        more = f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        raise DataError(
            f"{what}: expected numbers in the column {column.name}, found {found} "
            f"({wrong.index[0]}{more})"
        )
    return numbers


def _are_states(name: str, column: pd.Series) -> bool:
    """Return whether a column says how each run has ended, as W&B's `State` does."""
    if name.rpartition(".")[2].lower() not in ("state", "status"):
        return False
    words = {str(text).lower() for text in column.dropna().unique()}
    known = words & {*_FINISHED, *_OTHER_STATES}
    has_ended = not known.isdisjoint({*_FINISHED, _RAYS_FINISHED.lower()})
    return known == words or (has_ended and 2 * len(known) >= len(words))


def _status(text: object) -> str:
    word = str(text).lower()
    has_ended = word in (*_FINISHED, "nan", "none", "<na>") or text == _RAYS_FINISHED
    return "finished" if has_ended else clean(word, 50)


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
    return printable(encode(value))
