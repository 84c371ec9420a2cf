"""Open an MLflow store: choose it, complete its tables, report errors in one line."""

import logging
import os
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from mnist_exp.errors import ConfigError, UserError, first_line
from mnist_exp.outside.uris import sqlite_file
from mnist_exp.sweeper import database
from mnist_exp.tracking import moved_store
from mnist_exp.tracking.addresses import (
    DEFAULT,
    ELSEWHERE,
    absolute,
    from_environment,
    has_file_store,
    shortened,
    store_uri,
)
from mnist_exp.tracking.attempts import within
from mnist_exp.tracking.creation import store_lock
from mnist_exp.tracking.routes import advice
from mnist_exp.tracking.sqlite_runs import SqliteClient, file_to_read

if TYPE_CHECKING:
    from mlflow import MlflowClient

_T = TypeVar("_T")

_FIRST_SECONDS = 120.0  # in which a server has to answer at the start of a run or a study
# What a surrounding job may have set, and what would mix its runs with ours.
IGNORED = (
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_ACTIVE_MODEL_ID",
)
_UNSET = (
    *IGNORED,
    "_MLFLOW_ACTIVE_MODEL_ID",
    "_MLFLOW_SERVER_ARTIFACT_ROOT",
    "MLFLOW_ENABLE_ASYNC_LOGGING",
    "MLFLOW_TRACKING_URI",
)
# A server that does not answer is noticed in seconds; MLflow's own settings wait for minutes.
_QUICK_AND_QUIET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_SILENT = (  # loggers of whose trouble we tell in our own words
    "urllib3.connectionpool",
    "mlflow.system_metrics",
    "mlflow.tracking.fluent",
    "mlflow.store.db.utils",
    "mlflow.utils.git_utils",  # 60 lines where there is no git
)
_outside: list[str | None] = []  # MLFLOW_TRACKING_URI around each `in_use` block that is open


def be_quick_and_quiet() -> None:
    """Set how MLflow behaves as a client. What the user has set in the environment stays.

    Call it after `import mlflow`, which sets its own log level.
    """
    for name, value in _QUICK_AND_QUIET.items():
        os.environ.setdefault(name, value)
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for silent in _SILENT:
        logging.getLogger(silent).setLevel(logging.CRITICAL)


@contextmanager
def in_use(uri: str | None) -> Iterator[str]:
    """Let MLflow use the store that `tracking.uri` names for the block; yield its `store_uri`.

    What a surrounding job has set in the environment is unset for the block. MLflow keeps
    MLFLOW_TRACKING_URI up to date, so that it is put back, too.
    """
    import mlflow

    be_quick_and_quiet()
    chosen = store_uri(uri)
    _outside.append(from_environment())
    before = {name: os.environ.pop(name) for name in _UNSET if name in os.environ}
    mlflow.set_tracking_uri(chosen)
    try:
        yield chosen
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # back to the variable
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        os.environ |= before
        _outside.pop()


@contextmanager
def opened(uri: str | None) -> Iterator["MlflowClient"]:
    """Yield a client of the store that `tracking.uri` names, and let MLflow use that store.

    The store's tables are made if need be. Raises UserError if the store cannot be used, in the
    block, too.
    """
    with in_use(uri) as chosen, answering(chosen):
        yield client_of(chosen)


def ask(uri: str | None, action: Callable[["MlflowClient"], _T]) -> _T:
    """Return what the action returns for a client of the store, as in `opened`.

    A tracking server has two minutes for it. Raises UserError if the store cannot be used.
    """
    with in_use(uri) as chosen:
        return answer(chosen, lambda: action(client_of(chosen)))


def answer(uri: str, action: Callable[[], _T], too_late: Callable[[_T], None] | None = None) -> _T:
    """Return what the action returns, for which a tracking server has two minutes.

    Raises UserError if the store, which the action uses, refuses or does not answer in time;
    `too_late` is given what the action returns after that.
    """
    with answering(uri):
        return within(_FIRST_SECONDS if uri.startswith("http") else None, action, too_late)


def client_of(uri: str) -> "MlflowClient":
    """Return a client of the store with this `store_uri`, whose tables are made if need be.

    Raises UserError if the store cannot be used.
    """
    import mlflow

    with opening(uri), store_lock(uri):  # a client makes the tables where there are none
        return mlflow.MlflowClient(uri)


@contextmanager
def answering(uri: str, verb: str = "used") -> Iterator[None]:
    """Raise UserError for what MLflow raises in the block: the store cannot be used."""
    try:
        yield
    except mlflow_errors(OSError) as error:
        raise refusal(uri, error, verb) from error


def mlflow_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return MLflow's errors and others for an `except`, without loading MLflow for it.

    Before MLflow is loaded it raises nothing.
    """
    loaded = sys.modules.get("mlflow.exceptions")
    return others if loaded is None else (loaded.MlflowException, *others)


@contextmanager
def opening(uri: str) -> Iterator[None]:
    """Raise UserError for whatever MLflow, a driver or a database raises as a store is opened."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise refusal(uri, error) from error


def refusal(uri: str, error: Exception, verb: str = "used") -> UserError:
    """Return the error that says that this store cannot be used (or "read") and why."""
    return UserError(f"{named(uri)}: cannot be {verb} ({_reason(error)}){advice(uri, error)}")


def named(uri: str) -> str:
    """Return a store as a message names it, by the variable or setting that its URI came from."""
    variable = _variable()
    is_its_own = variable is not None and absolute(variable) == uri
    return f"{'MLFLOW_TRACKING_URI' if is_its_own else 'tracking.uri'}={shortened(uri)}"


def is_default(uri: str) -> bool:
    """Return whether this `store_uri` is what a command uses here if no setting names a store."""
    variable = _variable()
    if variable is None and has_file_store():
        return False
    return absolute(variable or DEFAULT) == uri


def _variable() -> str | None:
    """Return MLFLOW_TRACKING_URI as it is outside of all `in_use` blocks."""
    return _outside[0] if _outside else from_environment()


def _reason(error: Exception) -> str:
    text = first_line(error)
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        return (
            "its tables are of another version of MLflow; `mlflow db upgrade URI` brings older "
            "ones up to date, after a backup"
        )
    if "database is locked" in text:
        return f"another program has locked the database for {database.WAIT_SECONDS:.0f} seconds"
    if missing := re.fullmatch(r"No module named '([\w.]+)'", text):
        return f"its driver, the Python module {missing[1]}, is not installed"
    return text


def uri_to_read(uri: str | None) -> str:
    """Return the `store_uri` of a store that can be read.

    Raises ConfigError for a database file that is not there, UserError for another store that
    cannot be used.
    """
    chosen = _brought_here(uri)
    _checked_client(chosen)  # the next client is made quickly
    return chosen


def client_to_read(uri: str | None) -> "MlflowClient":
    """Return a client that reads runs: MLflow's, or a `SqliteClient` where that answers the same.

    Raises as `uri_to_read`.
    """
    chosen = _brought_here(uri)
    file = file_to_read(chosen)
    if file is None:
        return _checked_client(chosen)
    return cast("MlflowClient", SqliteClient(file, lambda: _checked_client(chosen)))


def _brought_here(uri: str | None) -> str:
    """Return the `store_uri`, of whose database the artifacts are found if its folder was moved."""
    chosen = store_uri(uri)
    file = sqlite_file(chosen)
    with opening(chosen):
        # A folder that is only read, such as a colleague's, stays as it is.
        if file is None or (_needs_care(file) and os.access(file.parent, os.W_OK)):
            with suppress(moved_store.InUse), store_lock(chosen):
                pass
    return chosen


def _checked_client(uri: str) -> "MlflowClient":
    """Return MLflow's client, which looks whether the store's tables are of its version."""
    import mlflow

    be_quick_and_quiet()
    with opening(uri):
        return mlflow.MlflowClient(uri)


def _needs_care(file: Path) -> bool:
    """Return whether a database has to be changed before it is read.

    Raises UserError if there are no runs to read.
    """
    try:
        whole = file.is_file() and database.is_whole(file, "experiments")
    except sqlite3.OperationalError:  # the file may be a database
        raise
    except sqlite3.DatabaseError as error:
        raise UserError(
            f"{file}: cannot be read as a database ({first_line(error)})\n{ELSEWHERE}"
        ) from error
    if not whole:  # MLflow would make one
        found = (
            f"{file} has no tables of MLflow" if file.is_file() else f"there is no database {file}"
        )
        raise ConfigError(f"no runs here: {found}; `python -m mnist_exp` trains one\n{ELSEWHERE}")
    return moved_store.is_elsewhere(file)
