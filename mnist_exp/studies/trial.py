"""A trial of a study as the origin of a run."""

import json
from dataclasses import dataclass

from mnist_exp import sweeper
from mnist_exp.studies.multirun import tags_of_job
from mnist_exp.sweeper import RunningTrial
from mnist_exp.tracking.job import Origin

RUN_ID = "mlflow_run_id"
"""The attribute under which a study, and each of its trials, keeps the id of its run."""


@dataclass(frozen=True, kw_only=True)
class TrialOrigin(Origin):
    """The trial whose task function runs in this process."""

    running: RunningTrial

    def remember(self, run_id: str) -> None:
        """Keep the run's id with the trial, in the study's database."""
        self.running.remember(RUN_ID, run_id)

    def report(self, value: float, epoch: int) -> None:
        """Report the objective to the study. Raises optuna.TrialPruned if its pruner says so."""
        sweeper.report(value, epoch)


def origin() -> Origin:
    """Return the trial that runs in this process as an origin, or the origin of a run by itself."""
    running = sweeper.current()
    if running is None:
        return Origin(tags=tags_of_job())
    return TrialOrigin(
        running=running,
        name_prefix=f"trial-{running.number}-",
        tags=tags_of_trial(running),
        resume_id=running.recall(RUN_ID),
        threads=running.threads,
        is_retried=True,
        tests_at_end=True,
        codes=running.handed or {},
        keeps_model=False,  # `best_of=STUDY` trains the best trial again and keeps both
    )


def tags_of_trial(running: RunningTrial) -> dict[str, str]:
    """Return the tags of a trial's run; `trial_params` holds the values that the study chose."""
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    parent = running.study_attributes.get(RUN_ID)  # absent if other hooks opened the study
    return {
        **({} if parent is None else {MLFLOW_PARENT_RUN_ID: parent}),
        "study_name": running.study_name,
        "study_role": "trial",
        "trial_number": str(running.number),
        "trial_state": "RUNNING",
        "trial_params": json.dumps(running.trial.params),
        "sweep.keys": " ".join(running.trial.params),
        "sweep.log_keys": " ".join(running.log_parameters),
        "sweep.directions": " ".join(running.directions),
    }
