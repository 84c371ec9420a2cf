"""Which MLflow store is used, made whole and found again, and how MLflow behaves as its client: quick and quiet."""

import difflib
import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mnist_exp.errors import ConfigError, UserError, first_line
from mnist_exp.outside import moments
from mnist_exp.outside.uris import artifact_location, masked, sqlite_file, sqlite_uri
from mnist_exp.sweeper import database
from mnist_exp.tracking import moved_store
from mnist_exp.tracking.routes import advice

ELSEWHERE = "tracking.uri=URI or MLFLOW_TRACKING_URI names another store; the default is mlflow.db in the current folder"
IGNORED = (
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_ACTIVE_MODEL_ID",
)
# What a surrounding job may have set, and what would mix its runs with ours.
_UNSET = (
    *IGNORED,
    "_MLFLOW_ACTIVE_MODEL_ID",
    "_MLFLOW_SERVER_ARTIFACT_ROOT",
    "MLFLOW_ENABLE_ASYNC_LOGGING",
)
_KINDS = (
    "sqlite",
    "postgresql",
    "mysql",
    "mssql",
    "http",
    "https",
    "databricks",
    "databricks-uc",
    "uc",
)
_EXPECTED = (
    "expected sqlite:///FILE, http://HOST:PORT, postgresql://USER@HOST/DATABASE or mysql://..."
)
_SILENT = (
    "urllib3.connectionpool",
    "mlflow.system_metrics",
    "mlflow.tracking.fluent",
    "mlflow.store.db.utils",
    "mlflow.utils.git_utils",  # 60 lines where there is no git
)
_FIRST_LETTERS = 200  # of a URI in a message
# Of Python's sqlite3.connect, which SQLAlchemy takes from a URI's query.
_SQLITE_OPTIONS = {
    "timeout",
    "isolation_level",
    "detect_types",
    "check_same_thread",
    "cached_statements",
    "uri",
}
_outside: list[str | None] = []  # MLFLOW_TRACKING_URI around each `in_use` that holds


def be_quick_and_quiet() -> None:
    """Call it after `import mlflow`, which sets its own log level. What the user has set in the environment stays."""
    # A server that does not answer is noticed in seconds; MLflow's own settings wait for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for silent in _SILENT:
        logging.getLogger(silent).setLevel(
            logging.CRITICAL
        )  # their trouble is told in our own words


def check_uri(uri: str | None) -> None:
    """Raise ConfigError for a `tracking.uri` that can be no store, or would be recorded with a password in it.

    None is MLFLOW_TRACKING_URI or the default. Needs no MLflow.
    """
    _check_kind(uri)
    if uri is not None and masked(uri) != uri:
        variables = (
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN)"
            if uri.startswith("http")
            else "MLFLOW_TRACKING_URI, with the whole URI"
        )
        raise ConfigError(
            f"tracking.uri={shortened(uri)}: holds a password, and settings are recorded with the run\n"
            f"Give it in the environment, which is not: {variables}"
        )


def _check_kind(uri: str | None) -> None:
    setting, text = (
        ("tracking.uri", uri) if uri is not None else ("MLFLOW_TRACKING_URI", _from_environment())
    )
    if text is None:
        _refuse_old_file_store()
        return
    match = re.match(
        r"([\w.-]+)(\+\w+)?:", text
    )  # not urlsplit, which refuses passwords that databases take
    scheme = match[1].lower() if match else ""
    if len(scheme) <= 1 or scheme == "file":
        if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1"):
            return
        raise ConfigError(
            f"{setting}={shortened(text)}: is no URI of a database or server; {_EXPECTED}\n"
            "Of a folder in which an older MLflow kept runs, `mlflow migrate-filestore` makes a database"
        )
    if scheme == "sqlite" and (sqlite_file(text) is None or re.match(r"sqlite:///\w:\\", text)):
        raise ConfigError(
            f"{setting}={shortened(text)}: names no file of this system, in which the runs could stay\n{_EXPECTED}"
        )
    if scheme == "sqlite" and (ignored := _ignored_query(text)):
        raise ConfigError(
            f"{setting}={shortened(text)}: {ignored} would be ignored without file: and uri=true\n"
            f"Expected such as sqlite:///file:FILE?{ignored}=...&uri=true, or no query"
        )
    if scheme not in _KINDS and scheme not in _plugins():
        near = difflib.get_close_matches(scheme, _KINDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"{setting}={shortened(text)}: {scheme} is no kind of store{hint}\n{_EXPECTED}"
        )
    if scheme in ("http", "https"):
        try:
            host, _ = (
                urlsplit(text).hostname,
                urlsplit(text).port,
            )  # which is checked when it is read
        except ValueError as error:
            raise ConfigError(
                f"{setting}={shortened(text)}: is no address ({first_line(error)})\n{_EXPECTED}"
            ) from error
        if not host:
            raise ConfigError(f"{setting}={shortened(text)}: names no host\n{_EXPECTED}")


def _ignored_query(uri: str) -> str | None:
    """A key of a SQLite URI's query that SQLAlchemy would not take, with a warning."""
    query = parse_qs(uri.partition("?")[2])
    return (
        None if "uri" in query else next((key for key in query if key not in _SQLITE_OPTIONS), None)
    )


def has_file_store() -> bool:
    """Whether MLflow takes the current folder's `mlruns`, where an older version kept its runs, for the default store."""
    return next(Path("mlruns").glob("[0-9]*/meta.yaml"), None) is not None


def _refuse_old_file_store() -> None:
    if not Path("mlflow.db").exists() and has_file_store():
        raise ConfigError(
            f"{Path('mlruns').absolute()}: holds runs in files, which MLflow no longer takes for a store; "
            "`mlflow migrate-filestore` turns them into a database\n"
            "tracking.uri=sqlite:///mlflow.db leaves them where they are, and begins a database"
        )


def shortened(uri: str) -> str:
    """A URI as it is shown in a message."""
    shown = masked(uri)
    return shown if len(shown) <= _FIRST_LETTERS else f"{shown[:_FIRST_LETTERS]}..."


def named(uri: str) -> str:
    """A store as a message names it, by the variable or the setting that its URI came from."""
    variable = _outside[0] if _outside else _from_environment()
    is_its_own = variable is not None and _whole(variable) == uri
    return f"{'MLFLOW_TRACKING_URI' if is_its_own else 'tracking.uri'}={shortened(uri)}"


def _from_environment() -> str | None:
    return os.environ.get("MLFLOW_TRACKING_URI") or None


def _plugins() -> set[str]:
    """The kinds of store that installed plugins of MLflow bring."""
    from importlib.metadata import entry_points

    return {entry.name for entry in entry_points(group="mlflow.tracking_store")}


def store_uri(uri: str | None) -> str:
    """The store that `tracking.uri` names; None is MLflow's own choice: MLFLOW_TRACKING_URI, or the default.

    A SQLite file is named by its absolute path, whichever way it was written. Raises ConfigError for what can be
    no store. Needs no MLflow, which keeps that variable up to date.
    """
    _check_kind(uri)
    return _whole(uri or _from_environment() or "sqlite:///mlflow.db")


def _whole(uri: str) -> str:
    file = sqlite_file(uri)
    return uri if file is None or "?" in uri else sqlite_uri(Path(os.path.abspath(file)))


@contextmanager
def in_use(uri: str | None) -> Iterator[str]:
    """MLflow with the store that `tracking.uri` names, as `store_uri`, and without what a surrounding job has set."""
    import mlflow

    chosen = store_uri(uri)
    _outside.append(_from_environment())
    before = {
        name: os.environ.pop(name)
        for name in (*_UNSET, "MLFLOW_TRACKING_URI")
        if name in os.environ
    }
    mlflow.set_tracking_uri(chosen)
    try:
        yield chosen
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # then MLflow goes by the variable again
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        os.environ |= before
        _outside.pop()


def recorded(uri: str) -> str:
    """What is written down of a store's URI, for `from_record`: no password, and no folder that may be moved."""
    file = sqlite_file(uri)
    if file is not None and file.parent == Path.cwd() and "?" not in uri:
        return f"sqlite:///{file.name}"
    return masked(uri)


def from_record(text: str) -> str:
    """The store whose URI was written down in this project folder. Raises UserError if its password is needed."""
    own = _from_environment()
    if own is not None and masked(own) == text:
        return own
    if "***" in text:
        raise UserError(
            f"{text}: its password is not recorded; set MLFLOW_TRACKING_URI to this address with the password"
        )
    file = sqlite_file(text)
    if file is not None and not file.exists() and Path(file.name).exists():  # the folder was moved
        return f"sqlite:///{file.name}"
    return text


def is_recorded_as(uri: str, text: str) -> bool:
    """Whether this store is the one whose URI was written down as `text`."""
    try:
        return store_uri(from_record(text)) == uri
    except UserError:
        return False


@contextmanager
def opening(uri: str) -> Iterator[None]:
    """Say that a store cannot be used, and why, whatever MLflow, a driver or a database raises while it is opened."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{named(uri)}: cannot be used ({_reason(error)}){advice(uri, error)}"
        ) from error


def _reason(error: Exception) -> str:
    text = first_line(error)
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        return (
            "its tables are of another version of MLflow; `mlflow db upgrade URI` brings older ones up to date, "
            "after a backup"
        )
    if "database is locked" in text:
        return f"another program has locked the database for {database.WAIT_SECONDS:.0f} seconds"
    if missing := re.fullmatch(r"No module named '([\w.]+)'", text):
        return f"its driver, the Python module {missing[1]}, is not installed"
    return text


@contextmanager
def store_lock(uri: str) -> Iterator[None]:
    """One process at a time makes what is not there yet in a database; a server of MLflow's has its own order.

    A SQLite database is whole in the block, and knows where its artifacts are. Raises MlflowException for a database
    that cannot be reached, at once, where MLflow itself tries for two minutes; UserError for a file that is none.
    """
    file = sqlite_file(uri)
    if file is not None:
        with _failures_of_mlflow(), ExitStack() as stack:
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
def _failures_of_mlflow() -> Iterator[None]:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise MlflowException(str(error), TEMPORARILY_UNAVAILABLE) from error


@contextmanager
def _server_lock(uri: str) -> Iterator[None]:
    import sqlalchemy  # late, for MLflow does without where it has a server
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

    try:
        engine = sqlalchemy.create_engine(uri)
        try:
            with database.lock(engine, "mnist_exp.tracking.tracker"):
                yield
        finally:
            engine.dispose()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise MlflowException(str(error), TEMPORARILY_UNAVAILABLE) from error


def _make_whole(file: Path) -> None:
    """Make MLflow's tables where they are missing: MLflow takes some seconds, and cannot go on where it was stopped."""
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
    import sqlalchemy
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    try:
        store = SqlAlchemyStore(
            sqlite_uri(file), artifact_location(file.parent / moved_store.FOLDER)
        )
    except sqlalchemy.exc.DBAPIError as error:
        raise sqlite3.OperationalError(str(error.orig)) from error
    store._dispose_engine()
    SqlAlchemyStore._engine_map.pop(store.db_uri)
    moments.reached("schema creation")


def _tables() -> set[str]:
    """The names of all tables that MLflow makes, on the way to the newest schema, too."""
    from mlflow.store.db import utils  # registers the tables
    from mlflow.store.db.base_sql_model import Base
    from mlflow.store.tracking.dbmodels.initial_models import Base as OldBase

    del utils
    return {*Base.metadata.tables, *OldBase.metadata.tables}


def uri_to_read(uri: str | None) -> str:
    """The store's URI, as `store_uri`, of a store that can be read.

    Raises ConfigError for a database file that is not there, UserError for a database server that does not answer.
    """
    import mlflow

    be_quick_and_quiet()
    chosen = store_uri(uri)
    file = sqlite_file(chosen)
    with opening(chosen):
        if file is None or _needs_care(file):
            with suppress(moved_store.InUse), store_lock(chosen):
                pass
        mlflow.MlflowClient(
            chosen
        )  # looks whether the tables are of this version, and is made quickly from now on
    return chosen


def _needs_care(file: Path) -> bool:
    """Whether a database is to be changed before it is read. Raises UserError where there are no runs to read."""
    try:
        whole = file.is_file() and database.is_whole(file, "experiments")
    except sqlite3.OperationalError:  # the file may be a database
        raise
    except sqlite3.DatabaseError as error:
        raise UserError(
            f"{file}: cannot be read as a database ({first_line(error)})\n{ELSEWHERE}"
        ) from error
    if not whole:  # MLflow would make one
        raise ConfigError(f"no runs here: there is no database {file}\n{ELSEWHERE}")
    return moved_store.is_elsewhere(file)
