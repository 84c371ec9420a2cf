"""Queues on disk are sent by whichever process finds them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_exp import sync
from mnist_exp.errors import UserError
from mnist_exp.tracking import delivery
from mnist_exp.tracking.store import uri_to_read
from mnist_exp.tracking.unsent import Unsent, pending
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


ENTRY = {"variant": "v", "accuracy": 0.5, "images": 100, "more": 1}
BAD_RECORDS = [
    {"do": "register", "step": 3, "entry": ENTRY},  # of a later version
    {"do": "tag", "key": "a", "value": 1},  # that another program wrote
]


@pytest.mark.parametrize("record", BAD_RECORDS, ids=["later version", "other program"])
@pytest.mark.parametrize("by", ["the next run", "mnist_exp.sync"])
def test_a_bad_queue_does_not_keep_another_from_being_sent(
    store: StoredRun, record: dict[str, Any], by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_ids = sorted([store.run_id, store.client.create_run("0").info.run_id])
    bad, good = (Unsent(run_id, store.client.tracking_uri) for run_id in run_ids)
    bad.append(record)
    good.append({"do": "tag", "key": "a", "value": "b"})
    if by == "the next run":
        delivery.send_earlier(store.client.tracking_uri, store.warnings.append)
        assert len(store.warnings) == 1
        message = store.warnings[0]
    else:
        assert sync.run([]) == 1
        message = capsys.readouterr().err
    assert str(bad.folder) in message
    assert store.client.get_run(good.run_id).data.tags["a"] == "b"
    assert [queue.run_id for queue in pending()] == [bad.run_id]


@pytest.mark.parametrize("by", ["the next run", "mnist_exp.sync"])
def test_a_queue_whose_address_is_no_text_does_not_keep_another_from_being_sent(
    store: StoredRun, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_ids = sorted([store.run_id, store.client.create_run("0").info.run_id])
    bad, good = (Unsent(run_id, store.client.tracking_uri) for run_id in run_ids)
    for queue in (bad, good):
        queue.append({"do": "tag", "key": "a", "value": "b"})
    (bad.folder / "uri").write_bytes(b"\xff\xfe")
    if by == "the next run":
        delivery.send_earlier(store.client.tracking_uri, store.warnings.append)
    else:
        assert sync.run([]) == 1
        assert "is no URI of a database or server" in capsys.readouterr().err
    assert store.client.get_run(good.run_id).data.tags["a"] == "b"
    assert [queue.run_id for queue in pending()] == [bad.run_id]


def test_a_store_that_fails_after_a_first_look_is_named_with_the_queue(
    store: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the queue's store, which tracking.uri need not name."""
    store.outbox.queue.append({"do": "tag", "key": "a", "value": "b"})

    def look_and_break(uri: str) -> str:
        checked = uri_to_read(uri)
        store.file.write_bytes(b"no database any more" * 1000)
        return checked

    monkeypatch.setattr(delivery, "uri_to_read", look_and_break)
    with pytest.raises(UserError, match=f"cannot take what waits in {store.outbox.queue.folder}"):
        store.sync()
