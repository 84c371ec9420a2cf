"""The JSON form of operations stays: queues on disk outlive the version that wrote them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_exp.tracking.operations import (
    KINDS,
    DatasetInput,
    DatasetInputs,
    End,
    Files,
    Metrics,
    Model,
    Operation,
    ParamsAndTags,
    Register,
    Tag,
    Text,
    files_below,
    from_json,
)
from mnist_exp.tracking.status import RunStatus
from mnist_exp.tracking.unsent import Unsent

DATASET = {"name": "mnist", "digest": "d", "source_type": "code", "source": "{}"}
ENTRY = {"variant": "v", "accuracy": 0.5, "images": 100}
# Each operation beside the line that the version before the operations were classes wrote.
FORMS: list[tuple[Operation, dict[str, Any]]] = [
    (
        Metrics([("train/cost", 0.5, 1700000000000, 3)]),
        {"do": "metrics", "metrics": [["train/cost", 0.5, 1700000000000, 3]]},
    ),
    (
        ParamsAndTags({"seed": "1"}, {"variant": "v"}),
        {"do": "settings", "params": {"seed": "1"}, "tags": {"variant": "v"}},
    ),
    (DatasetInput("train", DATASET), {"do": "dataset", "context": "train", "dataset": DATASET}),
    (
        DatasetInputs({"train": DATASET, "test": DATASET}),
        {"do": "datasets", "datasets": {"train": DATASET, "test": DATASET}},
    ),
    (Tag("a", "b"), {"do": "tag", "key": "a", "value": "b"}),
    (Text("t", "x/y.txt"), {"do": "text", "text": "t", "path": "x/y.txt"}),
    (Files(folder="files-0", kept=True), {"do": "files", "folder": "files-0", "kept": True}),
    (
        Model(folder="files-1", kept=True, step=3),
        {"do": "model", "folder": "files-1", "step": 3, "kept": True},
    ),
    (Register(3, ENTRY), {"do": "register", "step": 3, "entry": ENTRY}),
    (
        End(RunStatus.FINISHED, 1700000000000),
        {"do": "end", "status": "FINISHED", "time": 1700000000000},
    ),
]


def test_every_kind_has_a_form() -> None:
    assert [form["do"] for _, form in FORMS] == list(KINDS)


@pytest.mark.parametrize(("operation", "form"), FORMS, ids=list(KINDS))
def test_the_form_is_that_of_earlier_versions(operation: Operation, form: dict[str, Any]) -> None:
    assert json.loads(json.dumps(operation.to_json())) == form
    read = from_json(form)
    assert type(read) is type(operation)
    assert json.loads(json.dumps(read.to_json())) == form


@pytest.mark.parametrize(
    "record",
    [
        {"do": "dance"},
        {"do": "tag", "key": "a"},
        {"do": ["tag"]},
        {"do": None},
        {"do": "metrics", "metrics": [["cost", 0.5, 1, 2, "of later versions"]]},
        {"do": "dataset", "context": "train", "dataset": {**DATASET, "more": 1}},
        {"do": "datasets", "datasets": {"train": {**DATASET, "more": 1}}},
        {"do": "register", "step": 3, "entry": {**ENTRY, "more": 1}},
        {"do": "end", "status": "PAUSED", "time": 1},
    ],
)
def test_an_operation_of_another_version_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an operation that this version does not know"):
        from_json(record)


def test_what_another_version_adds_to_an_operation_is_passed_over() -> None:
    assert from_json({"do": "tag", "key": "a", "value": "b", "more": 1}) == Tag("a", "b")


def test_files_stay_until_they_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given" / "figures").mkdir(parents=True)
    np.save(tmp_path / "given" / "figures" / "x.npy", np.zeros(2))
    queue = Unsent("run1", "http://127.0.0.1:1")
    queue.append(Tag("a", "b").to_json())
    kept = Files(folder=str(tmp_path / "given")).kept_in(queue)
    assert kept.to_json() == {"do": "files", "folder": "files-0", "kept": True}
    taken = kept.taken_from(queue)
    assert files_below(Path(taken.folder)) == ["figures/x.npy"]
    assert Path(taken.folder).parent == queue.folder
