"""Runs read straight from MLflow's SQLite file: MLflow itself takes over a second to load.

`SqliteClient` answers the questions about runs as MLflow's own client does, from tables whose form
the tests know, and has MLflow's client for all the rest.
"""

import json
import math
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes

from mnist_exp.outside.uris import sqlite_file, sqlite_uri
from mnist_exp.sweeper.database import WAIT_SECONDS
from mnist_exp.tracking.sqlite_filters import Condition, condition_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

SCHEMA = "dc11669786a5"  # Alembic's name for the tables of MLflow 3.17
_ORDERS = {  # by the `order_by` of MLflow's search
    (): "start_time DESC, run_uuid",
    ("attributes.start_time ASC",): "start_time IS NULL, start_time, run_uuid",
}
_INFO = ("run_id", "run_name", "experiment_id", "status", "start_time", "end_time", "artifact_uri")
_NUMBER = "CASE WHEN is_nan THEN NULL ELSE value END"  # MLflow writes NaN as 0, with a mark
_VALUES = """
SELECT run_uuid, key, {value} FROM {table} WHERE run_uuid IN (SELECT run_uuid FROM selected)
ORDER BY run_uuid, rowid"""
_INPUTS = """
SELECT destination_id, source_id, datasets.digest, input_tags.name, input_tags.value
FROM inputs JOIN datasets ON inputs.source_id = datasets.dataset_uuid
LEFT JOIN input_tags ON input_tags.input_uuid = inputs.input_uuid
WHERE destination_type = 'RUN' AND destination_id IN (SELECT run_uuid FROM selected)
ORDER BY destination_id"""


class Found(list[Any]):
    """All that a search finds, as one page of MLflow's, after which there is none."""

    token = None


class SqliteClient:
    """An MLflow client of a local SQLite file that loads MLflow only for what it cannot read.

    Its runs and experiments have only those parts of MLflow's that this project reads.
    """

    def __init__(self, file: Path, make_client: Callable[[], "MlflowClient"]) -> None:
        self.tracking_uri = sqlite_uri(file)
        self._file = file
        self._make_client = make_client

    @cached_property
    def _mlflow(self) -> "MlflowClient":
        return self._make_client()

    def __getattr__(self, name: str) -> Any:
        """Return what only MLflow's client has."""
        return getattr(self._mlflow, name)

    def search_experiments(self, *, page_token: str | None = None) -> Any:
        """Return all experiments that are not deleted, the newest first."""
        with suppress(sqlite3.Error), opened(self._file) as connection:
            return Found(_experiments(connection, "lifecycle_stage = 'active'", ()))
        return self._mlflow.search_experiments(page_token=page_token)

    def get_experiment(self, experiment_id: str) -> Any:
        """Return an experiment, deleted or not."""
        with suppress(sqlite3.Error), opened(self._file) as connection:
            if found := _experiments(connection, "experiment_id = ?", (int(experiment_id),)):
                return found[0]
        return self._mlflow.get_experiment(experiment_id)

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str = "",
        *,
        order_by: Sequence[str] = (),
        **paging: Any,
    ) -> Any:
        """Return all runs that meet the filter, without deleted ones; MLflow's pages if asked."""
        condition, order = condition_of(filter_string), _ORDERS.get(tuple(order_by))
        if condition is not None and order is not None and not any(paging.values()):
            with suppress(sqlite3.Error), opened(self._file) as connection:
                return Found(_runs(connection, experiment_ids, condition, order))
        return self._mlflow.search_runs(
            list(experiment_ids), filter_string, order_by=list(order_by), **paging
        )

    def points(
        self, run_ids: Sequence[str], metric: str, most: int
    ) -> list[tuple[str, int, int, float]] | None:
        """Return (run id, step, timestamp, value) of a metric's values, None if MLflow has to."""
        query = (
            f"SELECT run_uuid, step, timestamp, {_NUMBER} FROM metrics WHERE key = ? "
            "AND run_uuid IN (SELECT value FROM json_each(?)) "
            "ORDER BY run_uuid, timestamp, step, value LIMIT ?"
        )
        values = (metric, json.dumps(list(run_ids)), most)
        with suppress(sqlite3.Error), opened(self._file) as connection:
            rows = connection.execute(query, values)
            return [(run, step, at, _float(value)) for run, step, at, value in rows]
        return None


def file_to_read(uri: str) -> Path | None:
    """Return the file of a store that `SqliteClient` can read, None for any other store."""
    file = sqlite_file(uri)
    if file is None or uri != sqlite_uri(file):
        return None
    if os.environ.get("MLFLOW_ENABLE_WORKSPACES", "false").lower() not in ("false", "0"):
        return None  # MLflow then shows the runs of one workspace alone
    with suppress(sqlite3.Error), opened(file) as connection:
        versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return file if versions == [(SCHEMA,)] else None
    return None


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """Open the file to read it in one transaction: what others write meanwhile is not seen."""
    path = quote_from_bytes(str(file).encode(errors="surrogateescape"))
    address = f"file:{path}?mode=ro"
    with closing(
        sqlite3.connect(address, uri=True, isolation_level=None, timeout=WAIT_SECONDS)
    ) as connection:
        connection.execute("BEGIN")
        yield connection


def _experiments(
    connection: sqlite3.Connection, condition: str, values: tuple[int, ...]
) -> list[SimpleNamespace]:
    """Return the experiments that meet a condition, with their tags."""
    experiments = connection.execute(
        f"SELECT experiment_id, name FROM experiments WHERE {condition} "
        "ORDER BY creation_time DESC, experiment_id",
        values,
    ).fetchall()
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    for number, key, value in connection.execute(
        "SELECT experiment_id, key, value FROM experiment_tags"
    ):
        tags[number][key] = value
    return [
        SimpleNamespace(experiment_id=str(number), name=name, tags=tags[number])
        for number, name in experiments
    ]


def _runs(
    connection: sqlite3.Connection, experiment_ids: Sequence[str], condition: Condition, order: str
) -> list[SimpleNamespace]:
    """Return the runs of these experiments that meet a condition, in an order of SQL's."""
    selected = (
        "WITH selected AS (SELECT * FROM runs WHERE lifecycle_stage = 'active' "
        "AND experiment_id IN (SELECT CAST(value AS INTEGER) FROM json_each(?)) "
        f"AND {condition.sql}) "
    )

    def rows(query: str) -> Iterator[tuple[Any, ...]]:
        values = (json.dumps(list(experiment_ids)), *condition.values)
        return connection.execute(selected + query, values)

    def by_run(table: str, value: str = "value") -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        for run_id, key, text in rows(_VALUES.format(table=table, value=value)):
            found[run_id][key] = text
        return found

    tags, params, metrics = by_run("tags"), by_run("params"), by_run("latest_metrics", _NUMBER)
    inputs = _inputs(rows(_INPUTS))
    columns = "run_uuid, name, experiment_id, status, start_time, end_time, artifact_uri"
    runs = []
    for row in rows(f"SELECT {columns} FROM selected ORDER BY {order}"):
        info = SimpleNamespace(**dict(zip(_INFO, row, strict=True)))
        info.run_name = info.run_name or tags[info.run_id].get("mlflow.runName")
        info.experiment_id = str(info.experiment_id)
        data = SimpleNamespace(
            tags=tags[info.run_id],
            params=params[info.run_id],
            metrics={key: _float(value) for key, value in metrics[info.run_id].items()},
        )
        read = SimpleNamespace(dataset_inputs=list(inputs[info.run_id].values()))
        runs.append(SimpleNamespace(info=info, data=data, inputs=read))
    return runs


def _inputs(rows: Iterator[tuple[Any, ...]]) -> dict[str, dict[str, SimpleNamespace]]:
    """Return {run id: {dataset: what the run read of it and what for}} of the rows of `_INPUTS`."""
    found: dict[str, dict[str, SimpleNamespace]] = defaultdict(dict)
    for run_id, source, digest, key, value in rows:
        new = SimpleNamespace(dataset=SimpleNamespace(digest=digest), tags=[])
        entry = found[run_id].setdefault(source, new)
        if key is not None:
            entry.tags.append(SimpleNamespace(key=key, value=value))
    return found


def _float(value: float | None) -> float:
    return math.nan if value is None else value
