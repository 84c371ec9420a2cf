"""Where a person sees a run: its page, and the command that opens MLflow's UI."""

import shlex
from pathlib import Path

import mlflow

from mnist_exp.outside.uris import masked, sqlite_file, without_user
from mnist_exp.tracking.addresses import has_file_store


def run_page(experiment_id: str, run_id: str) -> str:
    """Return the run's address in the MLflow UI of the store in use."""
    uri = mlflow.get_tracking_uri()
    is_server = uri.startswith("http")
    server = without_user(uri).rstrip("/") if is_server else "http://127.0.0.1:5000"
    return f"{server}/#/experiments/{experiment_id}/runs/{run_id}"


def ui_command() -> str:
    """Return the command that opens the UI on the store in use, from the current folder."""
    uri = mlflow.get_tracking_uri()
    if sqlite_file(uri) == Path("mlflow.db").absolute() and not has_file_store():
        return "mlflow ui --workers 1"
    # A password can only have come from the environment.
    shown = shlex.quote(uri) if masked(uri) == uri else '"$MLFLOW_TRACKING_URI"'
    return f"mlflow ui --workers 1 --backend-store-uri {shown}"
