"""The words for how a run is doing, and for what it belongs to."""

from enum import StrEnum

FAILURE_REASON = "failure_reason"  # the tag that says why a run has failed or was stopped
RESUMED = "resumed"  # the tag that counts how often a run went on after it had stopped
BREAKS_CONSTRAINT = "breaks_constraint"  # the tag of a trial's run that says so with `true`
MULTIRUN, MULTIRUN_JOB = "multirun", "multirun_job"  # tags: a plain -m, and the job's number in it


class RunStatus(StrEnum):
    """A run's status, in MLflow's words."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
