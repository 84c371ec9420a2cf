"""The experiment that runs belong to is made, and runs whose process died are ended."""

import contextlib
import platform

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException

from mnist_exp.errors import UserError
from mnist_exp.outside.paging import all_pages
from mnist_exp.outside.uris import sqlite_file
from mnist_exp.sweeper.processes import is_alive, this_process
from mnist_exp.tracking import moved_store
from mnist_exp.tracking.addresses import restoring
from mnist_exp.tracking.creation import store_lock
from mnist_exp.tracking.experiment_ids import experiment_ids
from mnist_exp.tracking.refusals import shared
from mnist_exp.tracking.status import FAILURE_REASON, RunStatus
from mnist_exp.tracking.store import opening


def open_experiment(name: str, *, fails_lost_runs: bool = True) -> str:
    """Return the id of the experiment in the store in use; both are made if need be.

    Runs that a dead process of this host left RUNNING are marked FAILED on the way, as a rule. One
    process at a time does all this: MLflow cannot make its tables twice at once. Raises UserError.
    """
    uri = mlflow.get_tracking_uri()
    with opening(uri), store_lock(uri):
        client = MlflowClient(uri)
        if fails_lost_runs:
            fail_runs_of_dead_processes(client)
        return shared(_experiment_id, client, name)


def process_tags() -> dict[str, str]:
    """Return tags that name the run's process, so that others on this host can see that it died."""
    return {"host": platform.node(), "process": this_process()}


def in_trash(client: MlflowClient, experiment: Experiment | None) -> str:
    """Return that the experiment was deleted, and how it is restored; empty if it was not."""
    if experiment is None or experiment.lifecycle_stage == "active":
        return ""
    return (
        f"tracking.experiment={experiment.name}: is in MLflow's trash; tracking.experiment=NAME "
        "names another one, and this restores it:\n"
        + restoring(
            client.tracking_uri, f"experiments restore --experiment-id {experiment.experiment_id}"
        )
    )


def _experiment_id(client: MlflowClient, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    if said := in_trash(client, experiment):
        raise UserError(said)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(name)
    if file := sqlite_file(client.tracking_uri):
        is_known = experiment is not None
        moved_store.place_beside(file, experiment_id, unless_it_exists=is_known)
    return str(experiment_id)


def fail_runs_of_dead_processes(client: MlflowClient) -> None:
    """Mark runs FAILED that a process of this host left RUNNING when it was killed."""
    host = platform.node().replace("'", "")
    experiments = list(experiment_ids(client).values())
    condition = f"attributes.status = '{RunStatus.RUNNING}' and tags.host = '{host}'"
    # All are read before one is changed, which would move the pages.
    for run in list(all_pages(client.search_runs, experiments, condition)):
        process = run.data.tags.get("process", "")
        if process.count("/") == 1:  # as older versions wrote it
            process = f"{run.data.tags['host']}/{process}"
        if is_alive(process) is False:
            reason = f"its process {process.split('/')[1]} on {host} died"
            with contextlib.suppress(MlflowException):  # it may be a run that others may not change
                client.set_tag(run.info.run_id, FAILURE_REASON, reason)
                client.set_terminated(run.info.run_id, RunStatus.FAILED)
