"""A finished run with a logged model, in a store of its own."""

import os
from pathlib import Path

import mlflow

from mnist_exp.serving import package


def log_model(folder: Path, **metrics: float) -> None:
    """Log the model whose contents are in `folder/contents` to a finished run of its store."""
    before = os.getcwd()
    os.chdir(folder)
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    try:
        client = mlflow.MlflowClient()
        run_id = client.create_run(client.create_experiment("x")).info.run_id
        package.log(client, run_id, folder / "contents", 1)
        for name, value in metrics.items():
            client.log_metric(run_id, name, value)
        client.set_terminated(run_id)
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        os.chdir(before)
