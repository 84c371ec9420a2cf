import os
from pathlib import Path

import pytest

from mnist_exp import data
from mnist_exp.data import last_read, npz_files
from mnist_exp.data.parts import Contents
from mnist_exp.errors import DataError
from tests.support.data_forms import some_images, write_npz, write_pictures


@pytest.fixture(autouse=True)
def _reads_nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_read, "_kept", last_read._Kept([], None))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read from now on."""
    paths: list[Path] = []
    read = npz_files._read

    def noted(path: Path) -> Contents:
        paths.append(path)
        return read(path)

    monkeypatch.setattr(npz_files, "_read", noted)
    return paths


def load(path: Path, **settings: int) -> data.Dataset:
    return data.load(dir=path, validation_size=settings.pop("validation_size", 5), **settings)  # type: ignore[arg-type]


def test_files_are_read_once_for_runs_that_follow_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_read, "_TICK", 0)
    path, read = write_npz(tmp_path / "x.npz", some_images()), counted(monkeypatch)
    whole = load(path)
    assert len(load(path, train_limit=3).train) == 3
    assert load(path).digest == whole.digest
    assert read == [path]


def test_a_file_that_changed_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_read, "_TICK", 0)
    path = write_npz(tmp_path / "x.npz", some_images(seed=0))
    before, stat = load(path), path.stat()
    write_npz(path, some_images(seed=1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as copying programs do
    assert load(path).digest != before.digest


def test_a_file_that_has_just_changed_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_read, "_TICK", 10**18)
    path, read = write_npz(tmp_path / "x.npz", some_images()), counted(monkeypatch)
    load(path)
    load(path)
    assert len(read) == 2


def test_a_picture_that_is_added_is_seen_and_a_larger_part_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_read, "_TICK", 0)
    folder = write_pictures(tmp_path, some_images(), ("cat", "dog", "owl"))
    few, whole = load(folder, train_limit=4), load(folder)
    assert (len(few.train), len(whole.train)) == (4, 35)
    first = next((folder / "train/cat").iterdir())
    (folder / "train/cat/more.png").write_bytes(first.read_bytes())
    assert len(load(folder).train) == 36


def test_what_is_kept_cannot_be_changed(tmp_path: Path) -> None:
    read = load(write_npz(tmp_path / "x.npz", some_images()))
    with pytest.raises(ValueError, match="read-only"):
        read.train.images[0] = 0


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    source = npz_files.source(tmp_path / "x.npz")
    with pytest.raises(DataError, match="x.npz: cannot be read .No such file"):
        last_read.contents(source)
