"""The URIs of MLflow stores: which can be one, which is meant, and how they are shown and recorded.

Needs no MLflow.
"""

import difflib
import os
import re
import shlex
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mnist_exp.errors import ConfigError, UserError, first_line
from mnist_exp.outside.uris import masked, sqlite_file, sqlite_uri

DEFAULT = "sqlite:///mlflow.db"
ELSEWHERE = (
    "tracking.uri=URI or MLFLOW_TRACKING_URI names another store; the default is mlflow.db in the "
    "current folder"
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
_LONGEST_SHOWN = 200  # letters of a URI in a message
# Of Python's sqlite3.connect, which SQLAlchemy takes from a URI's query.
_SQLITE_OPTIONS = {
    "timeout",
    "isolation_level",
    "detect_types",
    "check_same_thread",
    "cached_statements",
    "uri",
}


def check_uri(uri: str | None) -> None:
    """Raise ConfigError for a `tracking.uri` that can be no store, or that holds a password.

    Settings are recorded with the run, and a password would be. None is MLFLOW_TRACKING_URI or the
    default.
    """
    _check_kind(uri)
    if uri is not None and masked(uri) != uri:
        variables = (
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN)"
            if uri.startswith("http")
            else "MLFLOW_TRACKING_URI, with the whole URI"
        )
        raise ConfigError(
            f"tracking.uri={shortened(uri)}: holds a password, and settings are recorded with the "
            f"run\nGive it in the environment, which is not: {variables}"
        )


def store_uri(uri: str | None) -> str:
    """Return the store that `tracking.uri` names; None is MLFLOW_TRACKING_URI, or the default.

    A SQLite file is named by its absolute path, whichever way it was written. Raises ConfigError
    for what can be no store.
    """
    _check_kind(uri)
    return absolute(uri or from_environment() or DEFAULT)


def absolute(uri: str) -> str:
    """Return the URI with the absolute path of its file, if it is a SQLite file without a query."""
    file = sqlite_file(uri)
    return uri if file is None or "?" in uri else sqlite_uri(Path(os.path.abspath(file)))


def from_environment() -> str | None:
    """Return MLFLOW_TRACKING_URI, None if it is unset or empty."""
    return os.environ.get("MLFLOW_TRACKING_URI") or None


def shortened(uri: str) -> str:
    """Return a URI as a message shows it: without passwords, and not too long."""
    shown = masked(uri)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."


def recorded(uri: str) -> str:
    """Return what is recorded of a store's URI: no password, and no folder that may be moved."""
    file = sqlite_file(uri)
    if file is not None and file.parent == Path.cwd() and "?" not in uri:
        return f"sqlite:///{file.name}"
    return masked(uri)


def from_record(text: str) -> str:
    """Return the URI of which `recorded` was written down in this project folder.

    Raises UserError if its password is needed.
    """
    variable = from_environment()
    if variable is not None and masked(variable) == text:
        return variable
    if "***" in text:
        raise UserError(
            f"{text}: its password is not recorded; set MLFLOW_TRACKING_URI to this address with "
            "the password"
        )
    file = sqlite_file(text)
    if file is not None and not file.exists() and Path(file.name).exists():  # the folder was moved
        return f"sqlite:///{file.name}"
    return text


def is_recorded_as(uri: str, text: str) -> bool:
    """Return whether this store is the one of which `text` was written down."""
    try:
        return store_uri(from_record(text)) == uri
    except UserError:
        return False


def has_file_store() -> bool:
    """Return whether an older MLflow kept runs in `mlruns` here: then MLflow's default is there."""
    return next(Path("mlruns").glob("[0-9]*/meta.yaml"), None) is not None


def _check_kind(uri: str | None) -> None:
    """Raise ConfigError for a URI, or an MLFLOW_TRACKING_URI, that can be no store."""
    variable = from_environment()
    if uri is None and variable is None:
        _refuse_old_file_store()
        return
    setting, text = ("MLFLOW_TRACKING_URI", variable) if uri is None else ("tracking.uri", uri)
    assert text is not None
    problem = _problem(text)
    if problem is not None:
        raise ConfigError(f"{setting}={shortened(text)}: {problem}")


def _problem(uri: str) -> str | None:
    """Return in one or two lines why this URI can be no store, or None."""
    # Not urlsplit, which refuses passwords that databases take.
    match = re.match(r"([\w.-]+)(\+\w+)?:", uri)
    scheme = match[1].lower() if match else ""
    if len(scheme) <= 1 or scheme == "file":  # one letter is a drive of Windows
        if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1"):
            return None
        return (
            f"is no URI of a database or server; {_EXPECTED}\n"
            "`mlflow migrate-filestore` makes a database of a folder in which an older MLflow kept "
            "runs"
        )
    if scheme == "sqlite":
        return _problem_of_sqlite(uri)
    if scheme in ("http", "https"):
        return _problem_of_server(uri)
    if scheme not in _KINDS and scheme not in _plugins():
        near = difflib.get_close_matches(scheme, _KINDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{scheme} is no kind of store{hint}\n{_EXPECTED}"
    return None


def _problem_of_sqlite(uri: str) -> str | None:
    if sqlite_file(uri) is None or re.match(r"sqlite:///\w:\\", uri):
        return f"names no file of this system, in which the runs could stay\n{_EXPECTED}"
    query = parse_qs(uri.partition("?")[2])
    ignored = next((key for key in query if key not in _SQLITE_OPTIONS), None)
    if ignored is not None and "uri" not in query:  # SQLAlchemy would only warn
        return (
            f"{ignored} would be ignored without file: and uri=true\n"
            f"Expected such as sqlite:///file:FILE?{ignored}=...&uri=true, or no query"
        )
    return None


def _problem_of_server(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port  # which is checked when it is read
    except ValueError as error:
        return f"is no address ({first_line(error)})\n{_EXPECTED}"
    return None if host else f"names no host\n{_EXPECTED}"


def _plugins() -> set[str]:
    """Return the kinds of store that installed plugins of MLflow bring."""
    from importlib.metadata import entry_points

    return {entry.name for entry in entry_points(group="mlflow.tracking_store")}


def _refuse_old_file_store() -> None:
    """Raise ConfigError if the default store would hide runs that an older MLflow kept in files."""
    if not Path("mlflow.db").exists() and has_file_store():
        raise ConfigError(
            f"{Path('mlruns').absolute()}: holds runs in files, which MLflow no longer takes for a "
            "store; `mlflow migrate-filestore` turns them into a database\n"
            "tracking.uri=sqlite:///mlflow.db leaves them where they are, and begins a database"
        )


def restoring(uri: str, what: str) -> str:
    """Return the shell command with which MLflow restores what was deleted in this store."""
    return f"MLFLOW_TRACKING_URI={shlex.quote(masked(uri))} mlflow {what}"


def was_deleted(run_id: str, uri: str, experiment_id: str | None = None) -> str:
    """Say that a run was deleted, and how it comes back.

    experiment_id: that of its experiment if all of that was deleted
    """
    if experiment_id is None:
        command = restoring(uri, f"runs restore --run-id {run_id}")
        return f"run {run_id} was deleted: `{command}` brings it back"
    command = restoring(uri, f"experiments restore --experiment-id {experiment_id}")
    return f"run {run_id} was deleted with its experiment: `{command}` brings both back"
