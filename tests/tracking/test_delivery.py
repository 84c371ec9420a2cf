"""What MLflow does not take now arrives later, in order and once, and nobody waits for it for long."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from mnist_exp.errors import RunIsGone, UserError
from mnist_exp.tracking import attempts, delivery, operations, outbox
from mnist_exp.tracking.operations import End, Metrics, Model, Tag, Text
from mnist_exp.tracking.outbox import Outbox
from mnist_exp.tracking.status import RunStatus
from mnist_exp.tracking.unsent import Unsent, pending
from tests.support.waiting import LIMIT


class Store:
    """A run in a real store, with what stands between it and the run."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mlflow.db"
        self.client = mlflow.MlflowClient(f"sqlite:///{self.file}")
        self.run_id = self.client.create_run("0").info.run_id
        self.warnings: list[str] = []
        self.outbox = Outbox(self.client, self.run_id, self.warnings.append)

    def send(self, steps: range) -> None:
        """A metric of each step, the tag of the newest step, and an artifact."""
        for step in steps:
            self.outbox.send(Metrics((("cost", step / 2, 1, step),)))
            self.outbox.send(Tag("newest", str(step)))
        self.outbox.send(Text(str(steps[-1]), "steps.txt"))

    def sync(self) -> None:
        for queue in pending():
            delivery.sync(queue, self.warnings.append)

    def check(self, steps: range) -> None:
        """Each metric once, the newest tag, the newest file, and no queue."""
        history = self.client.get_metric_history(self.run_id, "cost")
        assert sorted((m.step, m.value) for m in history) == [(step, step / 2) for step in steps]
        run = self.client.get_run(self.run_id)
        assert run.data.tags["newest"] == str(steps[-1])
        assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/steps.txt") == str(steps[-1])
        assert pending() == []


@pytest.fixture
def store(workdir: Path) -> Store:
    return Store(workdir)


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
    store: Store, in_the_way: Callable[..., None], refusal: Exception
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


def test_values_that_mlflow_does_not_take_are_the_callers_mistake(store: Store) -> None:
    with pytest.raises(MlflowException, match="exceed"):
        store.outbox.send(Tag("k" * 300, "x"))
    store.send(range(2))
    store.check(range(2))


def test_a_record_that_can_never_be_sent_does_not_stop_the_rest(store: Store) -> None:
    store.outbox.queue.append({"do": "tag", "key": "k" * 300, "value": "x"})
    store.send(range(2))
    store.outbox.close()
    assert "MLflow refuses a record, which is left out" in store.warnings[0]
    store.check(range(2))


def test_a_slow_store_delays_nobody_for_long(
    store: Store, in_the_way: Callable[..., None], monkeypatch: pytest.MonkeyPatch
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


def test_a_store_that_never_answers_ends_no_run(
    store: Store, in_the_way: Callable[..., None], monkeypatch: pytest.MonkeyPatch
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
    store: Store, in_the_way: Callable[..., None]
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
    store: Store, monkeypatch: pytest.MonkeyPatch, has_begun: bool
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


@pytest.mark.parametrize("what", ["run", "experiment"])
def test_deleted_in_the_ui_while_it_goes_on(workdir: Path, what: str) -> None:
    store = Store(workdir)
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
        RunIsGone, match=r"mlflow runs restore --run-id .*what waits in .* only then"
    ):
        store.sync()
    if what == "experiment":
        store.client.restore_experiment(experiment)
    store.client.restore_run(store.run_id)
    store.sync()
    store.check(range(4))


def test_a_removed_database_is_told_once(store: Store, empty_store: Path) -> None:
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
    said: list[str] = []
    for _ in range(2):
        delivery.send_earlier(store.client.tracking_uri, said.append)
    assert len(said) == 1
    assert f"run {store.run_id} is not in" in said[0]
    with pytest.raises(RunIsGone):  # who asks for it is told again
        store.sync()


def test_a_queue_of_an_earlier_version_is_sent(store: Store) -> None:
    """Metrics that arrived before the answer was lost, a deleted file's line cut short, a status."""
    store.client.log_metric(store.run_id, "cost", 0.0, step=0)
    queue = Unsent(store.run_id, store.client.tracking_uri)
    queue.folder.mkdir(parents=True)
    (queue.folder / "uri").write_text(queue.uri)
    (queue.folder / "operations.jsonl").write_text(
        '{"do": "metrics", "metrics": [["cost", 0.0, 1, 0]]}\n{"do": "metrics", "metrics": [["cost", 0.5, 1, 1]]}\n'
        '{"do": "tag", "key": "newest", "value": "1"}\n{"do": "text", "text": "1", "path": "steps.txt"}\n'
        '{"do": "end", "status": "FINISHED", "time": 1700000000000}\n{"do": "ta'
    )
    queue.append({"do": "tag", "key": "more", "value": "x"})
    store.sync()
    store.check(range(2))
    run = store.client.get_run(store.run_id)
    assert (run.info.status, run.info.end_time, run.data.tags["more"]) == (
        "FINISHED",
        1700000000000,
        "x",
    )


def test_a_queue_goes_to_its_own_store_and_to_no_other(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras
    import numpy as np

    store = Store(workdir)
    (workdir / "elsewhere").mkdir()
    monkeypatch.chdir(workdir / "elsewhere")
    images = keras.Input((28, 28, 1))
    (workdir / "model").mkdir()
    keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(images))).save(
        workdir / "model" / "model.keras"
    )
    np.save(workdir / "model" / "example.npy", np.zeros((28, 28), np.uint8))
    queue = Unsent(store.run_id, store.client.tracking_uri)
    queue.append({"do": "tag", "key": "a", "value": "b"})
    queue.append(
        {"do": "model", "folder": queue.keep_files(workdir / "model"), "kept": True, "step": 3}
    )
    entry = {"variant": "v", "accuracy": 0.5, "images": 100}
    queue.append({"do": "register", "step": 3, "entry": entry})
    store.sync()
    (model,) = store.client.search_logged_models(["0"])
    assert (model.source_run_id, model.status) == (store.run_id, "READY")
    assert [version.run_id for version in store.client.search_model_versions("name='v'")] == [
        store.run_id
    ]
    assert [path.name for path in Path.cwd().iterdir()] == ["outputs"]


def test_a_damaged_queue_is_named(store: Store) -> None:
    store.outbox.queue.append({"do": "tag", "key": "a", "value": "b"})
    (store.outbox.queue.folder / "operations.jsonl").write_text("[1]\n")
    with pytest.raises(UserError, match=r"operations\.jsonl: expected one operation a line"):
        store.sync()


def test_a_queue_of_a_later_version_is_left_alone(store: Store) -> None:
    store.outbox.queue.append({"do": "tag", "key": "a", "value": "b"})
    store.outbox.queue.append({"do": "dance"})
    with pytest.raises(UserError, match=r"this version does not know.*; nothing of it is sent"):
        store.sync()
    assert len(store.outbox.queue.operations()) == 2
    assert "a" not in store.client.get_run(store.run_id).data.tags


def test_a_good_end_takes_back_that_the_process_died(store: Store) -> None:
    store.client.set_tag(store.run_id, "failure_reason", "its process 1 on a died")
    store.client.set_terminated(store.run_id, "FAILED")
    store.outbox.send(End(RunStatus.FINISHED, 1))
    run = store.client.get_run(store.run_id)
    assert (run.info.status, "failure_reason" in run.data.tags) == ("FINISHED", False)


@pytest.mark.parametrize("is_old", [True, False])
def test_a_server_that_takes_no_models_gets_the_network(
    is_old: bool, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow 2 answers 404 for logged models, now and ever: a queue would wait in vain, and the run stay RUNNING."""

    def log(*_: Any) -> None:
        place = "logged-models/search" if is_old else "runs/log-batch"
        raise MlflowException(
            f"API request to endpoint /api/2.0/mlflow/{place} failed with error code 404 != 200."
        )

    monkeypatch.setattr(operations.model_package, "log", log)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "model.keras").write_bytes(b"weights")
    np.save(tmp_path / "kept" / "example.npy", np.zeros((28, 28), np.uint8))
    store.outbox.send(Model(folder=str(tmp_path / "kept"), step=3))
    assert bool(store.outbox.queue) != is_old
    if is_old:
        (file,) = store.client.list_artifacts(store.run_id, "model")
        assert file.path == "model/model.keras"
        assert "older than MLflow 3" in store.warnings[0]
