"""Locks of files: on links, and where the file system has none."""

import errno
import fcntl
from pathlib import Path

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
