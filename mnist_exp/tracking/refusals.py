"""What a refusal by MLflow means: a wrong value, a run that is gone, or trouble that may pass."""

from collections.abc import Callable
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from mnist_exp.errors import RunIsGone, first_line
from mnist_exp.outside import uris
from mnist_exp.tracking.find_run import run_or_none

_T = TypeVar("_T")

_PASSING = (
    "INTERNAL_ERROR",
    "TEMPORARILY_UNAVAILABLE",
    "REQUEST_LIMIT_EXCEEDED",
    "DEADLINE_EXCEEDED",
    "ABORTED",
)


def look_up(client: MlflowClient, run_id: str) -> Run:
    """Return the run. Raises RunIsGone, with what can be done, if it is not there or deleted."""
    run = run_or_none(client, run_id)
    if run is None:
        raise RunIsGone(
            f"run {run_id} is not in {uris.masked(client.tracking_uri)}: bring that store back, "
            "or name the run's with tracking.uri"
        )
    return run


def shared(look_up_or_create: Callable[..., _T], *arguments: object) -> _T:
    """Return an entry that runs share, which MLflow looks up or creates.

    If another process creates it in between, creating fails; looking it up again succeeds.
    """
    try:
        return look_up_or_create(*arguments)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "BAD_REQUEST"):
            raise
        return look_up_or_create(*arguments)


def is_permanent(client: MlflowClient, run_id: str, failure: BaseException) -> bool:
    """Return whether MLflow will never take these values, however often they are sent.

    For a deleted run MLflow refuses any value with the same code; those may be taken later.
    """
    if not isinstance(failure, MlflowException) or failure.error_code != "INVALID_PARAMETER_VALUE":
        return False
    try:
        look_up(client, run_id)
    except (RunIsGone, MlflowException, OSError):
        return False
    return True


def complaint(client: MlflowClient, run_id: str, failure: Exception) -> str:
    """Return in words why MLflow did not take a result of the run."""
    if isinstance(failure, MlflowException) and failure.error_code in (
        "INVALID_PARAMETER_VALUE",
        "RESOURCE_DOES_NOT_EXIST",
    ):
        try:
            look_up(client, run_id)
        except RunIsGone as error:
            return str(error)
        except (MlflowException, OSError):
            pass
    verb = "cannot be reached" if _may_pass(failure) else "refuses results"
    return f"MLflow {verb} ({uris.masked(first_line(failure))})"


def _may_pass(failure: Exception) -> bool:
    """Return whether the store does not answer, is overloaded, locked or out of space for now."""
    return not isinstance(failure, MlflowException) or failure.error_code in _PASSING
