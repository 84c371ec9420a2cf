import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnist_exp.errors import ConfigError, UserError
from mnist_exp.tracking.addresses import store_uri
from mnist_exp.tracking.runs import Store
from mnist_exp.tracking.store import be_quick_and_quiet, in_use, named, opened, uri_to_read

NAMES = ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT")


def test_a_dead_server_is_not_waited_for_unless_the_user_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import mlflow  # which sets its log level when it is first imported

    monkeypatch.setenv(NAMES[0], "9")
    monkeypatch.delenv(NAMES[1], raising=False)
    be_quick_and_quiet()
    assert [os.environ[name] for name in NAMES] == ["9", "15"]
    assert logging.getLogger(mlflow.__name__).level == logging.WARNING
    for name in (
        "urllib3.connectionpool",
        "mlflow.utils.git_utils",
    ):  # the latter where there is no git
        assert logging.getLogger(name).level == logging.CRITICAL


DEAD = "postgresql+psycopg://me@127.0.0.1:1/runs"


def open_to_write(uri: str | None) -> None:
    with opened(uri):
        pass


@pytest.mark.parametrize("use", [uri_to_read, open_to_write, Store])
@pytest.mark.parametrize("name", ["tracking.uri", "MLFLOW_TRACKING_URI"])
def test_a_store_is_named_by_where_its_address_came_from(
    name: str, use: Callable[[str | None], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although MLflow itself writes the address of the store in use into the variable."""
    is_variable = name == "MLFLOW_TRACKING_URI"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", DEAD if is_variable else "sqlite:///other.db")
    with pytest.raises(UserError, match=rf"^{name}=postgresql.*: cannot be used \("):
        use(None if is_variable else DEAD)


def test_a_file_is_named_by_the_variable_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///sub/../runs.db")
    with in_use(None) as outer, in_use(outer) as uri:
        assert named(uri) == f"MLFLOW_TRACKING_URI=sqlite:///{tmp_path}/runs.db"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert named(uri) == f"tracking.uri=sqlite:///{tmp_path}/runs.db"


@pytest.mark.parametrize("query", ["mode=ro", "timeout=3&cache=shared"])
def test_what_sqlalchemy_would_ignore_of_an_address_is_refused(query: str) -> None:
    with pytest.raises(
        ConfigError,
        match=r"^tracking.uri=sqlite:///a.db\?.*: (mode|cache) would be ignored without",
    ):
        store_uri(f"sqlite:///a.db?{query}")
    assert store_uri("sqlite:///a.db?timeout=3") == "sqlite:///a.db?timeout=3"
    assert store_uri(f"sqlite:///file:a.db?uri=true&{query}")


def test_a_database_server_that_does_not_answer_is_told_at_once() -> None:
    """MLflow itself would try for two minutes, and end with SQLAlchemy's error."""
    with pytest.raises(UserError, match=r"tracking.uri=postgresql.*: cannot be used \("):
        uri_to_read(DEAD)
