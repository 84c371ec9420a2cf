"""How a run begins in a store, and which status it ends with."""

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import Any
from unittest import mock

import mlflow
import optuna
import pytest
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import Connection, Engine, event

from mnist_exp import data
from mnist_exp.errors import Killed, UserError
from mnist_exp.sweeper.processes import this_process
from mnist_exp.tracking import experiments, lifetime, store, tracker
from mnist_exp.tracking.attempts import within
from mnist_exp.tracking.job import Origin
from mnist_exp.tracking.lifetime import track_run
from mnist_exp.tracking.links import ui_command
from mnist_exp.tracking.tracker import RunTracker
from mnist_exp.training import machine
from tests.support.jobs import a_job
from tests.support.runs import only_run
from tests.support.servers import dripping
from tests.support.waiting import LIMIT, until


def test_artifacts_and_database_stay_in_the_current_folder(
    workdir: Path, small_mnist: data.Dataset
) -> None:
    with track_run(a_job(dataset=small_mnist)):
        assert ui_command(mlflow.get_tracking_uri()) == "python -m mnist_exp.ui"
    assert only_run(workdir).info.artifact_uri.startswith(f"{workdir}/mlruns/")


def caused_by(error: Exception, cause: BaseException) -> Exception:
    """As when a signal comes in the middle of a commit."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("a reason"), "FAILED"),
        (KeyboardInterrupt("a reason"), "KILLED"),
        (Killed(), "KILLED"),
        (optuna.TrialPruned("a reason"), "KILLED"),
        (caused_by(RuntimeError("a reason"), KeyboardInterrupt()), "KILLED"),
        (caused_by(RuntimeError("a reason"), ValueError()), "FAILED"),
    ],
)
def test_status_tells_how_the_run_ended(
    workdir: Path, small_mnist: data.Dataset, error: BaseException, status: str
) -> None:
    with pytest.raises(type(error)), track_run(a_job(dataset=small_mnist)):
        raise error
    run = only_run(workdir)
    assert run.info.status == status
    assert str(error) in run.data.tags["failure_reason"]
    assert mlflow.active_run() is None


def test_configured_uri_is_used_and_put_back(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workdir / "mlflow.db").rename(workdir / "other.db")
    before = mlflow.get_tracking_uri()
    uri = f"sqlite:///{workdir}/other.db"
    with track_run(a_job(f"tracking.uri={uri}", dataset=small_mnist)):
        assert ui_command(mlflow.get_tracking_uri()) == f"python -m mnist_exp.ui tracking.uri={uri}"
    assert mlflow.get_tracking_uri() == before
    assert not (workdir / "mlflow.db").exists()


def test_environment_variable_is_honoured(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workdir / "mlflow.db").rename(workdir / "other.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workdir}/other.db")
    with track_run(a_job(dataset=small_mnist)):
        pass
    assert not (workdir / "mlflow.db").exists()


@pytest.mark.parametrize(
    "uri", ["sqlite:////proc/nowhere/x.db", "postgresql+psycopg://me@127.0.0.1:1/x"]
)
def test_unusable_store_is_a_users_mistake(
    workdir: Path, small_mnist: data.Dataset, uri: str
) -> None:
    with (
        pytest.raises(UserError, match="tracking.uri=.*: cannot be used"),
        track_run(a_job(f"tracking.uri={uri}", dataset=small_mnist)),
    ):
        pass


def test_a_server_that_drips_is_not_waited_for(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_FIRST_SECONDS", 1.0)
    with dripping(b"HTTP/1.1 200 OK\r\n") as uri:
        message = f"tracking.uri={uri}: cannot be used .no answer within 1 second"
        with (
            pytest.raises(UserError, match=message),
            track_run(a_job(f"tracking.uri={uri}", dataset=small_mnist)),
        ):
            pass


def test_a_run_that_begins_when_nobody_waits_any_more_is_ended(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers after the time that a run waits for it."""
    answers, create_run = threading.Event(), mlflow.MlflowClient.create_run
    watched: list[str] = []

    def create_slowly(*arguments: Any, **options: Any) -> Run:
        answers.wait(LIMIT)
        return create_run(*arguments, **options)

    monkeypatch.setattr(mlflow.MlflowClient, "create_run", create_slowly)
    monkeypatch.setattr(RunTracker, "watch_machine", lambda self, **_: watched.append(self.run_id))
    monkeypatch.setattr(store, "within", lambda seconds, *actions: within(0.5, *actions))
    with pytest.raises(UserError, match="no answer within"), track_run(a_job(dataset=small_mnist)):
        pass
    assert mlflow.MlflowClient().search_runs(["1"]) == []
    answers.set()
    until(
        lambda: [run.info.status for run in mlflow.MlflowClient().search_runs(["1"])] == ["FAILED"],
        "the end of the run",
    )
    assert "too late" in only_run(workdir).data.tags["failure_reason"]
    assert watched == []


def test_a_run_whose_machine_cannot_be_watched_is_ended(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no such server")

    monkeypatch.setattr(tracker, "SystemMetricsMonitor", fail)
    monkeypatch.setattr(machine, "can_be_watched", lambda: True)
    with pytest.raises(UserError, match="no such server"), track_run(a_job(dataset=small_mnist)):
        pass
    assert only_run(workdir).info.status == "FAILED"


def test_a_machine_that_cannot_be_watched_costs_a_warning(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with an empty variable, which MLflow takes for a number."""
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "")
    monkeypatch.setattr(machine, "can_be_watched", lambda: True)
    warnings: list[str] = []
    with track_run(a_job(dataset=small_mnist), warn=warnings.append):
        pass
    assert only_run(workdir).info.status == "FINISHED"
    assert warnings[0].startswith("the machine's load is not recorded (Failed to convert '' for ML")


def test_a_surrounding_job_keeps_its_run(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mlflow.MlflowClient()
    with mlflow.start_run() as outer:
        monkeypatch.setenv("MLFLOW_RUN_ID", outer.info.run_id)
        with track_run(a_job(dataset=small_mnist)) as run_tracker:
            pass
        active = mlflow.active_run()
        assert active is not None
        assert active.info.run_id == outer.info.run_id
    assert run_tracker.run_id != outer.info.run_id
    assert client.get_run(run_tracker.run_id).data.tags["mlflow.parentRunId"] == outer.info.run_id
    assert client.get_run(outer.info.run_id).data.params == {}


@pytest.mark.parametrize("table", ["datasets", "experiments"])
def test_what_another_run_makes_at_the_same_moment_is_shared(
    workdir: Path, small_mnist: data.Dataset, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow looks whether it is there, then makes it; the other run comes between the two."""
    for module in (experiments, store):  # as with an MLflow server
        monkeypatch.setattr(module, "store_lock", lambda uri: contextlib.nullcontext())
    others = list[threading.Thread]()

    def track(name: str) -> None:
        with track_run(a_job("tracking.experiment=new", run_name=name, dataset=small_mnist)):
            pass

    def come_between(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(f"INSERT INTO {table}") and not others:
            others.append(threading.Thread(target=track, args=["other"]))
            others[0].start()
            others[0].join()

    event.listen(Engine, "before_cursor_execute", come_between)
    try:
        track("one")
    finally:
        event.remove(Engine, "before_cursor_execute", come_between)
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("new")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    inputs = {run.info.run_name: run.inputs for run in runs}
    assert {name: given and len(given.dataset_inputs) for name, given in inputs.items()} == {
        "one": 3,
        "other": 3,
    }


def test_refused_settings_fail_the_run(workdir: Path, small_mnist: data.Dataset) -> None:
    job = a_job(f"+tags={{{'k' * 300}: x}}", dataset=small_mnist)
    with pytest.raises(UserError, match="MLflow refuses the run's settings"), track_run(job):
        pass
    assert only_run(workdir).info.status == "FAILED"


def test_nothing_is_left_to_do_at_exit(workdir: Path, small_mnist: data.Dataset) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with track_run(a_job(dataset=small_mnist)):
        pass
    assert signal.getsignal(signal.SIGTERM) is handler
    assert "MLFLOW_RUN_ID" not in os.environ


@pytest.mark.parametrize("store", ["file", "server"])
def test_artifacts_that_cannot_be_written_are_told_before_the_training(
    store: str, workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept results could never be sent. A server may name a folder of its own machine."""
    (workdir / "mlruns").write_text("in the way")
    if store == "server":
        monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "http://server:5000")
    refused = pytest.raises(UserError, match="mlruns/1, which cannot be written here")
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    experiment = client.get_experiment(client.create_experiment("mnist_exp", f"{workdir}/mlruns/1"))
    with refused as error:
        lifetime._check_artifacts(experiment)
    assert ("--serve-artifacts" in str(error.value)) == (store == "server")
    if store == "file":
        with refused, track_run(a_job(dataset=small_mnist)):
            pass
        assert client.search_runs([experiment.experiment_id]) == []
        assert (workdir / "mlruns").read_text() == "in the way"


def test_a_new_run_is_not_read_again_for_its_artifacts(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = mock.Mock()
    with track_run(a_job(dataset=small_mnist)) as run_tracker, monkeypatch.context() as patch:
        patch.setattr(SqlAlchemyStore, "get_run", read)
        run_tracker.log_text("a text", "notes.txt")
    assert not read.called
    folder = Path(only_run(workdir).info.artifact_uri)
    assert (folder / "notes.txt").read_text() == "a text"


def test_a_lost_run_that_others_may_not_change_stops_no_run(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a shared server, where each account reads the runs of all and changes its own."""
    with track_run(a_job(dataset=small_mnist)) as lost:
        lost_id = lost.run_id
    client = mlflow.MlflowClient()
    client.update_run(lost_id, "RUNNING")
    client.set_tag(lost_id, "process", f"{this_process()}0")
    refused = MlflowException("Permission denied", PERMISSION_DENIED)
    with monkeypatch.context() as patch:
        patch.setattr(SqlAlchemyStore, "set_tag", mock.Mock(side_effect=refused))
        experiments.fail_runs_of_dead_processes(client)
    assert client.get_run(lost_id).info.status == "RUNNING"
    experiments.fail_runs_of_dead_processes(client)
    assert client.get_run(lost_id).info.status == "FAILED"


def test_a_trial_leaves_lost_runs_to_its_study(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = mock.Mock()
    monkeypatch.setattr(experiments, "fail_runs_of_dead_processes", looked)
    with track_run(a_job(dataset=small_mnist, origin=Origin(is_retried=True))):
        pass
    assert not looked.called
    with track_run(a_job(dataset=small_mnist)):
        pass
    assert looked.called
