"""A run's life in MLflow: it begins or goes on, and its status tells how it ended."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import mlflow
from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking._tracking_service import utils
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from mnist_exp import sweeper
from mnist_exp.errors import UserError, first_line
from mnist_exp.outside import moments
from mnist_exp.outside.uris import local_path, masked
from mnist_exp.sweeper.errors import causes
from mnist_exp.tracking import description, store
from mnist_exp.tracking.delivery import send_earlier
from mnist_exp.tracking.experiments import open_experiment, process_tags
from mnist_exp.tracking.job import Job
from mnist_exp.tracking.operations import LONGEST_TAG, Warn
from mnist_exp.tracking.refusals import look_up
from mnist_exp.tracking.status import RunStatus
from mnist_exp.tracking.tracker import RunTracker

_MOST_KEPT = 1024  # places of artifacts, as in MLflow


@contextmanager
def track_run(job: Job, *, warn: Warn = lambda text: None) -> Iterator[RunTracker]:
    """Track one MLflow run, whose status tells how the block ended, whatever happens in it.

    A job that goes on has its run reopened. Raises UserError if the store cannot be used, does not
    have that run, or refuses the settings.
    """
    for name in (name for name in store.IGNORED if name in os.environ):
        warn(
            f"{name} is not used, whether a surrounding job or a function of MLflow's has set it: "
            "the run is one of its own, in tracking.experiment"
        )
    with store.in_use(job.settings.config.tracking.uri) as uri:
        tags = _first_tags(job)
        tracker = store.answer(uri, lambda: _open_run(uri, job, tags, warn), _end_unused)
        status, reason = RunStatus.FINISHED, None
        try:
            tracker.watch_machine(is_new=job.run_id is None)
            try:
                if job.run_id is None:
                    tracker.log_settings()
                else:
                    tracker.reopen()
            except MlflowException as error:
                raise UserError(
                    f"MLflow refuses the run's settings: {first_line(error)}"
                ) from error
            yield tracker
        except BaseException as error:
            status, reason = _ending(error)
            raise
        finally:
            tracker.end(status, reason)


def tags_of(uri: str | None, run_id: str) -> Mapping[str, str]:
    """Return the tags of a run in the store that `tracking.uri` names.

    Raises RunIsGone if the store does not have the run, UserError if it cannot be used.
    """
    return store.ask(uri, lambda client: look_up(client, run_id).data.tags)


def _first_tags(job: Job) -> dict[str, str]:
    """Return the tags that a run has from its first moment on.

    Without these tags a run whose process was killed would stay RUNNING for ever.
    """
    config = job.settings.config
    # MLflow shows tags in the order in which they came: these are what a person looks for.
    shown = {**description.columns(job), "variant": job.variant, "seed": str(config.seed)}
    tags = {key: text[:LONGEST_TAG] for key, text in shown.items() if key not in config.tags}
    tags |= _git_tags(config.tracking.code) | dict(job.origin.tags) | process_tags()
    if job.run_id is None and (outer := mlflow.active_run()) is not None:  # of this thread
        tags |= {MLFLOW_PARENT_RUN_ID: outer.info.run_id}
    return tags


def _open_run(uri: str, job: Job, tags: dict[str, str], warn: Warn) -> RunTracker:
    """Return a tracker of the job's run, which is new or begins again. Raises UserError.

    It may go on when nobody waits for it any more and MLflow uses another store; it keeps to `uri`.
    """
    # A study looks for lost runs at its start and its end, and not in each trial.
    name, is_trial = job.settings.config.tracking.experiment, job.origin.is_retried
    experiment_id = open_experiment(name, fails_lost_runs=not is_trial)
    send_earlier(uri, warn)
    client = mlflow.MlflowClient(uri)
    _check_artifacts(client.get_experiment(experiment_id))
    if job.run_id is None:
        # Not MLflow's start_run: it takes up the run of a job around this one, and its runs belong
        # to one thread.
        run = client.create_run(experiment_id, tags=resolve_tags(tags), run_name=job.run_name)
        moments.reached("run begun")
        _tell_artifacts(client, run)
    else:
        run = look_up(client, job.run_id)
        for key, value in tags.items():
            client.set_tag(job.run_id, key, value)
        client.update_run(job.run_id, RunStatus.RUNNING, job.run_name)
    return RunTracker(job, client, run, warn)


def _tell_artifacts(client: mlflow.MlflowClient, run: Run) -> None:
    """Tell MLflow where the artifacts of a new run are, for which it would read the whole run.

    It is told what it would find, and keeps it; a version that keeps it elsewhere looks itself.
    """
    kept = getattr(utils, "_artifact_repos_cache", None)
    if kept is not None and local_path(run.info.artifact_uri) is not None:
        while len(kept) >= _MOST_KEPT:
            kept.popitem(last=False)
        location, uri = run.info.artifact_uri, client.tracking_uri
        kept[run.info.run_id] = get_artifact_repository(location, tracking_uri=uri)


def _end_unused(tracker: RunTracker) -> None:
    """End a run that MLflow opened when nobody waited for it any more."""
    tracker.end(RunStatus.FAILED, "MLflow answered too late when the run began")


def _check_artifacts(experiment: Experiment) -> None:
    """Raise UserError if artifacts are kept in a folder that cannot be written here.

    Models and figures would be lost. A server that does not serve artifacts names a folder of its
    own machine.
    """
    folder = local_path(experiment.artifact_location)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if mlflow.get_tracking_uri().startswith("http"):
            advice = (
                "It is the server's folder: start the server with --serve-artifacts, and take a "
                "new experiment with tracking.experiment=NAME"
            )
        else:
            advice = "Make it writable, or take a new experiment with tracking.experiment=NAME"
        raise UserError(
            f"tracking.experiment={experiment.name}: its artifacts are kept in {folder}, which "
            f"cannot be written here ({error.strerror})\n{advice}"
        ) from error


def _ending(error: BaseException) -> tuple[RunStatus, str]:
    """Return the status of a run that ended with this error, and why. It is decided here alone."""
    is_stopped = any(isinstance(cause, KeyboardInterrupt) for cause in causes(error))
    status = RunStatus.KILLED if is_stopped or sweeper.is_pruned(error) else RunStatus.FAILED
    return status, masked(f"{type(error).__name__}: {error}")


def _git_tags(recorded: str) -> dict[str, str]:
    """Return what MLflow itself tells of the checkout, as far as `tracking.code` allows.

    A password in the address of the remote is left out.
    """
    tags = {
        key: text for key, text in resolve_tags().items() if key.startswith("mlflow.source.git.")
    }
    return {
        key: "not recorded" if recorded == "off" else masked(text) for key, text in tags.items()
    }
