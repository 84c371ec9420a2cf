"""Whatever stops the first command in a folder while it makes the database, the next one works."""

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
import sqlalchemy

from mnist_exp.errors import UserError
from mnist_exp.sweeper import database
from mnist_exp.sweeper.storage import StudyStorage
from mnist_exp.tracking import creation
from mnist_exp.tracking.store import be_quick_and_quiet, opened, uri_to_read
from tests.support.waiting import LIMIT, until

OPEN = "from mnist_exp.tracking.store import opened\nwith opened(None): pass"
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000))\n"


@pytest.fixture
def quick_tables(empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's tables from a copy: making them takes seconds."""
    monkeypatch.setattr(creation, "_make_tables", lambda file: shutil.copy(empty_store, file))


def experiments(folder: Path) -> list[str]:
    with contextlib.chdir(folder), opened(None) as client:
        return sorted(experiment.name for experiment in client.search_experiments())


@pytest.mark.slow
@pytest.mark.parametrize(
    "sign", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
@pytest.mark.usefixtures("quick_tables")
def test_a_kill_while_the_tables_are_made(tmp_path: Path, sign: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", OPEN], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    new = tmp_path / ".mlflow.db.new"
    until(
        lambda: (new.exists() and new.stat().st_size) or process.poll() is not None,
        "the first table",
    )
    assert process.poll() is None
    process.send_signal(sign)
    process.wait()
    assert not (tmp_path / "mlflow.db").exists()
    assert experiments(tmp_path) == ["Default"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mlflow.db.lock", "mlflow.db"]


@pytest.mark.slow
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL + OPEN],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("mnist_exp.errors.UserError: tracking.uri=sqlite:///")
    assert "(disk I/O error)" in last or "full" in last
    assert [path.name for path in tmp_path.iterdir()] == [".mlflow.db.lock"]


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.usefixtures("quick_tables")
def test_what_another_program_left_half_made_is_made_anew(tmp_path: Path, share: float) -> None:
    """MLflow's own commands do so: they commit each statement of the migration by itself."""
    half = tmp_path / "mlflow.db"
    half.touch()
    _run_statements(half, share)
    with (
        contextlib.chdir(tmp_path),
        pytest.raises(UserError, match="no runs here: .* has no tables of MLflow"),
    ):
        uri_to_read(None)
    assert experiments(tmp_path) == ["Default"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mlflow.db.lock", "mlflow.db"]


_statements: list[tuple[str, tuple[object, ...]]] = []


def _run_statements(file: Path, share: float) -> None:
    """The first part of what MLflow does to make its tables."""
    if not _statements:
        from mlflow.store.db.utils import _initialize_tables

        engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)

        def note(
            _connection: object, _cursor: object, text: str, values: tuple[object, ...], *_: object
        ) -> None:
            if not text.startswith(("PRAGMA", "SELECT")):
                _statements.append((text, values))

        sqlalchemy.event.listen(engine, "before_cursor_execute", note)
        be_quick_and_quiet()
        _initialize_tables(engine)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for text, values in _statements[: int(share * len(_statements))]:
            connection.execute(text, values)


@pytest.mark.parametrize(
    "content",
    [
        "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')",
        "CREATE TABLE notes (text TEXT)",
        """CREATE TABLE experiments (mine TEXT);
        CREATE TABLE runs (mine TEXT); INSERT INTO runs VALUES ('x')""",
    ],
)
@pytest.mark.usefixtures("quick_tables")
def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path, content: str) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection, connection:
        connection.executescript(content)
    before = _dump(tmp_path / "mlflow.db")
    with (
        contextlib.chdir(tmp_path),
        pytest.raises(UserError, match=r"mlflow\.db: holds other tables than MLflow's"),
        opened(None),
    ):
        pass
    assert _dump(tmp_path / "mlflow.db") == before


def _dump(file: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("count", [0, 1, 7, 12])
def test_a_half_made_study_database_is_completed_by_optuna(tmp_path: Path, count: int) -> None:
    StudyStorage(f"sqlite:///{tmp_path}/whole.db", 60).engine.dispose()
    with contextlib.closing(sqlite3.connect(tmp_path / "whole.db")) as connection:
        statements = [
            text
            for (text,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
        ]
    with contextlib.closing(sqlite3.connect(tmp_path / "half.db")) as connection, connection:
        for statement in statements[:count]:
            connection.execute(statement)
    StudyStorage(f"sqlite:///{tmp_path}/half.db", 60).create_new_study([])
    assert database.is_whole(tmp_path / "half.db", "alembic_version")


def test_a_link_to_a_database_stays_a_link(tmp_path: Path, quick_tables: None) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "mlflow.db").symlink_to(tmp_path / "real" / "store.db")
    assert experiments(tmp_path) == ["Default"]
    assert (tmp_path / "mlflow.db").is_symlink()
    assert mlflow.MlflowClient(f"sqlite:///{tmp_path}/real/store.db").search_experiments()
