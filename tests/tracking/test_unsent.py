import math
from pathlib import Path

import pytest

from mnist_exp.errors import UserError
from mnist_exp.tracking.unsent import Unsent, pending


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unsent:
    monkeypatch.chdir(tmp_path)
    return Unsent("run1", "http://127.0.0.1:1")


def test_order_is_kept_until_delivered(queue: Unsent) -> None:
    assert not queue
    for number in range(3):
        queue.append({"do": "text", "text": str(number), "path": "x"})
    assert queue
    assert [operation["text"] for operation in queue.operations()] == ["0", "1", "2"]
    queue.delivered(2)
    assert [operation["text"] for operation in queue.operations()] == ["2"]
    queue.delivered(1)
    assert not queue
    assert not queue.folder.exists()


def test_another_process_finds_it(queue: Unsent) -> None:
    queue.append({"do": "tag", "key": "a", "value": "b"})
    (found,) = pending()
    assert (found.run_id, found.uri) == ("run1", "http://127.0.0.1:1")
    assert found.operations() == queue.operations()


def test_a_line_cut_short_is_left_out(queue: Unsent) -> None:
    queue.append({"do": "tag", "key": "a", "value": "b"})
    with (queue.folder / "operations.jsonl").open("a") as file:
        file.write('{"do": "ta')
    assert len(queue.operations()) == 1


def test_not_a_number_comes_back(queue: Unsent) -> None:
    queue.append({"do": "metrics", "metrics": [["train/cost", float("nan"), 1, 2]]})
    assert math.isnan(queue.operations()[0]["metrics"][0][1])


def test_files_are_copied(queue: Unsent, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "x.png").write_bytes(b"picture")
    queue.append({"do": "tag", "key": "a", "value": "b"})
    names = [queue.keep_files(tmp_path / "figures") for _ in range(2)]
    assert len(set(names)) == 2
    assert (queue.folder / names[1] / "x.png").read_bytes() == b"picture"


def test_a_disk_that_refuses_is_a_users_problem(queue: Unsent) -> None:
    queue.folder.parent.mkdir(parents=True)
    queue.folder.write_text("a file where the folder should be")
    with pytest.raises(UserError, match="neither MLflow nor this folder takes results"):
        queue.append({"do": "tag", "key": "a", "value": "b"})
