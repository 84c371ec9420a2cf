import base64
import json
import threading
import zlib
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from benchmarks.postgresql import Server
from mnist_exp.tracking.store import client_of
from mnist_exp.tracking.views import PREFIX, results_page
from tests.support.servers import MlflowServer

PAGE = "http://127.0.0.1:5000/#/experiments/{}/runs?workflowType=machine_learning"


@pytest.fixture
def client(workdir: Path) -> mlflow.MlflowClient:
    return client_of(f"sqlite:///{workdir}/mlflow.db")


def tags(client: mlflow.MlflowClient, experiment: str) -> dict[str, str]:
    return dict(client.get_experiment(experiment).tags)


def state(client: mlflow.MlflowClient, experiment: str, address: str) -> dict[str, Any]:
    """What the view behind an address holds, read as MLflow's UI reads it."""
    view = json.loads(tags(client, experiment)[PREFIX + address.partition("viewStateShareKey=")[2]])
    assert isinstance(view["name"], str)
    assert isinstance(view["createdAt"], int)
    packed = base64.b64decode(view["state"].removeprefix("deflate;"))
    return dict(json.loads(zlib.decompress(packed)))


def test_the_view_of_all_runs_has_the_accuracies_first_and_is_written_once(
    client: mlflow.MlflowClient,
) -> None:
    experiment = client.create_experiment("mnist_exp")
    address = results_page(client, experiment)
    assert address == PAGE.format(experiment) + "&viewStateShareKey=results"
    shown = state(client, experiment, address)
    assert shown["selectedColumns"][1:3] == ["metrics.`test/accuracy`", "metrics.`val/accuracy`"]
    assert {"tags.`result`", "tags.`changes`", "params.`seed`"} < set(shown["selectedColumns"])
    assert (shown["orderByKey"], shown["orderByAsc"]) == ("metrics.`val/accuracy`", False)
    assert [chart["metricKey"] for chart in shown["compareRunCharts"]][:3] == [
        "test/accuracy",
        "val/accuracy",
        "train/cost",
    ]
    before = tags(client, experiment)
    assert results_page(client, experiment) == address
    assert tags(client, experiment) == before


def test_a_studys_view_has_its_trials_alone_and_what_it_varies(client: mlflow.MlflowClient) -> None:
    experiment = client.create_experiment("mnist_exp")
    name = "it's a study"
    address = results_page(client, experiment, name, ["model", "seed"])
    shown = state(client, experiment, address)
    assert "params.`model`" in shown["selectedColumns"]
    assert shown["selectedColumns"].count("params.`seed`") == 1
    for study, role in ((name, "study"), (name, "trial"), ("another", "trial"), (None, None)):
        run_tags = {"study_name": study, "study_role": role} if study and role else {}
        client.create_run(experiment, tags=run_tags)
    found = client.search_runs([experiment], shown["searchFilter"])
    assert [(run.data.tags["study_name"], run.data.tags["study_role"]) for run in found] == [
        (name, "trial")
    ]
    assert results_page(client, experiment, "another") != address
    both_quotes = results_page(client, experiment, "'\"")
    assert both_quotes == PAGE.format(experiment)  # no filter of MLflow's can hold this name


def test_a_view_of_another_version_is_replaced_and_a_persons_own_is_kept(
    client: mlflow.MlflowClient,
) -> None:
    experiment = client.create_experiment("mnist_exp")
    address = results_page(client, experiment)
    ours = tags(client, experiment)[PREFIX + "results"]
    old = json.loads(ours) | {"state": "deflate;"}
    for text in ("no JSON", "[]", json.dumps(old)):
        client.set_experiment_tag(experiment, PREFIX + "results", text)
        assert results_page(client, experiment) == address
        assert state(client, experiment, address)["orderByAsc"] is False
    own = json.dumps(old | {"updatedAt": old["createdAt"] + 1})
    client.set_experiment_tag(experiment, PREFIX + "results", own)
    assert results_page(client, experiment) == address
    assert tags(client, experiment)[PREFIX + "results"] == own


def test_a_store_that_refuses_tags_costs_the_view_alone(
    client: mlflow.MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise MlflowException("PERMISSION_DENIED")

    experiment = client.create_experiment("mnist_exp")
    with monkeypatch.context() as patched:
        patched.setattr(mlflow.MlflowClient, "set_experiment_tag", refuse)
        assert results_page(client, experiment) == PAGE.format(experiment)
    monkeypatch.setattr(mlflow.MlflowClient, "get_experiment", refuse)
    assert results_page(client, experiment) == PAGE.format(experiment)


def test_two_that_write_at_once_agree(workdir: Path, client: mlflow.MlflowClient) -> None:
    experiment, answers = client.create_experiment("mnist_exp"), list[str]()
    at_once = threading.Barrier(4)

    def write() -> None:
        own = mlflow.MlflowClient(client.tracking_uri)
        at_once.wait()
        answers.append(results_page(own, experiment))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {PAGE.format(experiment) + "&viewStateShareKey=results"}
    assert len(answers) == 4


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_view_on_postgresql(postgresql: Server) -> None:
    client = client_of(postgresql.create_database("views"))
    experiment = client.create_experiment("mnist_exp")
    address = results_page(client, experiment)
    assert state(client, experiment, address)["searchFilter"] == ""


@pytest.mark.slow
def test_a_view_on_a_server_has_the_servers_address(workdir: Path) -> None:
    server = MlflowServer(workdir)
    server.start()
    try:
        client = client_of(server.uri)
        experiment = client.create_experiment("mnist_exp")
        address = results_page(client, experiment)
        assert address.startswith(f"{server.uri}/#/experiments/{experiment}/runs?")
        assert state(client, experiment, address)["searchFilter"] == ""
    finally:
        server.kill()
