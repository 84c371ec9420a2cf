"""What a run says to MLflow, and which store it opens; `delivery` sees to it that it arrives."""

import json
import math
import os
import platform
import re
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import mlflow
import numpy as np
import yaml
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Experiment, Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from mnist_exp import sweeper
from mnist_exp.config.settings import Settings
from mnist_exp.data import Dataset
from mnist_exp.errors import Killed, UserError, first_line
from mnist_exp.outside import moments
from mnist_exp.outside.uris import local_path, masked, sqlite_file, without_user
from mnist_exp.serving import registry as model_registry
from mnist_exp.serving.model import RULE
from mnist_exp.sweeper.processes import is_alive, this_process
from mnist_exp.tracking import delivery, environment, moved_store
from mnist_exp.tracking.routes import advice
from mnist_exp.tracking.store import (
    IGNORED,
    be_quick_and_quiet,
    has_file_store,
    in_use,
    named,
    opening,
    store_lock,
)
from mnist_exp.training import machine
from mnist_exp.training.results import EpochResult, Evaluation

if TYPE_CHECKING:
    import keras

    from mnist_exp.preflight import PreflightReport

_FIRST_SECONDS = 120.0  # in which a server has to let a run begin
_MONITOR_SECONDS = 5.0  # for which the end of a run waits for the last system metrics
_T = TypeVar("_T")


class RunTracker:
    """Writes to one MLflow run; `track_run` makes it."""

    def __init__(self, client: mlflow.MlflowClient, run: Run, warn: Callable[[str], None]) -> None:
        self.run_id, self.experiment_id = run.info.run_id, run.info.experiment_id
        self._client = client
        self._warn = warn
        self._outbox = delivery.Outbox(client, self.run_id, warn)
        self._artifacts = local_path(run.info.artifact_uri)  # None: not on this machine
        self._files: set[str] = set()  # that were logged
        self._logged: set[tuple[str, int]] = set()  # (metric, step) that the run has already
        self._monitor: SystemMetricsMonitor | None = None

    @property
    def page(self) -> str:
        """The run's address in the MLflow UI."""
        uri = mlflow.get_tracking_uri()
        server = (
            without_user(uri).rstrip("/") if uri.startswith("http") else "http://127.0.0.1:5000"
        )
        return f"{server}/#/experiments/{self.experiment_id}/runs/{self.run_id}"

    def log_epoch(self, result: EpochResult, reference_cost: float | None = None) -> None:
        """Metrics with step = epoch, but for train/batch_accuracy with step = training step."""
        now = int(time.time() * 1000)
        values: dict[str, float] = {
            "train/cost": result.cost,
            "train/accuracy": result.train_accuracy,
            "time/epoch_seconds": result.seconds,
            "time/images_per_second": result.images_per_second,
            **_evaluation_metrics("val", result.val),
            **_evaluation_metrics("test", result.test),
        }
        if reference_cost is not None:
            values["reference/cost"] = reference_cost
        metrics = [Metric(name, value, now, result.epoch) for name, value in values.items()]
        metrics += [
            Metric("train/batch_accuracy", value, now, step)
            for step, value in result.batch_accuracies
        ]
        self._log_metrics(metrics)

    def log_summary(self, values: Mapping[str, float], epoch: int = 0) -> None:
        """Metrics of the whole run up to an epoch."""
        now = int(time.time() * 1000)
        self._log_metrics([Metric(name, value, now, epoch) for name, value in values.items()])

    def log_preflight(self, report: "PreflightReport") -> None:
        """preflight.json with all evidence, its numbers as metrics, the codes found as a tag."""
        self.log_text(json.dumps(report.to_dict(), indent=2), "preflight.json")
        counts = {"errors": len(report.errors), "warnings": len(report.warnings)}
        numbers = {
            **counts,
            **{k: float(v) for k, v in report.statistics.items() if math.isfinite(v)},
        }
        self.log_summary({f"preflight/{safe_name(name)}": value for name, value in numbers.items()})
        self.log_summary({"time/preflight_seconds": report.seconds})
        self._send({"do": "tag", "key": "preflight", "value": report.worst or "ok"})
        self._send(
            {
                "do": "tag",
                "key": "preflight.codes",
                "value": " ".join(f.code for f in report.findings),
            }
        )

    def set_tags(self, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            self._send({"do": "tag", "key": key, "value": value[:5000]})

    def log_files(self, folder: Path) -> None:
        """All files below the folder, as artifacts with the same relative paths."""
        self._files.update(delivery.files_below(folder))
        self._send({"do": "files", "folder": str(folder)})

    def log_text(self, text: str, path: str) -> None:
        self._files.add(path)
        self._send({"do": "text", "text": text, "path": path})

    def log_bytes(self, content: bytes, path: str) -> None:
        """An artifact that must keep its line ends and need not be UTF-8."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.parent.mkdir(parents=True)
            file.write_bytes(content)
            self.log_files(Path(folder))

    def log_model(
        self,
        model: "keras.Model",
        dataset: Dataset,
        step: int,
        entry: model_registry.Entry | None = None,
    ) -> None:
        """The model after `step` training steps, once, and in the registry, with a rule that doubts its answers."""
        from mnist_exp.serving import calibration

        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / "model.keras")
            np.save(Path(folder) / "example.npy", dataset.test.images[0, :, :, 0])
            calibration.judgement_of(model, dataset).save(Path(folder) / RULE)
            self._send({"do": "model", "folder": folder, "step": step})
        if entry is not None:
            self._send({"do": "register", "step": step, "entry": asdict(entry)})

    def watch_machine(self, *, is_new: bool) -> None:
        """Log what MLflow calls system metrics, from a thread of MLflow's."""
        if not machine.can_be_watched():
            return
        self._monitor = SystemMetricsMonitor(
            self.run_id, resume_logging=not is_new, tracking_uri=self._client.tracking_uri
        )
        self._monitor.start()

    def end(self, status: str, reason: str | None = None) -> None:
        """Close the run in the store, and this process' part of it in any case."""
        if self._monitor is not None:
            delivery.Attempt(self._monitor.finish).start().wait(_MONITOR_SECONDS)
        if reason is not None:
            self._send({"do": "tag", "key": "failure_reason", "value": reason[:5000]})
        self._send({"do": "end", "status": status, "time": int(time.time() * 1000)})
        self._outbox.close()
        self._miss_files()

    def _miss_files(self) -> None:
        """Warn of artifacts that were there and are not now."""
        if self._artifacts is None or self._outbox.queue:
            return
        missing = [name for name in sorted(self._files) if not (self._artifacts / name).is_file()]
        if missing:
            self._warn(
                f"{self._artifacts}: {len(missing)} of {len(self._files)} artifacts of run {self.run_id} were removed "
                f"while it went on ({', '.join(missing[:3])} ...); a new run with the same settings has them all"
            )

    def _send(self, operation: dict[str, Any]) -> None:
        self._outbox.send(operation)

    def log_settings(self, settings: Settings, variant: str, data: Dataset) -> None:
        """Params, tags, config, environment and data: all that is known before training."""
        config = settings.config
        source = environment.source_version(config.tracking.code)
        params = {**settings.choices, **flatten(config.to_dict())}
        tags = {
            "variant": variant,
            "config_hash": config.hash(),
            "seed": str(config.seed),
            "data.digest": data.digest,
            "code_digest": environment.code_digest(),
            **config.tags,
        }
        if source is not None:
            tags |= {"git.commit": source.commit, "git.dirty": str(source.dirty).lower()}
            if source.diff:
                self.log_bytes(source.diff, "env/git.diff")
            if source.note:
                self.log_text(source.note, "env/git_left_out.txt")
        if (seen := config.reference) is not None and seen.test_accuracy is not None:
            self.log_summary({"reference/test_accuracy": seen.test_accuracy})
        self._send(
            {
                "do": "settings",
                "params": {key: str(value) for key, value in params.items()},
                "tags": tags,
            }
        )
        self.log_text(yaml.safe_dump(config.to_dict(), sort_keys=False), "config/resolved.yaml")
        self.log_text(yaml.safe_dump(list(settings.overrides)), "config/overrides.yaml")
        self.log_text(environment.packages(), "env/packages.txt")
        self.log_text(json.dumps(environment.hardware(), indent=2), "env/hardware.json")
        source_info = CodeDatasetSource({"source": data.source, "sha256": data.sha256})
        name = "mnist" if data.is_mnist else "custom"
        for context, split in (
            ("train", data.train),
            ("validation", data.val),
            ("test", data.test),
        ):
            described = MetaDataset(source_info, name, split.digest[:32])  # type: ignore[abstract]
            entity = dict(described._to_mlflow_entity())
            self._send({"do": "dataset", "context": context, "dataset": entity})

    def reopen(self, settings: Settings) -> None:
        """Go on with a run that has its settings: remember its metrics, so that none is logged a second time."""
        codes = dict.fromkeys([_answered(self._read_back), environment.code_digest()])
        self.set_tags({"config_hash": settings.config.hash(), "code_digest": "+".join(codes)})
        self.log_text(
            yaml.safe_dump(settings.config.to_dict(), sort_keys=False), "config/resolved.yaml"
        )
        self.log_text(yaml.safe_dump(list(settings.overrides)), "config/overrides.yaml")

    def _read_back(self) -> str:
        """Note what the run has already, and take back why it ended; returns the digest of the code it began with."""
        run = self._client.get_run(self.run_id)
        for name in (name for name in run.data.metrics if not name.startswith("system/")):
            history = self._client.get_metric_history(self.run_id, name)
            self._logged |= {(name, metric.step) for metric in history}
        if "failure_reason" in run.data.tags:
            self._client.delete_tag(self.run_id, "failure_reason")
        return run.data.tags.get("code_digest", "unknown")

    def _log_metrics(self, metrics: list[Metric]) -> None:
        metrics = [metric for metric in metrics if (metric.key, metric.step) not in self._logged]
        self._logged |= {(metric.key, metric.step) for metric in metrics}
        for start in range(0, len(metrics), 1000):  # MLflow takes at most 1,000 a call
            plain = [[m.key, m.value, m.timestamp, m.step] for m in metrics[start : start + 1000]]
            self._send({"do": "metrics", "metrics": plain})


@contextmanager
def track_run(
    settings: Settings,
    variant: str,
    run_name: str,
    data: Dataset,
    *,
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    warn: Callable[[str], None] = lambda text: None,
) -> Iterator[RunTracker]:
    """One MLflow run whose status tells how the block ended, whatever happens in it.

    `run_id` reopens that run instead of making one. `tags` are the run's beside those of the settings. Raises
    UserError if the store cannot be used, does not have the run, or refuses the settings.
    """
    be_quick_and_quiet()
    for name in (name for name in IGNORED if name in os.environ):
        warn(
            f"{name} of a surrounding job is not used: the run is one of its own, in tracking.experiment"
        )
    with in_use(settings.config.tracking.uri):
        # The process from the first moment on: a run that nobody knows to be dead stays RUNNING for ever.
        given = _git_tags(settings.config.tracking.code) | dict(tags or {}) | process_tags()
        if run_id is None and (outer := mlflow.active_run()) is not None:  # of this thread
            given |= {MLFLOW_PARENT_RUN_ID: outer.info.run_id}
        tracker = _answered(lambda: _open_run(settings, run_name, run_id, given, warn))
        status, reason = "FINISHED", None
        try:
            try:
                if run_id is None:
                    tracker.log_settings(settings, variant, data)
                else:
                    tracker.reopen(settings)
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
    """The tags of a run in the store that `tracking.uri` names. Raises RunIsGone, UserError."""
    be_quick_and_quiet()
    with in_use(uri):

        def look_up() -> Mapping[str, str]:
            with store_lock(
                mlflow.get_tracking_uri()
            ):  # a client makes the schema where there is none
                client = mlflow.MlflowClient()
            return delivery.look_up(client, run_id).data.tags

        return _answered(look_up)


def _answered(action: Callable[[], _T]) -> _T:
    """What the action returns. Raises UserError if the store refuses, or is a server that lets one wait for long."""
    uri = mlflow.get_tracking_uri()
    try:
        return delivery.within(_FIRST_SECONDS if uri.startswith("http") else None, action)
    except (MlflowException, OSError) as error:
        raise UserError(
            f"{named(uri)}: cannot be used ({first_line(error)}){advice(uri, error)}"
        ) from error


def _open_run(
    settings: Settings,
    run_name: str,
    run_id: str | None,
    tags: dict[str, str],
    warn: Callable[[str], None],
) -> RunTracker:
    """A new run, or the one with that id, and the machine watched beside it. Raises RunIsGone."""
    experiment_id = open_store(settings.config.tracking.experiment)
    delivery.send_earlier(mlflow.get_tracking_uri(), warn)
    client = mlflow.MlflowClient()
    _check_artifacts(client.get_experiment(experiment_id))
    if run_id is None:
        # Not MLflow's start_run: that one takes up the run of a job around this one, and its runs are of one thread.
        run = client.create_run(experiment_id, tags=resolve_tags(tags), run_name=run_name)
        moments.reached("run begun")
    else:
        run = delivery.look_up(client, run_id)
        for key, value in tags.items():
            client.set_tag(run_id, key, value)
        client.update_run(run_id, "RUNNING", run_name)
    tracker = RunTracker(client, run, warn)
    tracker.watch_machine(is_new=run_id is None)
    return tracker


def _check_artifacts(experiment: Experiment) -> None:
    """Raise UserError if artifacts are kept in a folder that cannot be written here: models and figures would be lost.

    A server that does not serve artifacts names a folder of its own machine.
    """
    folder = local_path(experiment.artifact_location)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        uri = mlflow.get_tracking_uri()
        advice = (
            "It is the server's folder: start the server with --serve-artifacts, and take a new experiment with "
            "tracking.experiment=NAME"
            if uri.startswith("http")
            else "Make it writable, or take a new experiment with tracking.experiment=NAME"
        )
        raise UserError(
            f"tracking.experiment={experiment.name}: its artifacts are kept in {folder}, which cannot be written here "
            f"({error.strerror})\n{advice}"
        ) from error


def _ending(error: BaseException) -> tuple[str, str]:
    """The status of a run that ended with this error, and why. It is decided here alone."""
    causes = [error]
    while (
        cause := causes[-1].__cause__ or causes[-1].__context__
    ) is not None and cause not in causes:
        causes.append(cause)
    is_stopped = any(isinstance(cause, Killed | KeyboardInterrupt) for cause in causes)
    status = "KILLED" if is_stopped or sweeper.is_pruned(error) else "FAILED"
    return status, masked(f"{type(error).__name__}: {error}")


def open_store(experiment: str) -> str:
    """The id of the experiment, which is made if need be, in a store whose schema is made if need be.

    Runs that a dead process of this host left RUNNING are marked FAILED on the way.
    One process at a time: MLflow's schema creation fails when two start it at once.
    """
    uri = mlflow.get_tracking_uri()
    with opening(uri), store_lock(uri):
        client = mlflow.MlflowClient()
        _fail_runs_of_dead_processes(client)
        return delivery.shared(_experiment_id, client, experiment)


def _experiment_id(client: mlflow.MlflowClient, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is not None and experiment.lifecycle_stage != "active":
        raise UserError(
            f"tracking.experiment={name}: is in MLflow's trash; tracking.experiment=NAME names another one, and this "
            f"restores it:\nmlflow experiments restore --experiment-id {experiment.experiment_id}"
        )
    experiment_id = (
        client.create_experiment(name) if experiment is None else experiment.experiment_id
    )
    if file := sqlite_file(client.tracking_uri):
        moved_store.place_beside(file, experiment_id, unless_it_exists=experiment is not None)
    return experiment_id


def _git_tags(recorded: str) -> dict[str, str]:
    """What MLflow itself says of the checkout, without what `tracking.code` keeps back and without a remote's password."""
    tags = {
        key: text for key, text in resolve_tags().items() if key.startswith("mlflow.source.git.")
    }
    return {
        key: "not recorded" if recorded == "off" else masked(text) for key, text in tags.items()
    }


def safe_name(name: str) -> str:
    """With what MLflow does not allow in the name of a metric or param replaced."""
    return re.sub(r"[^\w\-. :/]", "_", name)


def process_tags() -> dict[str, str]:
    """Where the run's process is, so that others on this host can tell when it has died."""
    return {"host": platform.node(), "process": this_process()}


@contextmanager
def store(uri: str | None) -> Iterator[mlflow.MlflowClient]:
    """A client of the store that `tracking.uri` names. Raises UserError where that cannot be used."""
    be_quick_and_quiet()
    with in_use(uri) as chosen:
        with opening(chosen), store_lock(chosen):  # a client makes the schema where there is none
            client = mlflow.MlflowClient()
        try:
            yield client
        except (MlflowException, OSError) as error:
            raise UserError(
                f"{named(chosen)}: cannot be used ({first_line(error)}){advice(chosen, error)}"
            ) from error


def _fail_runs_of_dead_processes(client: mlflow.MlflowClient) -> None:
    """Mark runs as FAILED that a process of this host left RUNNING when it was killed."""
    host = platform.node().replace("'", "")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query = f"attributes.status = 'RUNNING' and tags.host = '{host}'"
    for run in client.search_runs(experiments, query, max_results=100):
        process = run.data.tags.get("process", "")
        if process.count("/") == 1:  # as older versions wrote it
            process = f"{run.data.tags['host']}/{process}"
        if is_alive(process) is False:
            pid = process.split("/")[1]
            client.set_tag(run.info.run_id, "failure_reason", f"its process {pid} on {host} died")
            client.set_terminated(run.info.run_id, "FAILED")


def ui_command() -> str:
    """The shell command that opens the MLflow UI on the store in use, from the current folder."""
    uri = mlflow.get_tracking_uri()
    if sqlite_file(uri) == Path("mlflow.db").absolute() and not has_file_store():
        return "mlflow ui --workers 1"
    # A password can only have come from the environment.
    named = shlex.quote(uri) if masked(uri) == uri else '"$MLFLOW_TRACKING_URI"'
    return f"mlflow ui --workers 1 --backend-store-uri {named}"


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings -> dotted keys; a list stays one value."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _evaluation_metrics(split: str, evaluation: Evaluation) -> dict[str, float]:
    return {f"{split}/cost": evaluation.cost, f"{split}/accuracy": evaluation.accuracy}
