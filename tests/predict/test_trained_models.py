"""Which run's model `latest`, `best` and a run id name."""

from pathlib import Path
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import LoggedModelOutput, Metric, Param

from mnist_exp.errors import UserError
from mnist_exp.predict import __main__ as predict
from mnist_exp.predict.trained_models import Models, TrainedModel

LOW = "its confidence, the probability after calibration, is {}"
UNLIKE = "it is unlike the digits that the network was trained on"


def test_runs_without_a_model(workdir: Path) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    for which in ("latest", "best"):
        words = f"--run {which}: no finished run in .* has a model; train one with "
        with pytest.raises(UserError, match=words):
            predict.run(["--run", which])
    run = client.create_run("0").info.run_id
    with pytest.raises(UserError, match=f"--run {run}: the run .RUNNING. has no model"):
        predict.run(["--run", run])


@pytest.mark.parametrize(
    ("confidence", "limit", "reason"),
    [
        (0.153, 0.5, LOW.format("15%")),
        (0.7, 0.5, UNLIKE),
        (0.7, 0.75, LOW.format("70%")),
        (0.97, 0.9, UNLIKE),
        (0.7, None, "the model doubts it, by a rule that only the model's own code knows"),
    ],
)
def test_a_doubt_says_why(confidence: float, limit: float | None, reason: str) -> None:
    answer = {
        "digit": 8,
        "probabilities": np.full(10, 0.1),
        "pixels": np.zeros((28, 28)),
        "sure": False,
        "confidence": confidence,
    }
    loaded = SimpleNamespace(predict=lambda images, params: pd.DataFrame([answer]))
    model = TrainedModel(
        run_id="a", run_name="b", uri="models:/c", loaded=loaded, least_confidence=limit
    )
    assert model.predict("a picture").doubt == reason


def add(
    client: mlflow.MlflowClient,
    accuracy: float,
    *,
    status: str = "FINISHED",
    model: bool = True,
    whole: bool = True,
    **params: str,
) -> str:
    """Add a run with this val/accuracy to the store, with its model, and return its id."""
    run = client.create_run("0").info.run_id
    settings = {"validation_size": "5000", "eval_limit": "None", "eval_on_train": "False"} | params
    logged_params = [Param(f"data.{name}", value) for name, value in settings.items()]
    client.log_batch(run, [Metric("val/accuracy", accuracy, 0, 1)], logged_params)
    if model:
        tags = {"mnist_exp.takes": "pictures"}
        logged = client.create_logged_model("0", "model", source_run_id=run, tags=tags)
        client.log_outputs(run, [LoggedModelOutput(logged.model_id, 1)])
        if whole:
            client.finalize_logged_model(logged.model_id, "READY")
    client.set_terminated(run, status)
    return run


def test_best_and_latest(workdir: Path) -> None:
    """The best has the highest val/accuracy over all validation images.

    Only finished runs with a model that takes pictures count.
    """
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    add(client, 0.90)
    best = add(client, 0.99)
    latest = add(client, 0.98)
    add(client, 0.995, status="FAILED")
    add(client, 0.996, model=False)
    half = add(client, 0.997, whole=False)
    assert Models(None).find("latest")[0].info.run_id == latest
    assert Models(None).find("best")[0].info.run_id == best
    few = add(client, 1.0, eval_limit="100")
    add(client, 1.0, eval_on_train="True")
    assert Models(None).find("best")[0].info.run_id == best
    assert Models(None).find(few)[0].info.run_id == few
    with pytest.raises(UserError, match="has no model"):
        Models(None).find(half)
