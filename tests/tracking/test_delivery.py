"""Queues on disk are sent by whichever process finds them."""

from pathlib import Path

import numpy as np
import pytest

from mnist_exp.errors import UserError
from mnist_exp.tracking.unsent import Unsent
from tests.support.stored_run import StoredRun


@pytest.fixture
def store(workdir: Path) -> StoredRun:
    return StoredRun(workdir)


def test_a_record_that_can_never_be_sent_does_not_stop_the_rest(store: StoredRun) -> None:
    store.outbox.queue.append({"do": "tag", "key": "k" * 300, "value": "x"})
    store.send(range(2))
    store.outbox.close()
    assert "MLflow refuses a record, which is left out" in store.warnings[0]
    store.check(range(2))


def test_a_queue_of_an_earlier_version_is_sent(store: StoredRun) -> None:
    """It has metrics that arrived although their answer was lost, and a line that was cut short."""
    store.client.log_metric(store.run_id, "cost", 0.0, step=0)
    queue = Unsent(store.run_id, store.client.tracking_uri)
    queue.folder.mkdir(parents=True)
    (queue.folder / "uri").write_text(queue.uri)
    (queue.folder / "operations.jsonl").write_text(
        '{"do": "metrics", "metrics": [["cost", 0.0, 1, 0]]}\n'
        '{"do": "metrics", "metrics": [["cost", 0.5, 1, 1]]}\n'
        '{"do": "tag", "key": "newest", "value": "1"}\n'
        '{"do": "text", "text": "1", "path": "steps.txt"}\n'
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

    store = StoredRun(workdir)
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


def test_a_damaged_queue_is_named(store: StoredRun) -> None:
    store.outbox.queue.append({"do": "tag", "key": "a", "value": "b"})
    (store.outbox.queue.folder / "operations.jsonl").write_text("[1]\n")
    with pytest.raises(UserError, match=r"operations\.jsonl: expected one operation a line"):
        store.sync()


def test_a_queue_of_a_later_version_is_left_alone(store: StoredRun) -> None:
    store.outbox.queue.append({"do": "tag", "key": "a", "value": "b"})
    store.outbox.queue.append({"do": "dance"})
    with pytest.raises(UserError, match=r"this version does not know.*; nothing of it is sent"):
        store.sync()
    assert len(store.outbox.queue.operations()) == 2
    assert "a" not in store.client.get_run(store.run_id).data.tags
