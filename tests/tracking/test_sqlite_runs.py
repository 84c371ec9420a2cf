"""What is read straight from MLflow's file is what MLflow's own client says of it."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.errors import UserError
from mnist_exp.outside.uris import sqlite_uri
from mnist_exp.tracking import store
from mnist_exp.tracking.runs import Selection, Store
from mnist_exp.tracking.sqlite_runs import SCHEMA, SqliteClient, file_to_read
from tests.support import foreign

WORDS = ("", " ", "a", "A", "lr", "it's", 'a "b"', "größe", "日本", "a/b", "a.b", "a%_", "x" * 200)
KEYS = ("a", "A", "lr", "a/b", "a.b c", "größe", "seed", "study_name", "x" * 200)
NUMBERS = (0.0, -0.0, 1.0, 1e-300, 5e-324, float("nan"), float("inf"), float("-inf"), 0.1, 2**60)
METRICS = ("a", "A", "a/b", "a.b c", "größe", "epoch")
ORDERS: tuple[list[str], ...] = ([], ["attributes.start_time ASC"])


def add_anything(folder: Path) -> None:
    """Add runs of several experiments that hold whatever MLflow takes; some are deleted."""
    rng = random.Random(0)
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    names = ("one", "it's two", "日本", "deleted")
    experiments = [client.create_experiment(name, tags={"k": name}) for name in names]
    digests = [Dataset(name, name * 3, "code", "{}") for name in "abc"]
    for number in range(40):
        run = client.create_run(
            rng.choice(experiments),
            start_time=rng.choice([0, 1, 5, 1000]),  # many begin at the same moment
            run_name=rng.choice(WORDS[1:]),
            tags={key: rng.choice(WORDS) for key in rng.sample(KEYS, 4)},
        )
        run_id = run.info.run_id
        params = [Param(key, rng.choice(WORDS)) for key in rng.sample(KEYS, 4)]
        tags = [RunTag(key, rng.choice(WORDS)) for key in rng.sample(KEYS, 2)]
        points = [
            Metric(rng.choice(METRICS), rng.choice(NUMBERS), rng.choice([0, 7]), rng.randint(-2, 3))
            for _ in range(20)
        ]
        unique = {(p.key, p.value, p.timestamp, p.step): p for p in points}  # MLflow takes no twins
        client.log_batch(run_id, [*unique.values()], params, tags)
        contexts = ("train", "validation", "test", "other")
        kinds = [[InputTag("mlflow.data.context", rng.choice(contexts))], []]
        used = [DatasetInput(d, rng.choice(kinds)) for d in rng.sample(digests, rng.randint(0, 3))]
        client.log_inputs(run_id, used)
        if number % 3:
            client.set_terminated(run_id, rng.choice(["FINISHED", "FAILED", "KILLED"]), 2000)
        if number % 7 == 0:
            client.delete_run(run_id)
    client.delete_experiment(experiments[-1])


def add_studies(folder: Path) -> None:
    runs = FakeRuns(folder)
    runs.study("it's one")
    runs.add(0, 0.9, tags=trial("it's one", 0, "seed"), images={"train": "d1", "test": "d2"})
    runs.add(1, [0.1, 0.9], costs=[float("inf"), 0.1])


def add_foreign(folder: Path) -> None:
    foreign.Foreign(folder).nested("nested")
    foreign.Foreign(folder).lightning("lightning")
    foreign.hydraflow(folder, "hydraflow")


def facts(run: Any) -> tuple[Any, ...]:
    """Return all that this project reads of a run, as texts: NaN is equal to itself, 0 not to -0.

    Params, tags and metrics keep their order, which is that of the columns of a table.
    """
    info = run.info
    read = [
        (entry.dataset.digest, [(tag.key, tag.value) for tag in entry.tags])
        for entry in run.inputs.dataset_inputs
    ]
    own = (info.run_id, info.run_name, info.experiment_id, info.status, info.artifact_uri)
    logged = [list(part.items()) for part in (run.data.params, run.data.tags, run.data.metrics)]
    return (*own, info.start_time, info.end_time, repr(logged), read)


def clients(folder: Path) -> tuple[SqliteClient, mlflow.MlflowClient]:
    def never() -> mlflow.MlflowClient:
        raise AssertionError("MLflow is asked")

    file = folder / "mlflow.db"
    return SqliteClient(file, never), mlflow.MlflowClient(sqlite_uri(file))


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("add", [add_anything, add_studies, add_foreign, lambda _: None])
def test_the_client_answers_as_mlflows(workdir: Path, add: Callable[[Path], None]) -> None:
    add(workdir)
    own, theirs = clients(workdir)
    experiments = theirs.search_experiments()
    assert [(e.experiment_id, e.name, e.tags) for e in own.search_experiments()] == [
        (e.experiment_id, e.name, e.tags) for e in experiments
    ]
    ids = [e.experiment_id for e in experiments]
    for chosen in (ids, ids[:1], [], [*ids, "4711"]):
        for order in ORDERS:
            expected = theirs.search_runs(chosen, order_by=order)
            found = own.search_runs(chosen, order_by=order)
            assert [facts(run) for run in found] == [facts(run) for run in expected]
            assert found.token is None
    everything = theirs.search_runs(ids)
    for entry in ids:
        assert own.get_experiment(entry).tags == theirs.get_experiment(entry).tags
    for metric in {name for run in everything for name in run.data.metrics} | {"no metric"}:
        run_ids = [run.info.run_id for run in everything]
        points = theirs._tracking_client.store.get_metric_history_bulk(run_ids, metric, 1000)
        course = [(p.run_id, p.step, p.timestamp, p.value) for p in points]
        assert repr(own.points(run_ids, metric, 1000)) == repr(course)
        assert repr(own.points(run_ids, metric, 3)) == repr(course[:3])


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("add", [add_studies, add_anything, add_foreign])
def test_the_tables_are_those_that_mlflow_gives(
    workdir: Path, add: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(workdir)
    direct = Store()
    assert isinstance(direct._client, SqliteClient)
    monkeypatch.setattr(store, "file_to_read", lambda _: None)
    through = Store()
    assert isinstance(through._client, mlflow.MlflowClient)
    for selection in (Selection(), Selection(filter="params.a = 'a'"), Selection(study="it's")):
        try:
            expected = through.select(through.resolved(selection))
        except UserError as error:
            with pytest.raises(type(error)) as raised:
                direct.select(direct.resolved(selection))
            assert str(raised.value) == str(error)
            continue
        found = direct.select(direct.resolved(selection))
        for part in ("info", "params", "tags", "metrics"):
            pd.testing.assert_frame_equal(getattr(found, part), getattr(expected, part))
        for metric in expected.metrics:
            pd.testing.assert_frame_equal(
                direct.values(found.info.index, metric), through.values(found.info.index, metric)
            )


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:1",
        "postgresql://me@localhost/runs",
        "sqlite:///{file}?timeout=3",
        "sqlite:///file:{file}?uri=true",
        "sqlite:///:memory:",
    ],
)
def test_other_stores_are_mlflows(workdir: Path, uri: str) -> None:
    file = workdir / "mlflow.db"
    assert file_to_read(uri.format(file=file)) is None
    assert file_to_read(sqlite_uri(file)) == file


def test_a_form_of_tables_that_is_not_known_is_mlflows(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = workdir / "mlflow.db"
    uri = sqlite_uri(file)
    monkeypatch.setenv("MLFLOW_ENABLE_WORKSPACES", "true")
    assert file_to_read(uri) is None
    monkeypatch.delenv("MLFLOW_ENABLE_WORKSPACES")
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [(SCHEMA,)]
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert file_to_read(uri) is None
    with pytest.raises(UserError, match="its tables are of another version of MLflow"):
        Store()


def test_what_sqlite_cannot_read_mlflow_is_asked_for(workdir: Path) -> None:
    add_studies(workdir)
    file = workdir / "mlflow.db"
    asked = mlflow.MlflowClient(sqlite_uri(file))
    (workdir / "gone").mkdir()
    own = SqliteClient(workdir / "gone", lambda: asked)  # no database
    experiments = [e.experiment_id for e in own.search_experiments()]
    assert len(own.search_runs(experiments)) == 3
    assert own.get_experiment(experiments[0]).name == asked.get_experiment(experiments[0]).name
    assert own.points([], "test/accuracy", 1) is None
    assert own.get_run  # which only MLflow's has


def test_reading_changes_nothing_and_sees_what_was_just_written(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    runs.add(0, 0.9)
    file = workdir / "mlflow.db"
    own, _ = clients(workdir)
    before = file.read_bytes()
    assert len(own.search_runs([runs.experiment])) == 1
    assert file.read_bytes() == before
    assert sorted(path.name for path in workdir.iterdir()) == ["mlflow.db", "mlruns"]
    runs.add(1, 0.9)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE runs SET name = 'renamed'")
        assert len(own.search_runs([runs.experiment])) == 2
        other.execute("COMMIT")
        assert {run.info.run_name for run in own.search_runs([runs.experiment])} == {"renamed"}


def test_runs_are_compared_without_loading_mlflow(fake_runs: FakeRuns) -> None:
    for number in range(6):
        settings = {"loss": "a" if number % 2 else "b"}
        fake_runs.add(
            number // 2, 0.9 + number / 100, settings=settings, tags=trial("x", number, "loss")
        )
    Store().page(Store().select(Selection(study="x")))  # the sweep has made its view
    code = (
        "import sys; from mnist_exp.compare.__main__ import run; run(['--study', 'x']);"
        "print([name for name in ('mlflow', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
