"""A run is read back whole, with every value that it has at a step."""

from pathlib import Path

import mlflow
import pytest

from mnist_exp.errors import UserError
from mnist_exp.tracking.record import read_run


@pytest.fixture
def client(workdir: Path) -> mlflow.MlflowClient:
    """A client of the current folder's store."""
    return mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")


def test_a_run_is_read_whole(client: mlflow.MlflowClient) -> None:
    experiment_id = client.create_experiment("trials")
    run_id = client.create_run(experiment_id, run_name="mine", tags={"seed": "0"}).info.run_id
    client.log_param(run_id, "model", "softmax")
    for step, value in ((2, 0.25), (1, 0.5), (2, 0.1 + 0.2)):
        client.log_metric(run_id, "train/cost", value, step=step)
    client.log_text(run_id, "numpy==2.0", "env/packages.txt")
    client.log_text(run_id, "no part of the record", "notes.txt")
    run = read_run(None, run_id)
    assert (run.run_id, run.name, run.experiment) == (run_id, "mine", "trials")
    assert (run.status, run.is_finished, run.epochs) == ("RUNNING", False, 2)
    assert run.tags["seed"] == "0"
    assert run.params == {"model": "softmax"}
    assert run.metrics == {"train/cost": {1: "0.5", 2: "0.25 and 0.30000000000000004"}}
    assert run.files == {"env/packages.txt": b"numpy==2.0"}
    client.set_terminated(run_id)
    assert read_run(None, run_id).is_finished


def test_a_run_that_does_not_exist(client: mlflow.MlflowClient) -> None:
    with pytest.raises(UserError, match="^nothing: no such run in sqlite:///"):
        read_run(None, "nothing")
