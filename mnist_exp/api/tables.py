"""Recorded runs as pandas tables: `runs` has a row for each run, `history` one for each value."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from mnist_exp.api.mistakes import InTwoLines
from mnist_exp.errors import ConfigError, UserError, did_you_mean, require_texts
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    from mnist_exp.tracking.runs import Runs

_INFO = ("name", "status", "seed", "seconds", "started")
_URI = "mnist_exp.uri"  # the attribute of a table that says which store its runs are from


def runs(
    study: str | None = None,
    experiment: str | None = None,
    filter: str | None = None,
    uri: str | None = None,
) -> pd.DataFrame:
    """Return a row for each run that meets every condition given, the oldest first.

    The index is the run's id. Columns are the run's name, status, seed, seconds and start (in UTC);
    then the settings that differ among these runs; the last value of each metric, such as
    `val/accuracy`; the settings that are the same; tags, each as `tags.NAME`; and the load of the
    machine. Settings are numbers, truth values, lists, texts, or None.

    study, experiment, filter: as `python -m mnist_exp.compare` has them
    uri: the store, as `tracking.uri`

    Raises UserError if no run meets the conditions or the store cannot be read.
    """
    from mnist_exp.tracking.runs import Selection

    require_texts("runs", study=study, experiment=experiment, filter=filter, uri=uri)
    return selected(Selection(study=study, experiment=experiment, filter=filter), uri)


def selected(selection: Any, uri: str | None) -> pd.DataFrame:
    """Return the table of the runs of a `tracking.runs.Selection`. Raises UserError."""
    from mnist_exp.tracking.runs import Store

    with InTwoLines():
        store = Store(uri)
        found = store.select(store.resolved(selection), with_reruns=True)
        table = _table(found)
    table.attrs[_URI] = store.uri
    return table


def history(runs: Any, metric: str | Sequence[str], uri: str | None = None) -> pd.DataFrame:
    """Return every value of a metric, or of several: columns run_id, metric, step and value.

    The step of an epoch's metric is the epoch, from 1; that of `train/step_cost` and
    `train/batch_accuracy` is the training step.

    runs: a table of `runs` or a part of it, a result of `run`, the id of a run, or several of these
    uri: the store, as `tracking.uri`; that of the table, if not given

    Raises UserError if no run has the metric or the store cannot be read.
    """
    from mnist_exp.tracking.runs import Selection, Store

    one = isinstance(metric, str) or not isinstance(metric, Iterable)
    several: Iterable[Any] = [metric] if one else metric
    metrics = [name for name in several if name is not None]
    for name in metrics:
        require_texts("history", metric=name, uri=uri)
    with InTwoLines():
        ids = _ids(runs)
        if not metrics:
            raise ConfigError("history: expected the name of a metric, found none")
        store = Store(uri if uri is not None else _store_of(runs))
        known = store.select(Selection(run_ids=tuple(ids)), with_reruns=True).metrics.columns
        for name in metrics:
            if name not in known:
                others = sorted(one for one in known if not one.startswith("system/"))
                raise UserError(
                    f"{clean(name, 100)}: no run has this metric{did_you_mean(name, known)}\n"
                    f"Metrics: {', '.join(clean(one, 100) for one in others) or 'none'}"
                )
        parts = [store.values(ids, name).assign(metric=name) for name in metrics]
    table = pd.concat(parts)[["run_id", "metric", "step", "value"]]
    order = {run_id: position for position, run_id in enumerate(ids)}
    # A stable sort keeps the metrics and the steps in their order.
    return table.sort_values(
        "run_id", key=lambda ids: ids.map(order), kind="stable", ignore_index=True
    )


def _store_of(runs: Any) -> str | None:
    """Return where the runs are that `history` was given; None if they are only ids."""
    one = runs[0] if isinstance(runs, list) else runs
    uri: str | None = getattr(one, "attrs", {}).get(_URI, getattr(one, "uri", None))
    return uri


def _ids(runs: Any) -> list[str]:
    """Return the ids of the runs that `history` was given. Raises ConfigError for none."""
    if isinstance(runs, pd.DataFrame):
        ids = list(runs.get("run_id", runs.index))
    elif isinstance(runs, str) or hasattr(runs, "run_id"):
        ids = [getattr(runs, "run_id", runs)]
    else:
        ids = [getattr(one, "run_id", one) for one in runs] if isinstance(runs, Iterable) else []
    if not ids or not all(isinstance(one, str) for one in ids):
        found = f"none in a {type(runs).__name__}" if not ids else repr(ids[0])
        raise ConfigError(
            f"history: expected a table of runs(), results of run() or run ids, found "
            f"{clean(found, 100)}"
        )
    return list(dict.fromkeys(ids))


def _table(found: "Runs") -> pd.DataFrame:
    """Return one table of the runs' names, settings, metrics and tags."""
    varied = [key for key in found.params if found.params[key].nunique(dropna=False) > 1]
    params = found.params.apply(_typed)
    info = found.info[list(_INFO)].assign(seed=_typed(found.info["seed"]))
    tags = found.tags[[key for key in found.tags if not key.startswith("mlflow.")]]
    of_machine = [name for name in found.metrics if name.startswith("system/")]
    parts = [
        info,
        params[varied],
        found.metrics.drop(columns=of_machine),
        params.drop(columns=varied),
        tags.add_prefix("tags."),
        found.metrics[of_machine],
    ]
    table = pd.concat(parts, axis=1)
    return table.loc[:, ~table.columns.duplicated()]


def _typed(texts: pd.Series) -> pd.Series:
    """Return the values whose texts were recorded for a setting; None also where a run has none."""
    from mnist_exp.config.typed_text import text_keys
    from mnist_exp.tracking.params import decode

    is_text = texts.name in text_keys()
    known = [text if isinstance(text, str) else "None" for text in texts]
    values = [text if is_text and text != "None" else decode(text) for text in known]
    return pd.Series(values, texts.index, object).infer_objects()
