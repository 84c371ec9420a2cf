"""A model is logged once and whole, however often its logging was cut short."""

from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.entities import LoggedModelOutput, LoggedModelStatus

from mnist_exp.serving import package as model_package

EXAMPLE = np.zeros((28, 28), np.uint8)


class Cut(BaseException):
    """As a signal: nobody answers it."""


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import keras

    images = keras.Input((28, 28, 1))
    model = keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(images)))
    folder = tmp_path_factory.mktemp("contents")
    model.save(folder / "model.keras")
    np.save(folder / "example.npy", EXAMPLE)
    return folder


@pytest.fixture
def client(workdir: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")


def cut_at(
    method: str, error: type[BaseException], client: mlflow.MlflowClient
) -> mlflow.MlflowClient:
    """Return a client of the same store in which this method raises the error."""
    broken = mlflow.MlflowClient(client.tracking_uri)

    def cut(*_: object, **__: object) -> None:
        raise error

    setattr(broken, method, cut)
    return broken


def outputs(client: mlflow.MlflowClient, run_id: str) -> list[tuple[str, int]]:
    """(model id, step) of the run's models."""
    run = client.get_run(run_id)
    return (
        []
        if run.outputs is None
        else [(out.model_id, out.step) for out in run.outputs.model_outputs]
    )


def logged(client: mlflow.MlflowClient, run_id: str, step: int) -> str:
    model = model_package.logged(client, run_id, step)
    assert model is not None
    return str(model.model_id)


@pytest.mark.parametrize("error", [Cut, OSError])
@pytest.mark.parametrize("method", ["log_outputs", "log_model_artifacts", "finalize_logged_model"])
def test_half_logged_is_completed(
    client: mlflow.MlflowClient, contents: Path, method: str, error: type[BaseException]
) -> None:
    run_id = client.create_run("0").info.run_id
    with pytest.raises(error):
        model_package.log(cut_at(method, error, client), run_id, contents, 7)
    assert model_package.logged(client, run_id, 7) is None
    for _ in range(2):
        model_package.log(client, run_id, contents, 7)
    (model,) = client.search_logged_models(["0"])
    assert outputs(client, run_id) == [(model.model_id, 7)]
    assert model.status == "READY"
    loaded = mlflow.pyfunc.load_model(f"models:/{model.model_id}")
    assert len(loaded.predict(EXAMPLE[None])["probabilities"][0]) == 10
    assert loaded.metadata.run_id == run_id


def test_what_mlflow_itself_left_half_logged_is_completed(
    client: mlflow.MlflowClient, contents: Path
) -> None:
    """MLflow links a model to its run before it has files.

    A failure makes the model FAILED, a kill leaves it PENDING.
    """
    for status in (LoggedModelStatus.PENDING, LoggedModelStatus.FAILED):
        run_id = client.create_run("0").info.run_id
        model = client.create_logged_model("0", "model", source_run_id=run_id)
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 7)])
        client.finalize_logged_model(model.model_id, status)
        model_package.log(client, run_id, contents, 7)
        assert logged(client, run_id, 7) == model.model_id


def test_a_longer_run_has_a_model_of_each_end(client: mlflow.MlflowClient, contents: Path) -> None:
    run_id = client.create_run("0").info.run_id
    for step in (7, 14):
        model_package.log(client, run_id, contents, step)
    assert sorted(step for _, step in outputs(client, run_id)) == [7, 14]
    client.delete_logged_model(logged(client, run_id, 14))
    assert model_package.logged(client, run_id, 14) is None
    assert logged(client, run_id, 7)
