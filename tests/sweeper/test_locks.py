"""Locks of files: on links, and where the file system has none."""

import errno
import fcntl
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from mnist_exp.errors import UserError
from mnist_exp.sweeper import database, locks
from mnist_exp.training import checkpoint


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for, as filelock does, which takes an earlier lock's file for a lock."""
    (tmp_path / "a.lock").touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / checkpoint._LOCK).touch()

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, "nothing of the kind")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match=f"file system of {tmp_path} has no locks"):
        locks.file_lock(tmp_path / "a.lock").acquire()
    with pytest.raises(UserError, match="cannot be locked"), checkpoint.alone(tmp_path / "run"):
        pass


def test_a_folder_in_which_nothing_can_be_made_is_told() -> None:
    """filelock would wait for ever: it believes that another program removed the file."""
    with pytest.raises(OSError, match="No such file or directory"):
        locks.file_lock(Path("/proc/x.lock"), timeout=5).acquire()


def test_the_folder_of_a_lock_is_made(tmp_path: Path) -> None:
    """The first results that MLflow does not take are kept in a folder that nobody has made yet."""
    with locks.file_lock(tmp_path / "outputs" / "unsent" / ".a.lock", timeout=5):
        assert (tmp_path / "outputs" / "unsent").is_dir()


def test_links_to_a_database_share_its_lock(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.db").touch()
    (tmp_path / "link.db").symlink_to("real/a.db")
    with database.file_lock(tmp_path / "link.db"):
        second = locks.file_lock(tmp_path / "real" / ".a.db.lock", timeout=0)
        with pytest.raises(TimeoutError):
            second.acquire()
    assert not list(tmp_path.glob(".link*"))


def test_a_server_that_knows_no_negative_time_is_waited_for_all_the_same() -> None:
    """MariaDB answers GET_LOCK with a negative time at once, and without a lock."""
    asked: list[tuple[str, dict[str, object]]] = []

    class Answer:
        def __init__(self, number: int | None) -> None:
            self.scalar = lambda: number

    class Connection:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def execute(self, query: object, values: dict[str, object]) -> Answer:
            asked.append((str(query), values))
            seconds = values.get("seconds", -1)
            assert isinstance(seconds, int)
            return Answer(1 if seconds > 0 and values["name"] == "free" else None)

    engine: Any = SimpleNamespace(dialect=SimpleNamespace(name="mariadb"), connect=Connection)
    with database.lock(engine, "free"):
        assert [query.split("(")[0] for query, _ in asked] == ["SELECT GET_LOCK"]
    assert "RELEASE_LOCK" in asked[-1][0]
    with pytest.raises(OSError, match="no lock kept"), database.lock(engine, "kept"):
        raise AssertionError
