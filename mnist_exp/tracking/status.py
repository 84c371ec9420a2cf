"""The words for how a run is doing."""

from enum import StrEnum

FAILURE_REASON = "failure_reason"  # the tag that says why a run has failed or was stopped


class RunStatus(StrEnum):
    """A run's status, in MLflow's words."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
