"""How MLflow behaves as a client: quick to give up on a dead server, and quiet; and which store it opens."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mnist_exp.errors import UserError, first_line
from mnist_exp.sweeper import database

ELSEWHERE = "tracking.uri=URI or MLFLOW_TRACKING_URI names another store; the default is mlflow.db in the current folder"


def be_quick_and_quiet() -> None:
    """Call it after `import mlflow`, which sets its own log level. What the user has set in the environment stays."""
    # A server that does not answer is noticed in seconds; MLflow's own settings wait for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for silent in ("urllib3.connectionpool", "mlflow.system_metrics", "mlflow.tracking.fluent"):
        logging.getLogger(silent).setLevel(logging.CRITICAL)  # their trouble is told in our own words


@contextmanager
def store_lock(uri: str) -> Iterator[None]:
    """One process at a time makes what is not there yet in a database; a server of MLflow's has its own order.

    Raises MlflowException for a database that cannot be reached, at once: MLflow itself tries for two minutes.
    """
    if not uri.startswith(database.LOCKABLE):
        yield
        return
    import sqlalchemy  # late, for MLflow does without where it has a server
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

    try:
        engine = sqlalchemy.create_engine(uri)
        try:
            with database.lock(engine, "mnist_exp.tracking"):
                yield
        finally:
            engine.dispose()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise MlflowException(str(error), TEMPORARILY_UNAVAILABLE) from error


def uri_to_read(uri: str | None) -> str:
    """`uri`, or MLflow's own choice for None.

    Raises UserError for a database file that is not there, or a database server that does not answer.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    be_quick_and_quiet()
    chosen = uri or mlflow.get_tracking_uri()
    if chosen.startswith("sqlite:///"):  # which MLflow would create
        file = Path(chosen.removeprefix("sqlite:///").partition("?")[0])
        if not file.is_file():
            raise UserError(f"no runs here: there is no database {file}\n{ELSEWHERE}")
        return chosen
    try:
        with store_lock(chosen):
            return chosen
    except MlflowException as error:
        raise UserError(f"tracking.uri={chosen}: cannot be used ({first_line(error)})") from error
