"""On every storage a study ends with `n_trials` results, whichever of its real workers die."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import TrialState

from mnist_exp.sweeper.attributes import FAILURE, LAUNCH, RETRIES, WORKER
from mnist_exp.sweeper.storage import StudyStorage
from tests.support.sweeps import studies
from tests.support.sweeps.studies import Sweep
from tests.support.waiting import until

BACKENDS = ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.slow])]
ONE_WORKER = ("hydra/launcher=basic", "hydra.sweeper.n_workers=1")


@pytest.fixture(params=BACKENDS)
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/optuna.db"
    url: str = request.getfixturevalue("postgresql").create_database(f"study{time.time_ns()}")
    return url


@pytest.fixture
def sweeps() -> Iterator[list[Sweep]]:
    """Those that a test starts, killed with it."""
    started: list[Sweep] = []
    yield started
    for sweep in started:
        sweep.kill()


def kill_workers(url: str, sweeps: list[Sweep], *, every: int) -> int:
    """Kill a worker after `every` further results until the sweeps end well; return how many.

    Results are counted, not seconds: a fast machine has as many kills as a slow one.
    """
    study = studies.load_soon(url, sweeps[0])
    kills = 0

    def have_ended() -> bool:
        nonlocal kills
        if studies.ended(study) >= every * (kills + 1):
            kills += studies.kill_a_worker(study)
        return not any(sweep.runs() for sweep in sweeps)

    until(have_ended, "the end of the sweeps")
    for sweep in sweeps:
        sweep.wait()
    return kills


def test_workers_that_are_killed_lose_nothing(
    tmp_path: Path, storage_url: str, sweeps: list[Sweep]
) -> None:
    sweeps.append(
        Sweep(
            tmp_path,
            storage_url,
            "seconds=0.3",
            launcher="processes",
            n_workers=3,
            n_trials=12,
            max_retries=1000,
        )
    )
    kills = kill_workers(storage_url, sweeps, every=4)
    trials = studies.assert_exactly(storage_url, 12)
    assert kills >= 1
    assert sum(trial.user_attrs.get(RETRIES, 0) for trial in trials) >= 1


@pytest.mark.slow
def test_two_commands_with_four_workers_each_of_which_one_is_killed_again_and_again(
    tmp_path: Path, storage_url: str, sweeps: list[Sweep]
) -> None:
    for _ in range(2):
        sweeps.append(
            Sweep(
                tmp_path,
                storage_url,
                "seconds=0.4",
                "steps=2",
                launcher="processes",
                n_workers=4,
                n_trials=100,
                max_retries=1000,
                pruner="median",
            )
        )
    kills = kill_workers(storage_url, sweeps, every=8)
    studies.assert_exactly(storage_url, 100)
    assert kills >= 10


@pytest.mark.slow
def test_a_pool_that_dies_with_one_of_its_workers(tmp_path: Path, sweeps: list[Sweep]) -> None:
    """joblib ends all workers when one dies; the sweep starts others."""
    url = f"sqlite:///{tmp_path}/optuna.db"
    sweeps.append(
        Sweep(
            tmp_path,
            url,
            "seconds=0.2",
            launcher="joblib",
            n_workers=4,
            n_trials=20,
            max_retries=1000,
        )
    )
    kills = kill_workers(url, sweeps, every=8)
    studies.assert_exactly(url, 20)
    assert kills >= 1


def test_two_commands_at_once_share_the_trials(
    tmp_path: Path, storage_url: str, sweeps: list[Sweep]
) -> None:
    """Both find no database, no study and no trial when they start."""
    for _ in range(2):
        sweeps.append(Sweep(tmp_path, storage_url, *ONE_WORKER, "seconds=0.2", n_trials=10))
    for sweep in sweeps:
        sweep.wait()
    trials = studies.assert_exactly(storage_url, 10)
    assert len(studies.workers(trials)) == 2


@pytest.mark.slow
def test_a_trial_that_kills_its_workers_fails_with_that_reason(
    tmp_path: Path, storage_url: str, sweeps: list[Sweep]
) -> None:
    sweep = Sweep(
        tmp_path,
        storage_url,
        "kills_worker=1",
        launcher="joblib",
        n_workers=1,
        n_trials=3,
        max_retries=1,
        max_failure_rate=0.5,
    )
    sweeps.append(sweep)
    sweep.wait()
    trials = studies.load(storage_url).get_trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert trials[1].user_attrs[FAILURE] == "its worker died 2 times (max_retries=1)"
    assert "its worker died 2 times" in sweep.output


class Elsewhere:
    """A study with one trial that a worker on another host runs, as far as its marks can tell."""

    def __init__(self, url: str, heartbeat: int) -> None:
        self.storage = StudyStorage(url, heartbeat)
        self.study = optuna.create_study(
            study_name=studies.NAME, storage=self.storage, load_if_exists=True
        )
        self.id = self.storage.get_study_id_from_name(studies.NAME)
        self.storage.add_waiting(self.id, [({}, {})])
        self.trial_id = self.storage.claim(self.id) or 0
        self.storage.set_trial_user_attr(self.trial_id, WORKER, "elsewhere/1/1.00")
        self.storage.set_trial_user_attr(self.trial_id, LAUNCH, "elsewhere")

    def beat(self) -> None:
        RDBStorage.record_heartbeat(self.storage, self.trial_id)

    def be_silent(self, seconds: float) -> None:
        """Set its last sign of life back by so much."""
        with self.storage.scoped_session() as session, session.begin():
            (last,) = session.query(models.TrialHeartbeatModel).all()
            last.heartbeat -= timedelta(seconds=seconds)


def test_a_worker_elsewhere_is_dead_when_its_heart_stops(storage_url: str) -> None:
    elsewhere = Elsewhere(storage_url, heartbeat=60)
    for _ in range(2):
        elsewhere.be_silent(100)
        elsewhere.beat()
        assert elsewhere.storage.give_back_lost(elsewhere.id, max_retries=3) == []
    elsewhere.be_silent(119)
    assert elsewhere.storage.give_back_lost(elsewhere.id, max_retries=3) == []
    elsewhere.be_silent(2)
    assert elsewhere.storage.give_back_lost(elsewhere.id, max_retries=3) == [0]
    (trial,) = elsewhere.study.get_trials()
    assert trial.state == TrialState.WAITING
    assert trial.user_attrs[RETRIES] == 1


@pytest.mark.slow
def test_a_sweep_takes_over_what_a_worker_elsewhere_lost(
    tmp_path: Path, storage_url: str, sweeps: list[Sweep]
) -> None:
    more = ("hydra.sweeper.heartbeat=1", "seconds=2")
    sweeps.append(Sweep(tmp_path, storage_url, *ONE_WORKER, *more, n_trials=1))
    sweeps[0].wait()
    Elsewhere(storage_url, heartbeat=1)
    sweeps.append(Sweep(tmp_path, storage_url, *ONE_WORKER, *more, n_trials=4))
    sweeps[1].wait()
    trials = studies.assert_exactly(storage_url, 4)
    assert trials[1].user_attrs[LAUNCH] not in ("elsewhere", trials[0].user_attrs[LAUNCH])


@pytest.mark.slow
def test_the_last_trial_of_a_machine_that_is_gone_is_waited_for(
    tmp_path: Path, storage_url: str, sweeps: list[Sweep]
) -> None:
    sweeps.append(
        Sweep(
            tmp_path,
            storage_url,
            "loses_machine=1",
            launcher="joblib",
            n_workers=1,
            n_trials=2,
            heartbeat=2,
        )
    )
    sweeps[0].wait()
    trials = studies.assert_exactly(storage_url, 2)
    assert [trial.user_attrs.get(RETRIES, 0) for trial in trials] == [0, 1]
