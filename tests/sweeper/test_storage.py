"""Each waiting trial goes to one worker; the trial of a worker that died waits again."""

import functools
import sqlite3
import subprocess
import sys
import threading
from datetime import datetime
from zoneinfo import ZoneInfo

import optuna
import pytest
import sqlalchemy
from optuna.storages._rdb import models
from optuna.trial import TrialState

from benchmarks.postgresql import Server
from mnist_exp.sweeper.attributes import DRAWN, FAILURE, HEARTBEAT, LAUNCH, RETRIES, WORKER
from mnist_exp.sweeper.cache import StudyCache
from mnist_exp.sweeper.processes import this_process
from mnist_exp.sweeper.storage import StudyStorage, TakenOver, is_alive
from tests.sweeper.conftest import claim


def ids(study: optuna.Study) -> list[int]:
    return [trial._trial_id for trial in study.get_trials()]


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.get_trials()]


def test_a_claimed_trial_names_its_worker(storage: StudyStorage, study: optuna.Study) -> None:
    trial_id = claim(storage, study)
    trial = study.get_trials()[0]
    assert trial._trial_id == trial_id
    assert trial.user_attrs == {WORKER: this_process(), LAUNCH: "this", HEARTBEAT: 60}
    assert trial.datetime_start is not None
    assert is_alive(trial)
    assert storage.owns(trial_id)
    assert not storage.owns(ids(study)[1])


def test_a_trial_is_claimed_once(url: str, study: optuna.Study) -> None:
    """Eight threads, each with a connection of its own, ask for all three."""
    claimed: list[int] = []

    def work() -> None:
        storage = StudyStorage(url, heartbeat=60)
        while (trial_id := storage.claim(study._study_id)) is not None:
            claimed.append(trial_id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == ids(study)


def test_trials_that_are_added_wait_as_those_that_optuna_enqueues(storage: StudyStorage) -> None:
    study = optuna.create_study(study_name="study", storage=storage)
    for parameters, attributes in (({"x": 1}, {"a": [1]}), ({}, {})):
        study.enqueue_trial(parameters, user_attrs=attributes)
        storage.add_waiting(study._study_id, [(parameters, attributes)])
    first, second, third, fourth = study.get_trials()
    for enqueued, added in ((first, second), (third, fourth)):
        added.number, added._trial_id = enqueued.number, enqueued._trial_id
        assert added == enqueued
    assert [trial.number for trial in study.get_trials()] == [0, 1, 2, 3]
    assert ids(study) == sorted(ids(study))


def test_counts_and_attributes(storage: StudyStorage, study: optuna.Study) -> None:
    assert storage.counts(study._study_id) == {TrialState.WAITING: 3}
    for launch in ("before", "this"):
        trial_id = claim(storage, study)
        storage.set_trial_user_attr(trial_id, LAUNCH, launch)
        storage.set_trial_state_values(trial_id, TrialState.FAIL)
    assert storage.counts(study._study_id)[TrialState.FAIL] == 2
    assert storage.count_failed(study._study_id, "this") == 1
    assert storage.attributes(study._study_id, LAUNCH) == [
        (TrialState.FAIL, "before"),
        (TrialState.FAIL, "this"),
    ]
    empty = optuna.create_study(study_name="other", storage=storage)
    assert storage.count_failed(empty._study_id, "this") == 0
    assert storage.claim(empty._study_id) is None


def test_what_runs_in_a_live_process_is_left_alone(
    storage: StudyStorage, study: optuna.Study
) -> None:
    claim(storage, study)
    assert storage.give_back_lost(study._study_id, max_retries=0) == []
    assert states(study)[0] == "RUNNING"


@functools.cache
def dead_process() -> str:
    code = "from mnist_exp.sweeper.processes import this_process; print(this_process())"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


def lose(storage: StudyStorage, study: optuna.Study) -> int:
    """Let the first trial that waits run in a process that is dead; returns its id."""
    trial_id = claim(storage, study)
    storage.set_trial_user_attr(trial_id, WORKER, dead_process())
    return trial_id


def test_what_a_dead_process_ran_waits_under_its_number(
    storage: StudyStorage, study: optuna.Study
) -> None:
    claim(storage, study)
    lose(storage, study)
    assert storage.give_back_lost(study._study_id, max_retries=3) == [1]
    assert states(study) == ["RUNNING", "WAITING", "WAITING"]
    assert study.get_trials()[1].user_attrs[RETRIES] == 1


@pytest.mark.parametrize("is_drawn", [True, False])
def test_parameters_of_a_lost_trial_stay_only_if_all_were_drawn(
    storage: StudyStorage, study: optuna.Study, is_drawn: bool
) -> None:
    trial_id = lose(storage, study)
    storage.set_trial_param(trial_id, "x", 0.5, optuna.distributions.FloatDistribution(0, 1))
    if is_drawn:
        storage.set_trial_user_attr(trial_id, DRAWN, True)
    storage.give_back_lost(study._study_id, max_retries=3)
    assert study.get_trials()[0].params == ({"x": 0.5} if is_drawn else {})


def test_killed_between_claim_and_mark(storage: StudyStorage, study: optuna.Study) -> None:
    """As an older version could be."""
    storage.set_trial_state_values(ids(study)[0], TrialState.RUNNING)
    assert storage.give_back_lost(study._study_id, max_retries=3) == [0]


def test_too_many_deaths_fail_a_trial(storage: StudyStorage, study: optuna.Study) -> None:
    for _ in range(2):
        lose(storage, study)
        assert storage.give_back_lost(study._study_id, max_retries=2) == [0]
    lose(storage, study)
    assert storage.give_back_lost(study._study_id, max_retries=2) == []
    trial = study.get_trials()[0]
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs[FAILURE] == "its worker died 3 times (max_retries=2)"


def test_the_end_of_a_whole_sweep_does_not_count(
    storage: StudyStorage, study: optuna.Study
) -> None:
    for _ in range(5):
        lose(storage, study)
        assert storage.give_back_lost(study._study_id, max_retries=None) == [0]
    assert study.get_trials()[0].user_attrs[RETRIES] == 0


def test_of_another_machine_only_heartbeats_tell(
    storage: StudyStorage, study: optuna.Study
) -> None:
    trial_id = claim(storage, study)
    storage.set_trial_user_attr(trial_id, WORKER, "elsewhere/1/1.00")
    assert storage.give_back_lost(study._study_id, max_retries=3) == []
    silence(storage, trial_id, seconds=100)
    assert storage.give_back_lost(study._study_id, max_retries=3) == []
    silence(storage, trial_id, seconds=130)
    assert storage.give_back_lost(study._study_id, max_retries=3) == [0]


@pytest.mark.slow
@pytest.mark.postgresql
def test_silence_on_a_server_with_summer_time(postgresql: Server) -> None:
    """Else an hour more or less of it seems to be over when the server's clock is changed."""
    url = postgresql.create_database("summer")
    with sqlalchemy.create_engine(url).begin() as connection:
        zoned = "ALTER DATABASE summer SET timezone = 'Europe/Berlin'"
        connection.execute(sqlalchemy.text(zoned))
    storage = StudyStorage(url, heartbeat=60)
    study = optuna.create_study(storage=storage)
    storage.add_waiting(study._study_id, [({}, {})])
    trial_id = claim(storage, study)
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    days = [now.replace(year=now.year - 1, month=month, day=1) for month in (1, 7)]
    (last,) = (day for day in days if day.utcoffset() != now.utcoffset())
    with storage.engine.begin() as connection:
        heartbeats = sqlalchemy.update(models.TrialHeartbeatModel)
        connection.execute(heartbeats.values(heartbeat=last.replace(tzinfo=None)))
    expected = now.timestamp() - last.timestamp()
    assert storage._silence(study._study_id)[trial_id] == pytest.approx(expected, abs=1800)


def test_a_claim_is_the_first_sign_of_life(storage: StudyStorage, study: optuna.Study) -> None:
    def beat() -> datetime:
        with storage.engine.connect() as connection:
            query = sqlalchemy.select(models.TrialHeartbeatModel.heartbeat)
            return connection.execute(query).scalar_one()

    trial_id = claim(storage, study)
    with storage.engine.begin() as connection:
        long_ago = sqlalchemy.update(models.TrialHeartbeatModel)
        connection.execute(long_ago.values(heartbeat=datetime(2000, 1, 1)))
    storage.record_heartbeat(trial_id)
    assert beat().year == 2000  # right after the claim, none is written
    storage.record_heartbeat(trial_id)
    assert beat().year > 2000


def test_the_owner_says_how_often_it_gives_a_sign_of_life(url: str, study: optuna.Study) -> None:
    """Not the command that looks at it, whose setting may be another."""
    slow, quick = StudyStorage(url, heartbeat=600), StudyStorage(url, heartbeat=1)
    trial_id = claim(slow, study)
    slow.set_trial_user_attr(trial_id, WORKER, "elsewhere/1/1.00")
    silence(slow, trial_id, seconds=1000)
    assert quick.give_back_lost(study._study_id, max_retries=3) == []
    silence(slow, trial_id, seconds=1300)
    assert quick.give_back_lost(study._study_id, max_retries=3) == [0]


def test_a_worker_that_lost_its_trial_writes_nothing_more(
    storage: StudyStorage, study: optuna.Study
) -> None:
    """It cannot even write a heartbeat, which would count for the new owner."""
    cached = optuna.load_study(study_name="study", storage=StudyCache(storage))
    trial = optuna.Trial(cached, claim(storage, study))
    trial.report(0.5, 1)
    storage.set_trial_user_attr(trial._trial_id, WORKER, "elsewhere/1/1.00")
    silence(storage, trial._trial_id, seconds=130)
    before = study.get_trials()[0]
    for write in (
        lambda: trial.report(1.0, 2),
        lambda: trial.suggest_float("x", 0, 1),
        lambda: trial.set_user_attr("a", 1),
        lambda: cached._storage.set_trial_system_attr(trial._trial_id, "a", 1),
        lambda: cached.tell(trial, 1.0),
        lambda: storage.note(trial._trial_id, {"a": 1}),
    ):
        with pytest.raises(TakenOver):
            write()
    storage.record_heartbeat(trial._trial_id)
    assert study.get_trials()[0] == before
    storage.give_back_claimed()
    assert states(study) == ["RUNNING", "WAITING", "WAITING"]
    assert storage.give_back_lost(study._study_id, max_retries=3) == [0]


def silence(storage: StudyStorage, trial_id: int, seconds: int) -> None:
    """Set the last heartbeat back."""
    with sqlite3.connect(storage.engine.url.database or "") as connection:
        connection.execute(
            "UPDATE trial_heartbeats SET heartbeat = datetime('now', ?) WHERE trial_id = ?",
            (f"-{seconds} seconds", trial_id),
        )


def test_a_worker_that_stops_gives_back_only_what_it_claimed(url: str, study: optuna.Study) -> None:
    first_worker, second_worker = StudyStorage(url, heartbeat=60), StudyStorage(url, heartbeat=60)
    claim(first_worker, study)
    second = claim(second_worker, study)
    first_worker.give_back_claimed()
    assert states(study) == ["WAITING", "RUNNING", "WAITING"]
    first_worker.give_back_claimed()
    second_worker.set_trial_state_values(second, TrialState.COMPLETE, [1.0])
    second_worker.give_back_claimed()
    assert states(study) == ["WAITING", "COMPLETE", "WAITING"]


def test_optuna_fails_no_silent_trial(storage: StudyStorage, study: optuna.Study) -> None:
    silence(storage, claim(storage, study), seconds=1000)
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        optuna.storages.fail_stale_trials(study)
    assert states(study)[0] == "RUNNING"
