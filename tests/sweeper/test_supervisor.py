"""Sweeps that are stopped, killed, left by their workers, or limited in time or failures."""

import contextlib
import os
import random
import re
import signal
import sqlite3
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import optuna
import psutil
import pytest
from omegaconf import DictConfig, OmegaConf
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from mnist_exp.sweeper import current, launchers
from mnist_exp.sweeper.attributes import FAILURE, RETRIES, TIME_IS_UP
from mnist_exp.sweeper.progress import Display
from mnist_exp.sweeper.storage import StudyStorage
from mnist_exp.sweeper.supervisor import Supervisor
from mnist_exp.sweeper.worker import Worker
from tests.support.sweeps import apps
from tests.support.waiting import LIMIT, until
from tests.sweeper.conftest import Sweep

JOBLIB = ("hydra/launcher=joblib", "hydra.sweeper.n_workers=2")


def fails_above_one(cfg: DictConfig) -> float:
    if cfg.x > 1:
        raise ValueError("above one")
    return 1.0


@pytest.mark.parametrize(("rate", "allowed"), [(0, 0), (0.5, 2), (1, 3)])
def test_more_failures_than_allowed_stop_the_sweep(sweep: Sweep, rate: float, allowed: int) -> None:
    message = sweep.refused(fails_above_one, "x=2,3", n_trials=4, max_failure_rate=rate)
    assert (
        f"{allowed + 1} failed; hydra.sweeper.max_failure_rate={rate} of 4 trials allows {allowed}"
        in message
    )
    assert f"Trial {allowed}: ValueError: above one" in message
    assert sweep.states.count("FAIL") == allowed + 1
    assert re.search(rf"│ {allowed + 1} +│ ValueError: above one +│ 0", sweep.output)


def until_time_is_up(cfg: DictConfig) -> float:
    running = current()
    assert running is not None
    until(lambda: any(TIME_IS_UP in key for key in running.study_attributes), "the end of the time")
    return apps.sphere(cfg)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("clock", [-1e6, 1e6])
def test_after_the_timeout_no_trial_begins(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, clock: float
) -> None:
    """Whatever the clock is set to meanwhile."""
    seconds, time_then = 5, time.time()
    moved = iter([time_then])
    monkeypatch.setattr(time, "time", lambda: next(moved, time_then + clock))
    started = time.monotonic()
    sweep(until_time_is_up, "x=interval(1,2)", n_trials=2, timeout=seconds)
    assert time.monotonic() - started >= seconds
    assert sweep.states == ["COMPLETE", "WAITING"]
    assert "The same command goes on" in sweep.output


def test_each_command_has_its_own_timeout(
    storage: StudyStorage, study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is noted as soon as the database answers, and stays when another command's ends."""
    note, silences = study.set_user_attr, [StorageInternalError("no answer")]

    def set_user_attr(*arguments: Any) -> None:
        if silences:
            raise silences.pop()
        note(*arguments)

    monkeypatch.setattr(study, "set_user_attr", set_user_attr)

    def is_over(launch: str) -> bool:
        worker: Any = SimpleNamespace(launch=launch, plan=SimpleNamespace(failures_allowed=0))
        return Worker.is_over(worker, study, storage)

    for launch in ("first", "second"):
        command: Any = SimpleNamespace(launch=launch)
        unused: Any = None
        supervisor = Supervisor(
            worker=command, study=study, storage=storage, display=unused, hooks=unused
        )
        with supervisor._time_limit(0.01):
            until(partial(is_over, launch), "the end of the time")
    assert [is_over(launch) for launch in ("first", "second", "third")] == [True, True, False]


@pytest.mark.slow
def test_killed_at_random_moments_then_finished(folder: Path) -> None:
    """kill -9 of the whole process group, then the same command."""
    command = partial(apps.start, apps.slow, folder, "x=interval(-5,5)", n_trials=4)
    for _ in range(2):
        sweep = command()
        time.sleep(random.uniform(1, 5))
        apps.kill_group(sweep)
        sweep.wait()
    assert command().wait(LIMIT) == 0
    assert apps.states(folder) == ["COMPLETE"] * 4
    assert sorted(t.number for t in apps.study(folder).trials) == [0, 1, 2, 3]


@pytest.mark.slow
def test_joblib_workers_killed_at_random_moments_then_finished(folder: Path) -> None:
    command = partial(apps.start, apps.slow, folder, "x=interval(-5,5)", *JOBLIB, n_trials=12)
    for _ in range(5):
        sweep = command()
        time.sleep(random.uniform(2, 10))
        apps.kill_group(sweep)
        sweep.wait()
        for process in psutil.process_iter(["cmdline"]):  # nobody is left to run a trial
            assert str(folder) not in " ".join(process.info["cmdline"] or [])
    assert command().wait(LIMIT) == 0
    assert apps.states(folder) == ["COMPLETE"] * 12


@pytest.mark.slow
def test_a_killed_worker_is_replaced(folder: Path) -> None:
    """By one that has the same share of the cores."""
    settings = {"launcher": "joblib", "n_jobs": 2, "n_trials": 3}
    assert apps.start(apps.threads, folder, "x=interval(-5,5)", **settings).wait(LIMIT) == 0
    trials = apps.study(folder).trials
    share = max(1, len(os.sched_getaffinity(0)) // 2)
    assert [t.value for t in trials] == [share] * 3
    # joblib kills the other worker, too.
    assert 1 <= sum(t.user_attrs.get(RETRIES, 0) for t in trials) <= 2


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "ending", ["well", "killed", pytest.param("orphan", marks=pytest.mark.slow)]
)
def test_trials_of_another_commands_workers_are_waited_for(folder: Path, ending: str) -> None:
    """They may survive their command's death; the results are written when they have ended."""
    launcher = JOBLIB if ending == "orphan" else ()
    command = partial(
        apps.start, apps.stays_after_one, folder, "x=interval(-5,5)", *launcher, n_trials=2
    )
    first = command("hydra.sweep.dir=first")
    until(lambda: apps.states(folder) == ["COMPLETE", "RUNNING"], "the second trial")
    if ending == "orphan":
        first.kill()
        first.wait(LIMIT)
    second = command("hydra.sweep.dir=second")
    terminal = folder / "terminal.txt"
    try:
        until(
            lambda: (
                "waiting for trial 1, which a worker of another command" in terminal.read_text()
            ),
            "a note",
        )
        assert second.poll() is None
        assert not (folder / "second" / "optimization_results.yaml").exists()
    finally:
        (folder / "quick").touch()
        if ending == "killed":
            first.kill()
        assert second.wait(LIMIT) == 0
        assert ending == "orphan" or first.wait(LIMIT) == (
            -signal.SIGKILL if ending == "killed" else 0
        )
    study = apps.study(folder)
    assert apps.states(folder) == ["COMPLETE"] * 2
    assert (
        OmegaConf.load(folder / "second" / "optimization_results.yaml").best_value
        == study.best_value
    )
    assert terminal.read_text().count("waiting for trial") == 1


@pytest.mark.parametrize(("deaths", "expected"), [(1, ["COMPLETE"]), (2, ["WAITING"])])
def test_workers_that_die_before_they_take_a_trial_are_launched_once_more(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, deaths: int, expected: list[str]
) -> None:
    launch, left = launchers.run_workers, [OSError("died at start")] * deaths

    def die_first(*arguments: Any) -> None:
        if left:
            raise left.pop()
        launch(*arguments)

    monkeypatch.setattr(launchers, "run_workers", die_first)
    with contextlib.suppress(SystemExit):
        sweep(apps.sphere, "x=1,2", n_trials=1)
    assert sweep.states == expected
    assert not left


@pytest.mark.slow
def test_workers_that_live_on_after_another_died_are_not_launched_again(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launchers of submitit and Ray raise at once what one worker raised."""
    counts: list[int] = []

    def one_dies(worker: Worker, count: int) -> None:
        counts.append(count)
        storage = StudyStorage(worker.storage_url, 60, worker.launch)
        study_id = storage.get_study_id_from_name(worker.study_name)
        while (trial_id := storage.claim(study_id)) is not None:
            if len(counts) == 1:
                raise OSError("another worker died")
            storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0])
        for trial in storage.get_all_trials(study_id, states=(TrialState.RUNNING,)):
            storage.set_trial_state_values(trial._trial_id, TrialState.COMPLETE, [1.0])

    monkeypatch.setattr(launchers, "run_workers", one_dies)
    sweep(apps.sphere, "x=interval(0,1)", *JOBLIB, "hydra.sweeper.n_workers=3", n_trials=4)
    assert counts == [3, 2]
    assert sweep.states == ["COMPLETE"] * 4


def stopped(folder: Path, signum: int, *overrides: str, group: bool) -> None:
    """Sent in the middle: all ends, though the trials would go on, with the signal's exit code."""
    if signal.getsignal(signum) == signal.SIG_IGN:  # nohup started the tests: the sweep outlives it
        return
    (folder / "terminal.txt").unlink(missing_ok=True)
    sweep = apps.start(apps.stays_after_one, folder, "x=interval(-5,5)", *overrides, n_trials=3)
    until(lambda: {"COMPLETE", "RUNNING"} <= set(apps.states(folder)), "the second trial")
    if group:
        apps.kill_group(sweep, signum)
    else:
        sweep.send_signal(signum)
    assert sweep.wait(LIMIT) == 128 + signum
    assert sorted(apps.states(folder)) == ["COMPLETE", "WAITING", "WAITING"]
    shown = (folder / "terminal.txt").read_text()
    if signum != signal.SIGHUP:  # after which nobody sees what joblib's own processes say
        assert "Traceback" not in shown
    assert "The same command goes on with the trials that wait." in shown


def finished(folder: Path) -> None:
    """Let the same command do the rest; each trial exists once, and the database is sound."""
    (folder / "quick").touch()
    assert (
        apps.start(
            apps.stays_after_one, folder, "x=interval(-5,5)", n_trials=3, output="last"
        ).wait(LIMIT)
        == 0
    )
    trials = apps.study(folder).trials
    assert [(trial.number, trial.state.name) for trial in trials] == [
        (n, "COMPLETE") for n in range(3)
    ]
    assert all(trial.user_attrs.get(RETRIES, 0) == 0 for trial in trials)  # it was nobody's fault
    assert {path.name for path in (folder / "last").iterdir()} >= {
        "1",
        "2",
        "optimization_results.yaml",
    }
    assert (folder / "last" / "1" / ".hydra" / "config.yaml").exists()
    with sqlite3.connect(folder / "optuna.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
def test_stopped_by_a_signal(folder: Path) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        stopped(folder, signum, group=True)
    finished(folder)


@pytest.mark.slow
@pytest.mark.parametrize("group", [True, False])
def test_workers_stopped_by_a_signal(folder: Path, group: bool) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        stopped(folder, signum, *JOBLIB, group=group)
    finished(folder)


@pytest.mark.slow
def test_stopped_while_workers_import(folder: Path) -> None:
    """None of them dies in the middle of an import, with a traceback."""
    sweep = apps.start(apps.stays_after_one, folder, "x=interval(-5,5)", *JOBLIB, n_trials=3)

    def starting() -> list[int]:
        children = psutil.Process(sweep.pid).children(recursive=True)
        return [child.pid for child in children if "popen_loky_posix" in " ".join(child.cmdline())]

    until(lambda: len(starting()) == 2, "two workers")
    apps.kill_group(sweep, signal.SIGINT)
    assert sweep.wait(LIMIT) == 130
    assert "Traceback" not in (folder / "terminal.txt").read_text()
    finished(folder)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)])
def test_a_database_that_takes_nothing_more_ends_the_sweep_with_its_reason(
    folder: Path, launcher: str
) -> None:
    """SQLite calls one that was moved read-only, as it does one on a disk that was mounted anew."""
    command = partial(
        apps.start, apps.loses_database, folder, "x=interval(-5,5)", n_trials=3, launcher=launcher
    )
    assert command().wait(LIMIT) == 1
    shown = (folder / "terminal.txt").read_text()
    assert "Traceback" not in shown
    assert shown.splitlines()[-1] == (
        f"hydra.sweeper.storage=sqlite:///{folder}/optuna.db: cannot be used "
        "(attempt to write a readonly database)"
    )
    Path(f"{folder}/optuna.db.moved").replace(folder / "optuna.db")
    Path(f"{folder}/optuna.db.moved").touch()
    assert command().wait(LIMIT) == 0
    assert apps.states(folder) == ["COMPLETE"] * 3


def test_failures_that_are_allowed_are_replaced(sweep: Sweep) -> None:
    study = sweep(
        fails_above_one,
        "x=interval(0.0,1.0)",
        n_trials=3,
        max_failure_rate=0.4,
        custom_search_space="tests.sweeper.test_supervisor.first_is_bad",
    )
    assert sweep.states == ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert study.trials[0].user_attrs[FAILURE] == "ValueError: above one"


def first_is_bad(config: DictConfig, trial: optuna.Trial) -> None:
    if trial.number == 0:
        trial._suggest("++x", optuna.distributions.CategoricalDistribution([5]))


@pytest.mark.parametrize(("is_interrupted", "code"), [(True, 130), (False, 1)])
def test_what_ended_a_sweep_is_told_and_not_that_its_database_is_silent(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, is_interrupted: bool, code: int
) -> None:
    """Without anything to tell, the silence is."""

    def silent(*_: object) -> NoReturn:
        raise StorageInternalError("no answer")

    def task(config: DictConfig) -> float:
        if is_interrupted:
            monkeypatch.setattr(Supervisor, "_tell_to_stop", silent)
            raise KeyboardInterrupt
        return 0.0

    monkeypatch.setattr(Display, "summary", silent)
    with pytest.raises(SystemExit) as ended:
        sweep(task, "x=interval(0,1)", n_trials=1)
    assert ended.value.code == code
