"""What a worker makes of a trial: its config, folder and value, or the reason of its failure."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from omegaconf import DictConfig, OmegaConf

from mnist_exp.sweeper import RunningTrial, current
from mnist_exp.sweeper.attributes import FAILURE, WORKER
from mnist_exp.sweeper.hooks import StudyHooks
from tests.support.sweeps import apps
from tests.sweeper.conftest import Sweep

_seen: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    _seen.clear()


def talkative(cfg: DictConfig) -> float:
    print("printed")
    print("complained", file=sys.stderr)
    logging.getLogger("talkative").warning("logged")
    trial = current()
    assert trial is not None
    _seen.append((trial.number, trial.threads, trial.overrides, cfg.x, os.getcwd()))
    return apps.sphere(cfg)


def test_each_trial_has_a_folder_with_its_config_and_its_output(sweep: Sweep) -> None:
    study = sweep(talkative, "x=choice(2,3)", "+new=7", "~extra", n_trials=2, output="out")
    for trial in study.trials:
        folder = sweep.folder / "out" / str(trial.number)
        config = OmegaConf.load(folder / ".hydra" / "config.yaml")
        assert (config.x, config.y, config.new) == (trial.params["x"], 1.0, 7)
        assert "extra" not in config
        overrides = OmegaConf.load(folder / ".hydra" / "overrides.yaml")
        assert list(overrides) == ["+new=7", "~extra", f"x={trial.params['x']}"]
        assert OmegaConf.load(folder / ".hydra" / "hydra.yaml").hydra.job.num == trial.number
        output = (folder / "output.txt").read_text().splitlines()
        assert output[:2] == ["printed", "complained"]
        assert "logged" in output[2]
        assert "logged" in (folder / "app.log").read_text()
        assert trial.user_attrs["+new"] == "7"
    cores = len(os.sched_getaffinity(0))
    assert [(number, threads) for number, threads, *_ in _seen] == [(0, cores), (1, cores)]
    assert all(cwd == str(sweep.folder) for *_, cwd in _seen)
    assert not any(word in sweep.output for word in ("printed", "complained", "logged"))
    assert current() is None


def test_a_trial_can_have_its_folder_as_current_folder(sweep: Sweep) -> None:
    sweep(talkative, "x=1,2", "hydra.job.chdir=true", n_trials=1, output="out")
    assert _seen[0][-1] == str(sweep.folder / "out" / "0")


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def unusable(cfg: DictConfig) -> Any:
    match cfg.model.name:
        case "nothing":
            return None
        case "not":
            return float("nan")
        case "error":
            raise OSError("disk full\nand more")
        case "exit":
            sys.exit("no licence")
        case "many":
            return [1.0, 2.0]
        case "long":
            raise ValueError("x" * 5000)
        case "cancelled":
            raise asyncio.CancelledError
        case "mute":
            raise _Mute
        case "red":
            raise ValueError("\x1b[31mred\u202e")
        case "good":
            return 1.0
    return None


def test_failures_and_their_reasons(sweep: Sweep) -> None:
    names = "nothing,not,error,exit,many,long,cancelled,mute,red,good"
    study = sweep(unusable, f"model.name=choice({names})", sampler="grid", max_failure_rate=1)
    reasons = {t.params["model.name"]: t.user_attrs.get(FAILURE) for t in study.trials}
    assert reasons.pop("long") == f"ValueError: {'x' * 284} ..."
    assert reasons == {
        "nothing": "TrialFailed: returned None, expected a number",
        "not": "TrialFailed: returned nan",
        "error": "OSError: disk full",
        "exit": "SystemExit: no licence",
        "many": "TrialFailed: returned [1.0, 2.0], expected a number",
        "cancelled": "CancelledError",
        "mute": "_Mute",
        "red": r"ValueError: \x1b[31mred\u202e",
        "good": None,
    }
    assert "OSError: disk full" in sweep.output
    assert [t.user_attrs[WORKER] is not None for t in study.trials] == [True] * 10


def leaves_children(cfg: DictConfig) -> float:
    """What became of a child that left the task function."""
    pid = os.fork()
    if pid:
        return float(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    match cfg.model.name:
        case "exit":
            sys.exit()
        case "code":
            sys.exit(3)
        case "words":
            sys.exit("no licence")
        case "error":
            raise ValueError("in the child")
    return 7.0


def test_a_child_that_leaves_the_task_function_ends(sweep: Sweep) -> None:
    """It neither ends the trial nor takes another one: the sweep is its parent's."""
    study = sweep(leaves_children, "model.name=choice(exit,code,words,error,back)", sampler="grid")
    codes = {t.params["model.name"]: t.value for t in study.trials}
    assert codes == {"exit": 0, "code": 3, "words": 1, "error": 1, "back": 0}


def several(cfg: DictConfig) -> Any:
    return [[1.0, 2.0], [1.0], 1.0, [1.0, float("nan")]][cfg.z]


def test_several_objectives(sweep: Sweep) -> None:
    study = sweep(
        several,
        "z=choice(0,1,2,3)",
        sampler="grid",
        direction="[minimize,maximize]",
        max_failure_rate=1,
    )
    assert study.trials[0].values == [1.0, 2.0]
    assert [t.user_attrs[FAILURE] for t in study.trials[1:]] == [
        "TrialFailed: expected 2 values, returned 1",
        "TrialFailed: returned 1.0, expected numbers",
        "TrialFailed: returned [1.0, nan]",
    ]


class Noted(StudyHooks):
    """Writes down what it is told."""

    def check_config(self, config: DictConfig) -> None:
        if config.x == 99:
            raise ValueError("x=99: expected less")
        _seen.append(("check", config.x))

    def on_study_start(self, study: optuna.Study, config: DictConfig) -> None:
        study.set_user_attr("parent", "abc")
        _seen.append(("study starts", config.x))

    def on_study_end(self, study: optuna.Study, config: DictConfig) -> None:
        _seen.append(("study ends", len(study.trials)))

    def on_trial_start(self, running: RunningTrial, config: DictConfig) -> None:
        assert running.study_attributes["parent"] == "abc"
        _seen.append(("trial starts", running.number, config.x))

    def on_trial_end(self, running: RunningTrial, state: str, reason: str | None) -> None:
        _seen.append(("trial ends", running.number, state, reason))
        if state == "FAIL":
            _seen.append(("trial ends in the study of", running.number, running.study_config.x))


def each_way(cfg: DictConfig) -> float:
    if cfg.x == 2:
        raise ValueError("two")
    if cfg.x == 3:
        raise optuna.TrialPruned("three")
    return 1.0


HOOKS = f"hydra.sweeper.hooks={__name__}"


def test_hooks_are_told(sweep: Sweep) -> None:
    study = sweep(each_way, "x=1,2,3", f"{HOOKS}.Noted", sampler="grid", max_failure_rate=1)
    assert _seen == [
        ("check", 1),
        ("check", 2),
        ("check", 3),
        ("study starts", 1.0),
        ("trial starts", 0, 1),
        ("trial ends", 0, "COMPLETE", None),
        ("trial starts", 1, 2),
        ("trial ends", 1, "FAIL", "ValueError: two"),
        ("trial ends in the study of", 1, 1.0),
        ("trial starts", 2, 3),
        ("trial ends", 2, "PRUNED", "three"),
        ("study ends", 3),
    ]
    assert [t.state.name for t in study.trials] == ["COMPLETE", "FAIL", "PRUNED"]


def test_hooks_can_refuse_a_value_before_the_first_trial(sweep: Sweep) -> None:
    with pytest.raises(SystemExit):
        sweep(each_way, "x=1,99", f"{HOOKS}.Noted")
    assert sweep.states == []
    assert not any(what == "study starts" for what, *_ in _seen)


class Broken(StudyHooks):
    def on_trial_start(self, running: RunningTrial, config: DictConfig) -> None:
        if config.x == 2:
            raise ConnectionError("no server")

    def on_trial_end(self, running: RunningTrial, state: str, reason: str | None) -> None:
        raise ConnectionError("server went away")


def test_hooks_that_raise(sweep: Sweep) -> None:
    """Before a trial, it fails; after it, what came of it stays."""
    study = sweep(
        apps.sphere, "x=1,2", f"{HOOKS}.Broken", sampler="grid", max_failure_rate=1, output="out"
    )
    assert [t.state.name for t in study.trials] == ["COMPLETE", "FAIL"]
    assert study.trials[1].user_attrs[FAILURE] == "ConnectionError: no server"
    log = (sweep.folder / "out" / "0" / "app.log").read_text()
    assert "on_trial_end of trial 0: ConnectionError: server went away" in log


def test_a_value_that_only_a_trial_finds_bad_fails_that_trial(sweep: Sweep) -> None:
    """`extend` draws a key that the config does not have."""
    study = sweep(
        apps.sphere,
        "x=1,2",
        n_trials=2,
        max_failure_rate=0.5,
        custom_search_space=f"{__name__}.extend",
        hooks=f"{__name__}.Noted",
    )
    failed = [t for t in study.trials if t.state.name == "FAIL"]
    assert "nosuchkey" in failed[0].user_attrs[FAILURE]
    assert study.trials[-1].state.name == "COMPLETE"
    assert not any(what == "trial starts" and number == 0 for what, number, *_ in _seen)
    assert ("trial ends in the study of", 0, 1.0) in _seen


def extend(config: DictConfig, trial: optuna.Trial) -> None:
    trial.suggest_int("z", 0, 0)
    if trial.number == 0:
        trial.suggest_int("nosuchkey", 0, 1)


def takes_long(cfg: DictConfig) -> float:
    """Another machine takes the trial over, as if this process had been silent, and ends it."""
    trial = current()
    assert trial is not None
    if trial.number == 0 and not Path("taken").exists():
        Path("taken").touch()
        study = apps.study(Path())
        storage = study._storage
        storage.set_trial_user_attr(trial.trial._trial_id, WORKER, "elsewhere/1/1.00")
        storage.set_trial_state_values(
            trial.trial._trial_id, optuna.trial.TrialState.COMPLETE, [-1.0]
        )
    return apps.sphere(cfg)


def test_a_trial_that_was_taken_over_has_the_value_of_the_other_worker(sweep: Sweep) -> None:
    study = sweep(takes_long, "x=1,2", n_trials=2)
    assert sweep.states == ["COMPLETE", "COMPLETE"]
    assert study.trials[0].value == -1.0
    assert (study.trials[1].value or 0) > 0


def broken_constraint(trial: optuna.trial.FrozenTrial) -> tuple[float]:
    return (1 / trial.params["z"],)


CONSTRAINT = f"{{_target_: {__name__}.broken_constraint, _partial_: true}}"


def test_a_constraint_that_cannot_be_computed_ends_the_sweep(sweep: Sweep) -> None:
    """Its trial has no end: complete, it would count as one that meets the constraint."""
    message = sweep.refused(
        apps.sphere,
        "z=range(0,2)",
        f"hydra.sweeper.sampler.constraints_func={CONSTRAINT}",
        n_trials=3,
        enqueue="[{z: 1}, {z: 0}]",
    )
    assert message == (
        "hydra.sweeper.sampler.constraints_func: cannot be used after trial 1 "
        "(ZeroDivisionError: division by zero); the trial waits again\n"
    )
    assert sweep.states == ["COMPLETE", "WAITING", "WAITING"]
    assert sweep.study.trials[0].constraints == {"0": 1.0}


def test_a_sampler_that_has_tried_everything_may_say_so(sweep: Sweep) -> None:
    sweep(
        apps.sphere,
        "z=choice(0,1)",
        "hydra.sweeper.sampler._target_=optuna.samplers.BruteForceSampler",
        sampler="random",
        n_trials=2,
    )
    assert sweep.states == ["COMPLETE"] * 2
