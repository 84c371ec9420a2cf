"""URLs of databases that the sweeper takes, and databases that cannot be used."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy
from optuna.trial import TrialState

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.storage import StudyStorage
from mnist_exp.sweeper.storage_setting import absolute_url, usable


def test_urls_of_files_hold_in_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_url("sqlite:///a.db") == f"sqlite:///{tmp_path}/a.db"
    assert absolute_url("sqlite+pysqlite:///a.db") == f"sqlite+pysqlite:///{tmp_path}/a.db"
    assert absolute_url("sqlite:///a.db?timeout=5") == f"sqlite:///{tmp_path}/a.db?timeout=5"
    assert absolute_url("postgresql://me:secret@host/db") == "postgresql://me:secret@host/db"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("optuna.db", "a URL such as sqlite:///FILE"),
        ("nosuch:///a.db", "a URL such as|cannot be used"),
        ("sqlite://", "a file, which workers can share"),
        ("sqlite:///:memory:", "a file, which workers can share"),
        ("sqlite:///file:a.db?uri=true", "a path, not a URI"),
    ],
)
def test_urls_that_cannot_be_used(url: str, expected: str) -> None:
    with pytest.raises(SweepError, match=expected):
        StudyStorage(absolute_url(url), heartbeat=60)


@pytest.mark.parametrize(
    "place", ["sqlite:///text.db/a.db", "postgresql+nosuchdriver://me:secret@localhost:1/db"]
)
def test_databases_out_of_reach_are_refused_without_the_password(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.db").write_text("a file, not a folder")
    with pytest.raises(SweepError, match="^hydra.sweeper.storage=.*cannot be used") as error:
        StudyStorage(absolute_url(place), heartbeat=60)
    assert "secret" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, and long enough to be looked at" * 100)
    with pytest.raises(SweepError, match="file is not a database"):
        StudyStorage(f"sqlite:///{tmp_path / 'text.db'}", heartbeat=60)


def test_a_database_of_mlflow_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
    with pytest.raises(SweepError, match="holds MLflow's tables; expected a database of its own"):
        StudyStorage(f"sqlite:///{database}", heartbeat=60)
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("experiments",)]


@pytest.mark.parametrize("table", ["studies", "trials"])
def test_another_programs_tables_are_refused(table: str, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute(f"CREATE TABLE {table} (title TEXT)")
    with pytest.raises(
        SweepError, match="holds another program's tables; expected a database of its own"
    ):
        StudyStorage(f"sqlite:///{tmp_path}/a.db", 60)


def test_a_full_disk_is_named(storage: StudyStorage) -> None:
    study = optuna.create_study(storage=storage)

    @sqlalchemy.event.listens_for(storage.engine, "checkout")
    def no_more_pages(connection: Any, *_: object) -> None:
        # SQLite takes the number of pages that the file has for the least.
        connection.execute("PRAGMA max_page_count = 1")

    reason = r"optuna.db: cannot be used \(database or disk is full\)$"
    with pytest.raises(SweepError, match=reason), usable(storage.url):
        storage.add_waiting(study._study_id, [({"x": "a" * 10**6}, {})])
    assert storage.counts(study._study_id)[TrialState.WAITING] == 0
