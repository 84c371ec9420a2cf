import logging
import os

import pytest

from mnist_exp.errors import UserError
from mnist_exp.mlflow_settings import be_quick_and_quiet, uri_to_read

NAMES = ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT")


def test_a_dead_server_is_not_waited_for_unless_the_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow  # which sets its log level when it is first imported

    monkeypatch.setenv(NAMES[0], "9")
    monkeypatch.delenv(NAMES[1], raising=False)
    be_quick_and_quiet()
    assert [os.environ[name] for name in NAMES] == ["9", "15"]
    assert logging.getLogger(mlflow.__name__).level == logging.WARNING
    for name in ("urllib3.connectionpool", "mlflow.utils.git_utils"):  # the latter where there is no git
        assert logging.getLogger(name).level == logging.CRITICAL


def test_a_database_server_that_does_not_answer_is_told_at_once() -> None:
    """MLflow itself would try for two minutes, and end with SQLAlchemy's error."""
    uri = "postgresql+psycopg://me@127.0.0.1:1/runs"
    with pytest.raises(UserError, match=r"tracking.uri=postgresql.*: cannot be used \("):
        uri_to_read(uri)
