"""Runs of an MLflow store as pandas tables, in a number of queries that does not grow with them."""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from mnist_exp.errors import UserError, first_line
from mnist_exp.outside.foreign_files import MAX_TEXT_BYTES, read, read_artifacts
from mnist_exp.outside.paging import all_pages
from mnist_exp.outside.printing import plural
from mnist_exp.outside.uris import local_path
from mnist_exp.tracking import predictions
from mnist_exp.tracking.addresses import ELSEWHERE, shortened
from mnist_exp.tracking.experiment_ids import experiment_id, experiment_ids
from mnist_exp.tracking.find_run import find_run
from mnist_exp.tracking.links import runs_page
from mnist_exp.tracking.recorded_code import read_sources, recorded_code
from mnist_exp.tracking.run_tables import Runs, tables
from mnist_exp.tracking.sqlite_runs import SqliteClient
from mnist_exp.tracking.store import answering, client_to_read, mlflow_errors, named
from mnist_exp.tracking.studies import find_study, studies_beginning, study_name
from mnist_exp.tracking.views import results_page

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = ["NoRuns", "Runs", "Selection", "Store", "is_finite", "swept_keys"]

_MOST_POINTS = 1_000_000  # of a metric over all runs asked for
_LARGEST_FLOAT = 1.797e308  # MLflow stores an infinity as the largest float


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which runs: all that meet every condition given; an empty `run_ids` is none."""

    study: str | None = None
    experiment: str | None = None
    filter: str | None = None
    """A condition in MLflow's own words."""
    run_ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [
            f"study {self.study}" if self.study else "",
            f"experiment {self.experiment}" if self.experiment else "",
            self.filter or "",
            f"{plural(len(self.run_ids), 'run')} by id" if self.run_ids else "",
        ]
        return ", ".join(part for part in parts if part)


class NoRuns(UserError):
    """A selection that is sound, but that no run meets."""


class Store:
    """Reads an MLflow store; raises UserError where it cannot."""

    def __init__(self, uri: str | None = None) -> None:
        self._client = client_to_read(uri)
        self.uri: str = self._client.tracking_uri
        self._closed: set[str] = set()  # places of artifacts that cannot be asked

    def select(self, selection: Selection, *, with_reruns: bool = False) -> Runs:
        """Return the runs of the selection, without studies' parents and, unless asked for, reruns.

        A selection of reruns alone has them. Raises NoRuns if there are none, UserError if the
        store cannot be read, or has no such study, experiment or run.
        """
        try:
            experiments = self._experiments(selection)
            runs = self._search(experiments, _condition(selection))
            if selection.study is not None:
                runs = [run for run in runs if run.data.tags.get("study_name") == selection.study]
            if not runs:
                raise NoRuns(self._why_none(selection))
        except mlflow_errors() as error:
            where = f"--filter {selection.filter}" if selection.filter else named(self.uri)
            raise UserError(f"{where}: MLflow cannot use it ({first_line(error)})") from error
        if unknown := set(selection.run_ids) - {run.info.run_id for run in runs}:
            raise UserError(self._absent(min(unknown)))
        own = [run for run in runs if run.data.tags.get("study_role") != "study"]
        if not own and selection.study is not None:
            raise NoRuns(f"--study {selection.study}: no trial of this study has begun")
        if not own:
            study = shlex.quote(runs[0].data.tags.get("study_name", ""))
            raise UserError(f"only a study's parent run is selected; its trials: --study {study}")
        first = [run for run in own if with_reruns or "rerun_of" not in run.data.tags]
        return tables(first or own, repeats=len(own) - len(first) if first else 0)

    def those_of(self, run_ids: Sequence[str]) -> Runs | None:
        """Return those of the runs that are there; None if none is. Raises UserError."""
        with answering(self.uri, "read"):
            condition = _condition(Selection(run_ids=tuple(run_ids)))
            found = self._search(self._experiments(Selection()), condition)
        return tables(found, repeats=0) if found else None

    def resolved(self, selection: Selection) -> Selection:
        """Return the selection with the whole name of its study, of which the beginning is enough.

        Raises UserError if no study begins so, or several do.
        """
        if selection.study is None:
            return selection
        with answering(self.uri, "read"):
            experiments = self._experiments(Selection())
            found = all_pages(self._client.search_runs, experiments, _condition(selection))
            if any(run.data.tags.get("study_name") == selection.study for run in found):
                return selection
            study = find_study(self._client, selection.study, "--study")
        return replace(selection, study=study_name(study))

    def _experiments(self, selection: Selection) -> list[str]:
        """Return the ids of the experiments to search. Raises UserError for an unknown name."""
        if selection.experiment is None:
            return list(experiment_ids(self._client).values())
        return [experiment_id(self._client, selection.experiment)]

    def _search(self, experiments: list[str], condition: str) -> list["Run"]:
        """Return all runs that meet MLflow's condition, the oldest first, each once."""
        order = ["attributes.start_time ASC"]
        runs = all_pages(self._client.search_runs, experiments, condition, order_by=order)
        # A run that begins meanwhile may move the pages.
        return list({run.info.run_id: run for run in runs}.values())

    def _why_none(self, selection: Selection) -> str:
        if selection.study is not None:
            find_study(self._client, selection.study, "--study")
        for word in selection.run_ids:
            if studies_beginning(self._client, word):
                return f"{word}: no such run; did you mean --study {shlex.quote(word)}?"
        if selection == Selection():
            return f"there are no runs in {shortened(self.uri)}\n{ELSEWHERE}"
        if selection == Selection(run_ids=selection.run_ids):
            return self._absent(selection.run_ids[0])
        return f"no runs are selected by {selection}\n{shortened(self.uri)}: {ELSEWHERE}"

    def _absent(self, run_id: str) -> str:
        """Return why a run that was asked for is not found, and what can be done."""
        try:
            with answering(self.uri, "read"):
                find_run(self._client, run_id)
        except UserError as error:
            return str(error)
        return f"{run_id}: the run is there, but is not among those selected"

    def page(self, runs: Runs) -> str:
        """Return the address in MLflow's UI that shows the runs, or most of them, as a shared view.

        The runs of one study are shown alone; others among all runs of their experiment. Nothing is
        written into an experiment of other programs: MLflow shows it as it does anyway.
        """
        names = set(runs.tags["study_name"]) if "study_name" in runs.tags else set()
        study = names.pop() if len(names) == 1 else None
        experiment = str(runs.info["experiment"].mode()[0])
        if "config_hash" not in runs.tags:
            return runs_page(self.uri, experiment)
        is_one = isinstance(study, str)  # NaN: of none
        return results_page(self._client, experiment, study if is_one else None, swept_keys(runs))

    def history(self, run_ids: Sequence[str], metric: str) -> pd.DataFrame:
        """Return columns run_id, step, value: the last value at each step, finite ones only."""
        table = self.values(run_ids, metric)
        return table[is_finite(table["value"])]

    def values(self, run_ids: Sequence[str], metric: str) -> pd.DataFrame:
        """Return columns run_id, step, value: the last value at each step, whatever it is."""
        with answering(self.uri, "read"):
            rows = self._points(run_ids, metric)
        table = pd.DataFrame(rows, columns=["run_id", "step", "timestamp", "value"])
        table = table.sort_values(["run_id", "step", "timestamp"])
        table = table.drop_duplicates(["run_id", "step"], keep="last")
        return table[["run_id", "step", "value"]]

    def _points(self, run_ids: Sequence[str], metric: str) -> list[tuple[str, int, int, float]]:
        """Return (run id, step, timestamp, value) of all values of a metric."""
        if isinstance(self._client, SqliteClient):
            read = self._client.points(run_ids, metric, _MOST_POINTS)
            if read is not None:
                return read
        in_bulk = getattr(self._client._tracking_client.store, "get_metric_history_bulk", None)
        if in_bulk is not None:  # a database answers for all runs at once
            points = [(m.run_id, m) for m in in_bulk(list(run_ids), metric, _MOST_POINTS)]
        else:  # a server is asked for each
            history = self._client.get_metric_history
            points = [(run, m) for run in run_ids for m in history(run, metric)]
        return [(run, m.step, m.timestamp, m.value) for run, m in points]

    def artifact(self, runs: Runs, run_id: str, path: str) -> bytes | None:
        """Return a run's artifact, or None if it is missing or too large to be ours.

        A place whose library is not installed, or that asks for credentials which are not there, is
        asked once.
        """
        most = predictions.MOST_BYTES if path == predictions.ARTIFACT else MAX_TEXT_BYTES
        uri = runs.info.at[run_id, "artifacts"]
        place = "/".join(uri.split("/")[:3])  # s3://bucket
        if place in self._closed:
            return None
        try:
            if uri and (folder := local_path(uri)):
                return read(folder / path, most)
            return read_artifacts(self._client, run_id, {path: most}).get(path)
        except mlflow_errors(OSError, ValueError):
            return None
        except Exception:  # noqa: BLE001  # each place has a library of its own, with its own errors
            self._closed.add(place)
            return None

    def sources(self, runs: Runs, run_id: str) -> dict[str, bytes]:
        """Return the source of the user's own code in a run's record, by path; {} if unreadable."""
        tags = runs.tags.loc[run_id].dropna().to_dict()
        try:
            files = read_sources(self._client, run_id, tags)
        except mlflow_errors(OSError, ValueError):
            return {}
        return dict(recorded_code("", run_id, tags, files).sources)


def is_finite(values: pd.Series) -> pd.Series:
    """Return whether each is a number; MLflow keeps infinities as the largest float."""
    return values.notna() & (values.abs() < _LARGEST_FLOAT)


def swept_keys(runs: Runs) -> list[str]:
    """Return what the studies of the runs vary, except the seed, in the study's order."""
    if "sweep.keys" not in runs.tags:
        return []
    texts: Iterable[str] = runs.tags["sweep.keys"].dropna().unique()
    return list(dict.fromkeys(key for text in texts for key in text.split() if key != "seed"))


def _condition(selection: Selection) -> str:
    """Return the selection's conditions in MLflow's words."""
    conditions = []
    if selection.study is not None:
        quotes = [quote for quote in "'\"" if quote not in selection.study]
        # MLflow cannot quote a name that holds both; `select` looks at each run anyway.
        if quotes:
            conditions.append(f"tags.study_name = {quotes[0]}{selection.study}{quotes[0]}")
    if selection.filter:
        conditions.append(selection.filter)
    if selection.run_ids:
        # A text that no id can be is not asked for; `select` looks at each anyway.
        ids = ", ".join(f"'{re.sub(r'[^a-zA-Z0-9_-]', '', text)}'" for text in selection.run_ids)
        conditions.append(f"attributes.run_id IN ({ids})")
    return " and ".join(conditions)
