"""What a task function can ask and tell."""

from dataclasses import replace
from typing import Any

import optuna
import pytest
from omegaconf import OmegaConf

import mnist_exp.sweeper
from mnist_exp.sweeper.trial import RunningTrial, current, report, running


def ask(study: optuna.Study) -> RunningTrial:
    return RunningTrial(
        trial=study.ask(), overrides=("x=1",), threads=2, study_config=OmegaConf.create()
    )


def test_outside_a_sweep_nothing_happens() -> None:
    assert current() is None
    report(float("nan"), step=1)
    assert mnist_exp.sweeper.report is report
    assert mnist_exp.sweeper.current is current


def test_the_running_trial_is_known_until_it_ends() -> None:
    study = optuna.create_study(study_name="name")
    trial = ask(study)
    with pytest.raises(ValueError, match="in the task"), running(trial):
        assert current() is trial
        assert (trial.number, trial.study_name) == (0, "name")
        raise ValueError("in the task")
    assert current() is None


def test_reports_reach_the_pruner() -> None:
    study = optuna.create_study(pruner=optuna.pruners.ThresholdPruner(upper=1.0))
    trial = ask(study)
    with running(trial):
        report(0.5, 1)
        with pytest.raises(optuna.TrialPruned, match="pruned at step 2 with 1.5"):
            report(1.5, 2)
    assert study.trials[0].intermediate_values == {1: 0.5, 2: 1.5}


@pytest.mark.parametrize("step", [1.5, "1"])
def test_a_step_that_is_no_whole_number_is_refused(step: Any) -> None:
    study = optuna.create_study()
    with (
        running(ask(study)),
        pytest.raises(ValueError, match=f"step={step!r}: expected a whole number"),
    ):
        report(0.5, step)
    assert study.trials[0].intermediate_values == {}


def test_several_objectives_are_not_pruned() -> None:
    study = optuna.create_study(
        directions=["minimize"] * 2, pruner=optuna.pruners.ThresholdPruner(upper=1.0)
    )
    with running(ask(study)):
        report(1.5, 1)


def test_what_is_remembered_is_recalled_by_whoever_retries() -> None:
    study = optuna.create_study()
    study.set_user_attr("parent", "abc")
    trial = ask(study)
    assert trial.recall("run") is None
    trial.remember("run", {"id": 1})
    again = replace(trial, trial=optuna.Trial(study, trial.trial._trial_id))
    assert again.recall("run") == {"id": 1}
    assert again.study_attributes["parent"] == "abc"
