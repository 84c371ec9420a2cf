"""What MLflow does not take now arrives later, in order, once, and without long waits."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from mnist_exp.errors import RunIsGone, UserError
from mnist_exp.tracking import attempts, delivery, operations, outbox
from mnist_exp.tracking.experiment_ids import experiment_ids
from mnist_exp.tracking.operations import End, Metrics, Model, Tag
from mnist_exp.tracking.outbox import Outbox
from mnist_exp.tracking.status import RunStatus
from mnist_exp.tracking.unsent import Unsent
from tests.support.stored_run import StoredRun
from tests.support.waiting import LIMIT


@pytest.fixture
def store(workdir: Path) -> StoredRun:
    return StoredRun(workdir)


@pytest.fixture
def in_the_way(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Have an action done before each delivery."""
    originals = {kind: kind.deliver for kind in operations.KINDS.values()}

    def stand(action: Callable[[], None]) -> None:
        for kind, deliver in originals.items():

            def delivered(*arguments: Any, deliver: Callable[..., None] = deliver) -> None:
                action()
                deliver(*arguments)

            monkeypatch.setattr(kind, "deliver", delivered)

    return stand


REFUSALS = [
    MlflowException("bad token", databricks_pb2.UNAUTHENTICATED),
    MlflowException("not yours", databricks_pb2.PERMISSION_DENIED),
    MlflowException("no such path", databricks_pb2.ENDPOINT_NOT_FOUND),
    MlflowException("no such thing", databricks_pb2.RESOURCE_DOES_NOT_EXIST),
    MlflowException("<html>teapot</html>", databricks_pb2.BAD_REQUEST),
    MlflowException("database is locked", databricks_pb2.INTERNAL_ERROR),
    OSError(28, "No space left on device"),
    ValueError("Expecting value: line 1 column 1 (char 0)"),  # a proxy's page instead of JSON
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: str(error)[:20])
def test_what_is_refused_is_kept_and_arrives_later(
    store: StoredRun, in_the_way: Callable[..., None], refusal: Exception
) -> None:
    store.send(range(3))

    def refuse() -> None:
        raise refusal

    in_the_way(refuse)
    store.send(range(3, 6))
    store.outbox.close()
    assert len(store.warnings) == 2  # once for all that follows, and at the end
    assert str(refusal) in store.warnings[0]
    assert "kept on disk" in store.warnings[0]
    assert "python -m mnist_exp.sync" in store.warnings[1]
    in_the_way(lambda: None)
    store.sync()
    store.check(range(6))


def test_values_that_mlflow_does_not_take_are_the_callers_mistake(store: StoredRun) -> None:
    with pytest.raises(MlflowException, match="exceed"):
        store.outbox.send(Tag("k" * 300, "x"))
    store.send(range(2))
    store.check(range(2))


def test_a_slow_store_delays_nobody_for_long(
    store: StoredRun, in_the_way: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_GRACE_SECONDS", 0.3)
    monkeypatch.setattr(outbox, "_LAST_SECONDS", 60)
    in_the_way(lambda: time.sleep(0.1))
    began = time.monotonic()
    store.send(range(15))
    waited = time.monotonic() - began
    assert "MLflow takes long to answer" in store.warnings[0]
    store.outbox.close()
    assert waited < (time.monotonic() - began) / 2
    store.check(range(15))


def test_slowness_is_told_though_no_wait_was_cut_short(
    store: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last answer may come just as the time that training waits has run out."""
    monkeypatch.setattr(outbox, "_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(outbox, "_SHARE", 0.0)
    store.send(range(2))
    assert ["MLflow takes long to answer" in text for text in store.warnings] == [True]
    store.outbox.close()
    store.check(range(2))


def test_a_store_that_never_answers_ends_no_run(
    store: StoredRun, in_the_way: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(outbox, "_LAST_SECONDS", 0.2)
    store.send(range(2))
    answers = threading.Event()
    in_the_way(lambda: answers.wait(LIMIT) and None)
    began = time.monotonic()
    store.send(range(2, 4))
    store.outbox.close()
    assert time.monotonic() - began < 5
    assert "python -m mnist_exp.sync" in store.warnings[-1]
    answers.set()
    assert store.outbox._attempt is not None
    assert store.outbox._attempt.wait(LIMIT)  # what was under way arrives after all
    store.sync()
    store.check(range(4))


def test_an_interrupted_request_is_repeated_once(
    store: StoredRun, in_the_way: Callable[..., None]
) -> None:
    """Ctrl-C while the store has the request: nobody knows whether it came through."""
    came = threading.Event()

    def interrupt() -> None:
        if not came.is_set():
            came.set()
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)

    in_the_way(interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.outbox.send(Metrics((("cost", 0.0, 1, 0),)))
    store.send(range(1, 3))
    store.outbox.close()
    store.check(range(3))
    assert store.warnings == []


@pytest.mark.parametrize("has_begun", [True, False])
def test_an_operation_interrupted_as_it_begins_is_not_lost(
    store: StoredRun, monkeypatch: pytest.MonkeyPatch, has_begun: bool
) -> None:
    start = attempts.Attempt.start

    def interrupted(attempt: attempts.Attempt[Any]) -> attempts.Attempt[Any]:
        monkeypatch.setattr(attempts.Attempt, "start", start)
        if has_begun:
            start(attempt)
        raise KeyboardInterrupt

    monkeypatch.setattr(attempts.Attempt, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.outbox.send(Metrics((("cost", 0.0, 1, 0),)))
    store.send(range(1, 3))
    store.outbox.close()
    store.check(range(3))


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("what", ["run", "experiment"])
def test_deleted_in_the_ui_while_it_goes_on(workdir: Path, what: str) -> None:
    store = StoredRun(workdir)
    experiment = store.client.create_experiment("other")
    store.run_id = store.client.create_run(experiment).info.run_id
    store.outbox = Outbox(store.client, store.run_id, store.warnings.append)
    store.send(range(2))
    if what == "run":
        store.client.delete_run(store.run_id)
    else:
        store.client.delete_experiment(experiment)
    store.send(range(2, 4))
    store.outbox.close()
    assert f"run {store.run_id} was deleted" in store.warnings[0]
    with pytest.raises(
        RunIsGone, match=rf"mlflow {what}s restore --{what}-id .*what waits in .* only then"
    ) as gone:
        store.sync()
    # The very command that is printed brings the run back.
    command = str(gone.value).split("`")[1].split(" mlflow ")[1]
    subprocess.run(
        [sys.executable, "-m", "mlflow", *command.split()],
        env=os.environ | {"MLFLOW_TRACKING_URI": store.client.tracking_uri},
        check=True,
    )
    assert experiment in experiment_ids(store.client).values()
    store.sync()
    store.check(range(4))


def test_a_removed_database_is_told_once(store: StoredRun, empty_store: Path) -> None:
    store.send(range(2))
    kept = store.file.with_name("kept.db")
    store.file.rename(kept)
    store.send(range(2, 4))
    store.outbox.close()
    assert f"{store.file} was deleted or replaced" in store.warnings[0]
    assert not store.file.exists()
    with pytest.raises(UserError, match=r"there is no database"):
        store.sync()
    assert not store.file.exists()
    store.file.write_bytes(
        empty_store.read_bytes()
    )  # as the next run makes it, which is another process:
    for engine in SqlAlchemyStore._engine_map.values():
        engine.dispose()
    warnings: list[str] = []
    for _ in range(2):
        delivery.send_earlier(store.client.tracking_uri, warnings.append)
    assert len(warnings) == 1
    assert f"run {store.run_id} is not in" in warnings[0]
    with pytest.raises(RunIsGone):  # `sync` reports it each time
        store.sync()


def test_a_good_end_takes_back_that_the_process_died(store: StoredRun) -> None:
    store.client.set_tag(store.run_id, "failure_reason", "its process 1 on a died")
    store.client.set_terminated(store.run_id, "FAILED")
    store.outbox.send(End(RunStatus.FINISHED, 1))
    run = store.client.get_run(store.run_id)
    assert (run.info.status, "failure_reason" in run.data.tags) == ("FINISHED", False)


@pytest.mark.parametrize("is_old", [True, False])
def test_a_server_that_takes_no_models_gets_the_network(
    is_old: bool, store: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow 2 answers 404 for logged models: a queue would wait in vain, the run stay RUNNING."""

    def log(*_: Any) -> None:
        place = "logged-models/search" if is_old else "runs/log-batch"
        raise MlflowException(
            f"API request to endpoint /api/2.0/mlflow/{place} failed with error code 404 != 200."
        )

    monkeypatch.setattr("mnist_exp.serving.package.log", log)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "model.keras").write_bytes(b"weights")
    np.save(tmp_path / "kept" / "example.npy", np.zeros((28, 28), np.uint8))
    store.outbox.send(Model(folder=str(tmp_path / "kept"), step=3))
    assert bool(store.outbox.queue) != is_old
    if is_old:
        files = store.client.list_artifacts(store.run_id, "model")
        assert {file.path for file in files} == {"model/example.npy", "model/model.keras"}
        assert "older than MLflow 3" in store.warnings[0]


@pytest.mark.parametrize("is_old", [True, False])
def test_a_server_that_takes_no_datasets_gets_all_that_follows(
    is_old: bool, store: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "runs/log-inputs" if is_old else "runs/log-batch"

    def log(*_: Any) -> None:
        raise MlflowException(
            f"API request to endpoint /api/2.0/mlflow/{place} failed with error code 404 != 200."
        )

    monkeypatch.setattr(store.client, "log_inputs", log)
    dataset = {"name": "a", "digest": "b", "source_type": "local", "source": "c"}
    store.outbox.send(operations.DatasetInputs({"train": dataset}))
    store.outbox.send(operations.Tag("later", "yes"))
    assert ("later" in store.client.get_run(store.run_id).data.tags) == is_old
    assert is_old == any("older than MLflow 2.4" in warning for warning in store.warnings)


def test_files_that_are_kept_while_the_last_result_is_sent_stay(
    store: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender removes the folder of the queue, unless there is more to send."""
    queue = store.outbox.queue
    queue.append({"do": "tag", "key": "a", "value": "b"})
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.png").write_bytes(b"a picture")
    keep, sender = Unsent.keep_files, threading.Thread(target=queue.delivered, args=(1,))

    def keep_slowly(self: Unsent, folder: Path) -> str:
        name = keep(self, folder)
        sender.start()
        sender.join(0.3)  # it waits for the one who keeps
        return name

    monkeypatch.setattr(Unsent, "keep_files", keep_slowly)
    store.outbox._keep(operations.Files(folder=str(tmp_path / "figures")))
    sender.join(LIMIT)
    (operation,) = queue.operations()
    assert (queue.folder / operation["folder"] / "a.png").read_bytes() == b"a picture"
