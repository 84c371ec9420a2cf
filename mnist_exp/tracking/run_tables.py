"""Runs of MLflow as pandas tables, with printable texts and present names."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from mnist_exp.own_code.code import DIGEST_TAG
from mnist_exp.sweeper.foreign_text import clean, printable
from mnist_exp.tracking.metric_names import present
from mnist_exp.tracking.params import with_length
from mnist_exp.tracking.status import FAILURE_REASON, RESUMED

if TYPE_CHECKING:
    from mlflow.entities import Run

_TRIAL_STATUS = {"PRUNED": "pruned", "WAITING": "waiting", "FAIL": "failed"}


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Tables indexed by run id, the oldest run first."""

    info: pd.DataFrame
    """name, status (of MLflow, or the trial's state in small letters), seed ("" if none), reason
    (of a failure), artifacts (URI), experiment (id), seconds (NaN: see `_seconds`), and the
    digests of the images `train`, `validation` and `test` ("" if not recorded)."""
    params: pd.DataFrame
    """Texts, NaN where a run has no such param."""
    tags: pd.DataFrame
    """Texts, NaN where a run has no such tag."""
    metrics: pd.DataFrame
    """The last value of each metric."""
    repeats: int = 0
    """Reruns that were left out: the same config, seed and result as the run they repeat."""
    in_percent: bool = False
    """Whether the metric is a column of a table in which each value ends in a percent sign."""


def tables(runs: Sequence["Run"], repeats: int) -> Runs:
    """Return the tables of these runs; so many reruns were left out."""
    info = [
        {
            "name": clean(run.info.run_name or run.info.run_id[:8], 250),
            "status": _status(run),
            "seed": clean(run.data.tags.get("seed", run.data.params.get("seed", "")), 50),
            "reason": _first_line(run.data.tags.get(FAILURE_REASON, "")),
            "artifacts": run.info.artifact_uri or "",
            "experiment": run.info.experiment_id,
            "started": pd.Timestamp(run.info.start_time or 0, unit="ms"),
            "seconds": _seconds(run),
            **dict.fromkeys(("train", "validation", "test"), ""),
            **_digests(run),
        }
        for run in runs
    ]
    ids = [run.info.run_id for run in runs]
    return Runs(
        info=pd.DataFrame(info, index=pd.Index(ids, name="run_id")),
        params=_table([_printable(_params(run)) for run in runs], ids, object),
        tags=_table([_printable(run.data.tags) for run in runs], ids, object),
        metrics=_table([_present(run.data.metrics) for run in runs], ids, float),
        repeats=repeats,
    )


def _digests(run: "Run") -> dict[str, str]:
    """Return {what for: digest} of the run's images: train, validation or test."""
    logged = [] if run.inputs is None else run.inputs.dataset_inputs
    return {
        tag.value: printable(entry.dataset.digest)
        for entry in logged
        for tag in entry.tags
        if tag.key == "mlflow.data.context" and tag.value in ("train", "validation", "test")
    }


def _seconds(run: "Run") -> float:
    """Return how long the run took.

    NaN if it has not ended, if it was stopped and continued, as the time between is not its own,
    and if the clock was set back.
    """
    start, end = run.info.start_time, run.info.end_time
    is_whole = run.data.tags.get(RESUMED, "0") == "0" and str(run.info.status) != "RUNNING"
    is_known = start is not None and end is not None and start <= end
    return (end - start) / 1000 if is_whole and is_known else math.nan


def _table(rows: Sequence[Mapping[str, Any]], ids: Sequence[str], kind: type) -> pd.DataFrame:
    return pd.DataFrame.from_records(rows, index=pd.Index(ids, name="run_id")).astype(kind)


def _present(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return a run's metrics by their present names."""
    return {present(name): value for name, value in metrics.items()}


def _params(run: "Run") -> dict[str, str]:
    """Return the run's params; older runs say None for a name that the run has all the same.

    They have the length of a run that was made longer, and the digest of the user's own code, which
    decides a result as a setting does.
    """
    params = with_length(run.data.params, run.data.tags)
    if DIGEST_TAG in run.data.tags:
        params[DIGEST_TAG] = run.data.tags[DIGEST_TAG]
    names = {"variant": run.data.tags.get("variant"), "run_name": run.info.run_name}
    for key, name in names.items():
        if key in params and name:
            params[key] = name
        elif params.get(key) == "None":
            del params[key]
    return params


def _first_line(text: str) -> str:
    return clean((text.strip().splitlines() or [""])[0])


def _printable(texts: Mapping[str, str]) -> dict[str, str]:
    """Return params or tags as they can be shown: without control characters and line ends."""
    return {printable(key): printable(text) for key, text in texts.items()}


def _status(run: "Run") -> str:
    """Return MLflow's status, or a trial's own state where MLflow has no word for it."""
    trial_state = run.data.tags.get("trial_state", "")
    return _TRIAL_STATUS.get(trial_state) or str(run.info.status).lower()
