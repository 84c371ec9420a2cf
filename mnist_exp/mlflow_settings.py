"""How MLflow behaves as a client: quick to give up on a dead server, and quiet; and which store it reads."""

import logging
import os
from pathlib import Path

from mnist_exp.errors import UserError

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


def uri_to_read(uri: str | None) -> str:
    """`uri`, or MLflow's own choice for None. Raises UserError for a database file that is not there."""
    import mlflow

    be_quick_and_quiet()
    chosen = uri or mlflow.get_tracking_uri()
    if chosen.startswith("sqlite:///"):  # which MLflow would create
        database = Path(chosen.removeprefix("sqlite:///").partition("?")[0])
        if not database.is_file():
            raise UserError(f"no runs here: there is no database {database}\n{ELSEWHERE}")
    return chosen
