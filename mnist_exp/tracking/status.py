"""The words for how a run is doing."""

from enum import StrEnum


class RunStatus(StrEnum):
    """A run's status, in MLflow's words."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
