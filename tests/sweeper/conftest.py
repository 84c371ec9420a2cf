"""Sweeps in this process, and databases that are made once."""

import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from omegaconf import DictConfig

from mnist_exp.sweeper.storage import StudyStorage
from tests.support.sweeps import apps


class Sweep:
    """Runs a sweep in `folder`, with the basic launcher unless told otherwise."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.output = ""

    def __call__(
        self, task: Callable[[DictConfig], Any], *overrides: str, **settings: object
    ) -> optuna.Study:
        try:
            apps.run(task, self.folder, [*overrides, *apps.written(settings)])
        finally:
            self.output = self._capsys.readouterr().out
        return self.study

    def refused(
        self,
        task: Callable[[DictConfig], Any],
        *overrides: str,
        most_lines: int = 2,
        **settings: object,
    ) -> str:
        """Run a sweep that exits with code 1; returns what it says on stderr."""
        with pytest.raises(SystemExit) as exit_info:
            apps.run(task, self.folder, [*overrides, *apps.written(settings)])
        printed = self._capsys.readouterr()
        self.output = printed.out
        assert exit_info.value.code == 1
        assert 1 <= len(printed.err.strip().splitlines()) <= most_lines, printed.err
        assert "Traceback" not in printed.err
        assert "RUNNING" not in apps.states(self.folder)
        return printed.err

    @property
    def study(self) -> optuna.Study:
        return apps.study(self.folder)

    @property
    def states(self) -> list[str]:
        return apps.states(self.folder)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with Optuna's tables and nothing in them."""
    path = tmp_path_factory.mktemp("storage") / "optuna.db"
    StudyStorage(f"sqlite:///{path}", heartbeat=60).remove_session()
    return path


@pytest.fixture
def folder(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty but for such a database."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_database, tmp_path / "optuna.db")
    return tmp_path


@pytest.fixture
def sweep(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Sweep:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    if "absl.logging" in sys.modules:
        # TensorFlow's handler closes its stream, here pytest's, when Hydra configures logging.
        monkeypatch.setattr(
            sys.modules["absl.logging"].PythonHandler, "close", logging.StreamHandler.close
        )
    return Sweep(folder, capsys)


@pytest.fixture
def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'optuna.db'}"


@pytest.fixture
def storage(url: str) -> StudyStorage:
    return StudyStorage(url, heartbeat=60, launch="this")


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    """With three trials that wait."""
    study = optuna.create_study(study_name="study", storage=storage)
    for _ in range(3):
        study.enqueue_trial({})
    return study


def claim(storage: StudyStorage, study: optuna.Study) -> int:
    """The id of the first trial that waits, which is this process' own now."""
    claimed = storage.claim(study._study_id)
    assert claimed is not None
    return claimed
