"""Runs of an MLflow store as pandas tables, in a number of queries that does not grow with the runs."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from mnist_exp.errors import UserError, first_line
from mnist_exp.outside.foreign_files import MAX_TEXT_BYTES, read, read_artifacts
from mnist_exp.outside.uris import local_path
from mnist_exp.sweeper.foreign_text import clean, printable
from mnist_exp.tracking.routes import advice
from mnist_exp.tracking.store import ELSEWHERE, named, shortened, uri_to_read

PREDICTIONS_BYTES = 2**28  # of a run's predictions on its test images: three million of them
_PAGE = 1000
_MOST_POINTS = 1_000_000  # of a metric over all runs asked for
_LARGEST_FLOAT = 1.797e308  # MLflow stores an infinity as the largest float


@dataclass(frozen=True)
class Selection:
    """Which runs: all that every given condition allows; `run_ids` empty is no condition."""

    study: str | None = None
    experiment: str | None = None
    filter: str | None = None
    run_ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [
            f"study {self.study}" if self.study else "",
            f"experiment {self.experiment}" if self.experiment else "",
            self.filter or "",
            f"{len(self.run_ids)} runs by id" if self.run_ids else "",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Runs:
    """Tables indexed by run id, the oldest run first.

    `info`: name, status (of MLflow, or the trial's state in small letters), seed ("" if none), reason
    (of a failure), artifacts (URI). `params` and `tags`: text, NaN where a run has none. `metrics`: last values.
    """

    info: pd.DataFrame
    params: pd.DataFrame
    tags: pd.DataFrame
    metrics: pd.DataFrame
    repeats: int = (
        0  # reruns that were left out: the same config, seed and result as the run they repeat
    )


@dataclass(frozen=True)
class Predictions:
    """Of one run on its test images: label and prediction [N], probability [N, classes]."""

    label: NDArray[np.integer]
    prediction: NDArray[np.integer]
    probability: NDArray[np.floating]


class NoRuns(UserError):
    """A selection that is sound, but that no run meets."""


class Store:
    """Reads an MLflow store; raises UserError where it cannot."""

    def __init__(self, uri: str | None = None) -> None:
        self.uri = uri_to_read(uri)
        self._client = mlflow.MlflowClient(self.uri)

    def select(self, selection: Selection) -> Runs:
        """Runs of the selection, without studies' parents and reruns. Raises NoRuns if there are none."""
        try:
            experiments = self._experiments(selection)
            found = self._search(experiments, self._conditions(selection))
            if selection.study is not None:
                found = [run for run in found if run.data.tags.get("study_name") == selection.study]
            if not found:
                raise NoRuns(self._nothing(selection, experiments))
        except MlflowException as error:
            where = f"--filter {selection.filter}" if selection.filter else named(self.uri)
            said = first_line(error)
            raise UserError(f"{where}: MLflow cannot use it ({said})") from error
        if unknown := set(selection.run_ids) - {run.info.run_id for run in found}:
            raise UserError(f"{min(unknown)}: no such run in {shortened(self.uri)}\n{ELSEWHERE}")
        kept = [run for run in found if run.data.tags.get("study_role") != "study"]
        if not kept:
            study = shlex.quote(found[0].data.tags.get("study_name", ""))
            raise UserError(f"only a study's parent run is selected; its trials: --study {study}")
        first = [run for run in kept if "rerun_of" not in run.data.tags]
        return _tables(first or kept, len(kept) - len(first) if first else 0)

    def _experiments(self, selection: Selection) -> list[str]:
        experiments = self._client.search_experiments()
        if selection.experiment is None:
            return [experiment.experiment_id for experiment in experiments]
        ids = {experiment.name: experiment.experiment_id for experiment in experiments}
        if selection.experiment not in ids:
            from mnist_exp.errors import did_you_mean

            raise UserError(
                f"--experiment {selection.experiment}: no such experiment{did_you_mean(selection.experiment, ids)}\n"
                f"Experiments: {_listed(sorted(ids))}"
            )
        return [ids[selection.experiment]]

    def _conditions(self, selection: Selection) -> str:
        conditions = []
        if selection.study is not None:
            quotes = [quote for quote in "'\"" if quote not in selection.study]
            if (
                quotes
            ):  # MLflow's filters cannot quote a name with both; `select` looks at each run anyway
                conditions.append(f"tags.study_name = {quotes[0]}{selection.study}{quotes[0]}")
        if selection.filter:
            conditions.append(selection.filter)
        if selection.run_ids:
            ids = ", ".join("'" + run_id.replace("'", "") + "'" for run_id in selection.run_ids)
            conditions.append(f"attributes.run_id IN ({ids})")
        return " and ".join(conditions)

    def _search(self, experiments: list[str], condition: str) -> list[Any]:
        found: list[Any] = []
        token = None
        while True:
            page = self._client.search_runs(
                experiments,
                condition,
                max_results=_PAGE,
                page_token=token,
                order_by=["attributes.start_time ASC"],
            )
            found += page
            token = page.token
            if not token:
                return found

    def _nothing(self, selection: Selection, experiments: list[str]) -> str:
        if selection.study is not None:
            parents = self._search(experiments, "tags.study_role = 'study'")
            names = sorted(
                {run.data.tags["study_name"] for run in parents if "study_name" in run.data.tags}
            )
            if selection.study not in names:
                from mnist_exp.errors import did_you_mean

                return (
                    f"--study {selection.study}: no such study{did_you_mean(selection.study, names)}\n"
                    f"Studies: {_listed(names)}"
                )
        return f"no runs are selected by {selection}\n{shortened(self.uri)}: {ELSEWHERE}"

    def history(self, run_ids: Sequence[str], metric: str) -> pd.DataFrame:
        """Columns run_id, step, value: the last value logged at each step, without those that are not finite."""
        try:
            rows = self._points(run_ids, metric)
        except MlflowException as error:
            said = first_line(error)
            raise UserError(
                f"{named(self.uri)}: cannot be read ({said}){advice(self.uri, error)}"
            ) from error
        table = pd.DataFrame(rows, columns=["run_id", "step", "timestamp", "value"])
        table = table.sort_values(["run_id", "step", "timestamp"]).drop_duplicates(
            ["run_id", "step"], keep="last"
        )
        return table[np.abs(table["value"]) < _LARGEST_FLOAT][["run_id", "step", "value"]]

    def _points(self, run_ids: Sequence[str], metric: str) -> list[tuple[str, int, int, float]]:
        bulk = getattr(self._client._tracking_client.store, "get_metric_history_bulk", None)
        if bulk is not None:  # a database answers for all runs at once; a server is asked for each
            found = [(m.run_id, m) for m in bulk(list(run_ids), metric, _MOST_POINTS)]
        else:
            found = [
                (run, m) for run in run_ids for m in self._client.get_metric_history(run, metric)
            ]
        return [(run, m.step, m.timestamp, m.value) for run, m in found]

    def artifact(self, runs: Runs, run_id: str, path: str) -> bytes | None:
        """None where the run has no such artifact, or one that is too large to be ours."""
        most = PREDICTIONS_BYTES if path.endswith(".npz") else MAX_TEXT_BYTES
        uri = runs.info.at[run_id, "artifacts"]
        try:
            if uri and (folder := local_path(uri)):
                return read(folder / path, most)
            return read_artifacts(self._client, run_id, {path: most}).get(path)
        except (OSError, ValueError, MlflowException):
            return None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(clean(name, 100) for name in names[:20])
    return f"{shown}{f' and {len(names) - 20} more' if len(names) > 20 else ''}" or "none"


def _tables(found: list[Any], repeats: int) -> Runs:
    ids = [run.info.run_id for run in found]
    if len(set(ids)) != len(ids):
        found = list({run.info.run_id: run for run in found}.values())
        ids = [run.info.run_id for run in found]
    info = pd.DataFrame(
        {
            "name": [clean(run.info.run_name or run.info.run_id[:8], 250) for run in found],
            "status": [_status(run) for run in found],
            "seed": [
                clean(run.data.tags.get("seed", run.data.params.get("seed", "")), 50)
                for run in found
            ],
            "reason": [_first_line(run.data.tags.get("failure_reason", "")) for run in found],
            "artifacts": [run.info.artifact_uri or "" for run in found],
        },
        index=pd.Index(ids, name="run_id"),
    )
    return Runs(
        info,
        _wide([_shown(_params(run)) for run in found], ids, object),
        _wide([_shown(run.data.tags) for run in found], ids, object),
        _wide([dict(run.data.metrics) for run in found], ids, float),
        repeats,
    )


def _params(run: Any) -> dict[str, str]:
    """The run's params, with the names that the run has where older runs say only that the setting was null."""
    params = dict(run.data.params)
    for key, name in {
        "variant": run.data.tags.get("variant"),
        "run_name": run.info.run_name,
    }.items():
        if key in params and name:
            params[key] = name
        elif params.get(key) == "None":
            del params[key]
    return params


def _wide(rows: Sequence[Mapping[str, Any]], ids: Sequence[str], kind: type) -> pd.DataFrame:
    return pd.DataFrame.from_records(rows, index=pd.Index(ids, name="run_id")).astype(kind)


def _first_line(text: str) -> str:
    return clean((text.strip().splitlines() or [""])[0])


def _shown(texts: Mapping[str, str]) -> dict[str, str]:
    """Params or tags as they can be shown: no control characters, no line ends."""
    return {printable(key): printable(text) for key, text in texts.items()}


def _status(run: Any) -> str:
    """A trial's own state where it says more: a pruned trial's run is KILLED, one that will be gone on with too."""
    state = run.data.tags.get("trial_state", "")
    own = {"PRUNED": "pruned", "WAITING": "waiting", "FAIL": "failed"}.get(state)
    return own or str(run.info.status).lower()


def is_finite(values: pd.Series) -> pd.Series:
    """Whether each is a number; MLflow keeps infinities as the largest float."""
    return values.notna() & (values.abs() < _LARGEST_FLOAT)


def swept_keys(runs: Runs) -> list[str]:
    """What the studies of the runs vary, but for the seed, in the study's order."""
    if "sweep.keys" not in runs.tags:
        return []
    texts: Iterable[str] = runs.tags["sweep.keys"].dropna().unique()
    return list(dict.fromkeys(key for text in texts for key in text.split() if key != "seed"))
