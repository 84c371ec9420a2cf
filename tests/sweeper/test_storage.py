"""Waiting trials are the budget; one worker gets each, and a dead worker's trial is waited for again."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.processes import this_process
from mnist_exp.sweeper.storage import (
    FAILURE,
    LAUNCH,
    RETRIES,
    WORKER,
    NothingWaits,
    StudyStorage,
    absolute_url,
    is_alive,
)


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    """With three trials that wait."""
    study = optuna.create_study(study_name="study", storage=storage)
    for _ in range(3):
        study.enqueue_trial({})
    return study


def claim(storage: StudyStorage, trial_id: int) -> bool:
    return storage.set_trial_state_values(trial_id, TrialState.RUNNING)


def ids(study: optuna.Study) -> list[int]:
    return [trial._trial_id for trial in study.get_trials()]


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.get_trials()]


def test_a_claimed_trial_names_its_worker(storage: StudyStorage, study: optuna.Study) -> None:
    told: list[int] = []
    storage.on_claim = told.append
    assert claim(storage, ids(study)[1])
    trial = study.get_trials()[1]
    assert trial.user_attrs[WORKER] == this_process()
    assert trial.user_attrs[LAUNCH] == "this"
    assert told == [1]
    assert is_alive(trial)
    assert storage.owns(ids(study)[1])
    assert not storage.owns(ids(study)[0])


def test_a_trial_is_claimed_once(url: str, study: optuna.Study) -> None:
    """Eight threads, each with a connection of its own, ask for all three."""
    claimed: list[int] = []
    waiting = ids(study)

    def work() -> None:
        storage = StudyStorage(url, heartbeat=60)
        claimed.extend(trial_id for trial_id in waiting if claim(storage, trial_id))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == waiting


def test_a_worker_cannot_make_trials(storage: StudyStorage, study: optuna.Study) -> None:
    with pytest.raises(NothingWaits):
        study.optimize(lambda trial: 0.0)
    assert states(study) == ["COMPLETE"] * 3


def test_what_runs_in_a_live_process_is_left_alone(storage: StudyStorage, study: optuna.Study) -> None:
    claim(storage, ids(study)[0])
    assert storage.give_back_lost(study._study_id, max_retries=0) == []
    assert states(study)[0] == "RUNNING"


def lose(storage: StudyStorage, trial_id: int) -> None:
    """Let the trial run in a process that is dead."""
    code = "from mnist_exp.sweeper.processes import this_process; print(this_process())"
    dead = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
    claim(storage, trial_id)
    storage.set_trial_user_attr(trial_id, WORKER, dead.strip())


def test_what_a_dead_process_ran_waits_under_its_number(storage: StudyStorage, study: optuna.Study) -> None:
    lose(storage, ids(study)[1])
    assert storage.give_back_lost(study._study_id, max_retries=3) == [1]
    assert states(study) == ["WAITING"] * 3
    assert study.get_trials()[1].user_attrs[RETRIES] == 1


def test_killed_between_claim_and_mark(storage: StudyStorage, study: optuna.Study) -> None:
    optuna.storages.RDBStorage.set_trial_state_values(storage, ids(study)[0], TrialState.RUNNING)
    assert storage.give_back_lost(study._study_id, max_retries=3) == [0]


def test_too_many_deaths_fail_a_trial(storage: StudyStorage, study: optuna.Study) -> None:
    for _ in range(2):
        lose(storage, ids(study)[0])
        assert storage.give_back_lost(study._study_id, max_retries=2) == [0]
    lose(storage, ids(study)[0])
    assert storage.give_back_lost(study._study_id, max_retries=2) == []
    trial = study.get_trials()[0]
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs[FAILURE] == "its worker died 3 times (max_retries=2)"


def test_the_end_of_a_whole_sweep_does_not_count(storage: StudyStorage, study: optuna.Study) -> None:
    for _ in range(5):
        lose(storage, ids(study)[0])
        assert storage.give_back_lost(study._study_id, max_retries=None) == [0]
    assert study.get_trials()[0].user_attrs[RETRIES] == 0


def test_of_another_machine_only_heartbeats_tell(storage: StudyStorage, study: optuna.Study) -> None:
    claim(storage, ids(study)[0])
    storage.set_trial_user_attr(ids(study)[0], WORKER, "elsewhere/1/1.00")
    assert storage.give_back_lost(study._study_id, max_retries=3) == []
    silence(storage, ids(study)[0], seconds=100)
    assert storage.give_back_lost(study._study_id, max_retries=3) == []
    silence(storage, ids(study)[0], seconds=130)
    assert storage.give_back_lost(study._study_id, max_retries=3) == [0]


def silence(storage: StudyStorage, trial_id: int, seconds: int) -> None:
    """Set the last heartbeat back."""
    with sqlite3.connect(storage.engine.url.database or "") as connection:
        connection.execute(
            "UPDATE trial_heartbeats SET heartbeat = datetime('now', ?) WHERE trial_id = ?",
            (f"-{seconds} seconds", trial_id),
        )


def test_a_worker_that_stops_gives_back_only_what_it_claimed(url: str, study: optuna.Study) -> None:
    one, other = StudyStorage(url, heartbeat=60), StudyStorage(url, heartbeat=60)
    claim(one, ids(study)[0])
    claim(other, ids(study)[1])
    one.give_back_claimed()
    assert states(study) == ["WAITING", "RUNNING", "WAITING"]
    one.give_back_claimed()
    other.set_trial_state_values(ids(study)[1], TrialState.COMPLETE, [1.0])
    other.give_back_claimed()
    assert states(study) == ["WAITING", "COMPLETE", "WAITING"]


def test_optuna_fails_no_silent_trial(storage: StudyStorage, study: optuna.Study) -> None:
    claim(storage, ids(study)[0])
    silence(storage, ids(study)[0], seconds=1000)
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        optuna.storages.fail_stale_trials(study)
    assert states(study)[0] == "RUNNING"


def test_urls_of_files_hold_in_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_url("sqlite:///a.db") == f"sqlite:///{tmp_path}/a.db"
    assert absolute_url("sqlite+pysqlite:///a.db") == f"sqlite+pysqlite:///{tmp_path}/a.db"
    assert absolute_url("sqlite:///a.db?timeout=5") == f"sqlite:///{tmp_path}/a.db?timeout=5"
    assert absolute_url("postgresql://me:secret@host/db") == "postgresql://me:secret@host/db"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("optuna.db", "a URL such as sqlite:///FILE"),
        ("nosuch:///a.db", "a URL such as|cannot be used"),
        ("sqlite://", "a file, which workers can share"),
        ("sqlite:///:memory:", "a file, which workers can share"),
        ("sqlite:///file:a.db?uri=true", "a path, not a URI"),
    ],
)
def test_urls_that_cannot_be_used(url: str, expected: str) -> None:
    with pytest.raises(SweepError, match=expected):
        StudyStorage(absolute_url(url), heartbeat=60)


@pytest.mark.parametrize(
    "place", ["sqlite:///text.db/a.db", "postgresql+nosuchdriver://me:secret@localhost:1/db"]
)
def test_databases_out_of_reach_are_refused_without_the_password(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.db").write_text("a file, not a folder")
    with pytest.raises(SweepError, match="^hydra.sweeper.storage=.*cannot be used") as error:
        StudyStorage(absolute_url(place), heartbeat=60)
    assert "secret" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, and long enough to be looked at" * 100)
    with pytest.raises(SweepError, match="file is not a database"):
        StudyStorage(f"sqlite:///{tmp_path / 'text.db'}", heartbeat=60)


def test_a_database_of_mlflow_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
    with pytest.raises(SweepError, match="holds MLflow's tables; expected a database of its own"):
        StudyStorage(f"sqlite:///{database}", heartbeat=60)
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("experiments",)]
