"""`--run best` and the registry's alias compare accuracies on the same images only."""

from pathlib import Path

import mlflow
import pytest
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
)

from mnist_exp.predict.trained_models import Models
from mnist_exp.serving.registry import Entry, register
from mnist_exp.serving.same_data import comparable, data_of


@pytest.fixture
def client(workdir: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")


def finished(
    client: mlflow.MlflowClient, accuracy: float, name: str, digest: str, size: int = 5000
) -> str:
    """A run with a model, scored on that data; a registered version of it, too."""
    run = client.create_run("0").info.run_id
    for context in ("train", "validation"):
        described = Dataset(name, digest if context == "validation" else "other", "code", "{}")
        client.log_inputs(
            run, [DatasetInput(described, [InputTag("mlflow.data.context", context)])]
        )
    client.log_batch(
        run, [Metric("val/accuracy", accuracy, 0, 1)], [Param("data.validation_size", str(size))]
    )
    tags = {"mnist_exp.takes": "pictures"}
    model = client.create_logged_model("0", "model", source_run_id=run, tags=tags)
    client.log_outputs(run, [LoggedModelOutput(model.model_id, 1)])
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.set_terminated(run, "FINISHED")
    register(client, run, 1, Entry(variant="net", accuracy=accuracy, images=5000))
    return run


def best(client: mlflow.MlflowClient) -> set[str]:
    return {
        Models(None).find("best")[0].info.run_id,
        client.get_model_version_by_alias("net", "best").run_id,
    }


def test_the_best_for_digits_has_seen_digits(client: mlflow.MlflowClient) -> None:
    first = finished(client, 0.97, "mnist", "a")
    assert best(client) == {first}
    finished(client, 0.999, "custom", "b")
    assert best(client) == {first}
    better = finished(client, 0.98, "mnist", "a")
    assert best(client) == {better}


def test_the_usual_validation_images_come_before_more_and_before_fewer(
    client: mlflow.MlflowClient,
) -> None:
    for size in (100, 10_000):
        found = finished(client, 0.999, "mnist", "a", size)
        assert Models(None).find("best")[0].info.run_id == found
    usual = finished(client, 0.9, "mnist", "a")
    assert Models(None).find("best")[0].info.run_id == usual


def test_without_mnist_the_newest_runs_data_count(client: mlflow.MlflowClient) -> None:
    finished(client, 0.99, "custom", "a")
    second = finished(client, 0.9, "custom", "b")
    assert best(client) == {second}
    finished(client, 0.8, "custom", "b")
    assert best(client) == {second}


def test_versions_of_an_earlier_version_are_looked_up(client: mlflow.MlflowClient) -> None:
    first = finished(client, 0.97, "mnist", "a")
    custom = finished(client, 0.999, "custom", "b")
    for version in client.search_model_versions("name='net'"):
        client.delete_model_version_tag("net", version.version, "validation_data")
    register(client, custom, 1, Entry(variant="net", accuracy=0.999, images=5000))
    assert best(client) == {first}


def test_a_run_without_a_record_of_its_data(client: mlflow.MlflowClient) -> None:
    run = client.create_run("0").info.run_id
    assert data_of(client.get_run(run)) == ""
    client.log_param(run, "data.dir", "None")
    assert data_of(client.get_run(run)) == "mnist"
    assert comparable([]) == []
