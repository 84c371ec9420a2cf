"""What a run takes over from the trial that it is, and what the trial keeps of the run."""

from typing import Any

import optuna
import pytest
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from omegaconf import OmegaConf
from optuna.distributions import FloatDistribution

from mnist_exp.studies.trial import RUN_ID, origin
from mnist_exp.sweeper import RunningTrial
from mnist_exp.sweeper.trial import running
from mnist_exp.tracking.job import Origin


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(study_name="rates")


def a_trial(study: optuna.Study, **values: Any) -> RunningTrial:
    trial = study.ask({"optimizer.learning_rate": FloatDistribution(0.5, 0.5)})
    own = {"trial": trial, "overrides": (), "threads": 3, "study_config": OmegaConf.create()}
    return RunningTrial(**{**own, **values})


def test_a_run_by_itself_has_no_origin_to_report_to() -> None:
    by_itself = origin()
    assert by_itself == Origin()
    assert (by_itself.keeps_model, by_itself.is_retried) == (True, False)
    by_itself.remember("a")
    by_itself.report(0.5, 1)
    assert origin().resume_id is None


def test_a_trial_names_tags_and_remembers_its_run(study: optuna.Study) -> None:
    study.set_user_attr(RUN_ID, "parent")
    with running(a_trial(study)):
        of_trial = origin()
        assert (of_trial.name_prefix, of_trial.threads) == ("trial-0-", 3)
        assert (of_trial.keeps_model, of_trial.is_retried) == (False, True)
        assert of_trial.tags[MLFLOW_PARENT_RUN_ID] == "parent"
        assert of_trial.tags["trial_params"] == '{"optimizer.learning_rate": 0.5}'
        assert of_trial.resume_id is None
        of_trial.remember("first")
        assert origin().resume_id == "first"
        of_trial.report(0.75, 2)
    assert study.trials[0].intermediate_values == {2: 0.75}


def test_a_study_without_a_parent_run_has_trials(study: optuna.Study) -> None:
    """`hydra.sweeper.hooks` may name hooks that do not track the study."""
    with running(a_trial(study)):
        assert MLFLOW_PARENT_RUN_ID not in origin().tags
        assert origin().tags["study_name"] == "rates"
