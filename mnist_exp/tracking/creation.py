"""Make MLflow's tables: one process at a time, and whole or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mnist_exp.errors import UserError
from mnist_exp.outside import moments
from mnist_exp.outside.uris import artifact_location, sqlite_file, sqlite_uri
from mnist_exp.sweeper import database
from mnist_exp.tracking import moved_store
from mnist_exp.tracking.addresses import ELSEWHERE

_LOCK = "mnist_exp.tracking"  # of a database server; other versions of this package take it, too


@contextmanager
def store_lock(uri: str) -> Iterator[None]:
    """Let one process at a time create what is missing in a database, for the block.

    A SQLite database is whole in the block, and knows where its artifacts are. A tracking server
    needs no lock. Raises MlflowException for a database that cannot be reached, at once, where
    MLflow itself tries for two minutes; UserError for a file that is no database of MLflow's.
    """
    file = sqlite_file(uri)
    if file is not None:
        with _as_mlflows(sqlite3.Error, OSError), ExitStack() as stack:
            file.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(database.file_lock(file))
            _make_whole(file)
            moved_store.bring_along(file)
            lock = stack.pop_all()
        with lock:
            yield
    elif uri.startswith(database.LOCKABLE):
        with _server_lock(uri):
            yield
    else:
        yield


@contextmanager
def _as_mlflows(*errors: type[Exception]) -> Iterator[None]:
    """Raise these errors as an MlflowException that says that the store may answer later."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

    try:
        yield
    except errors as error:
        raise MlflowException(str(error), TEMPORARILY_UNAVAILABLE) from error


@contextmanager
def _server_lock(uri: str) -> Iterator[None]:
    import sqlalchemy  # late, for MLflow does without where it has a server

    errors = (sqlalchemy.exc.SQLAlchemyError, ImportError, OSError)
    with _as_mlflows(*errors), ExitStack() as stack:
        engine = sqlalchemy.create_engine(uri)
        stack.callback(engine.dispose)
        stack.enter_context(database.lock(engine, _LOCK))
        lock = stack.pop_all()
    with lock:
        yield


def _make_whole(file: Path) -> None:
    """Make the tables that are missing: MLflow cannot complete tables that were left half made.

    Raises UserError for a database with tables of another program.
    """
    if not database.make_whole(
        file,
        _make_tables,
        last="experiments",
        bookkeeping=("alembic_version", "workspaces"),
        tables=_tables,
    ):
        raise UserError(
            f"{file}: holds other tables than MLflow's; expected a database of its own\n{ELSEWHERE}"
        )


def _make_tables(file: Path) -> None:
    """Let MLflow make its tables in an empty file. It takes some seconds."""
    import sqlalchemy
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    artifacts = artifact_location(file.parent / moved_store.FOLDER)
    try:
        store = SqlAlchemyStore(sqlite_uri(file), artifacts)
    except sqlalchemy.exc.DBAPIError as error:
        raise sqlite3.OperationalError(str(error.orig)) from error
    store._dispose_engine()
    SqlAlchemyStore._engine_map.pop(store.db_uri)
    moments.reached("schema creation")


def _tables() -> set[str]:
    """Return the names of all tables that MLflow makes, on the way to the newest schema, too."""
    from mlflow.store.db import utils  # registers the tables
    from mlflow.store.db.base_sql_model import Base
    from mlflow.store.tracking.dbmodels.initial_models import Base as OldBase

    del utils
    return {*Base.metadata.tables, *OldBase.metadata.tables}
