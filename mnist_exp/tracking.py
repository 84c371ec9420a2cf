"""The MLflow adapter: the only module that writes to MLflow."""

import json
import math
import os
import platform
import re
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
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags
from numpy.typing import NDArray

from mnist_exp import environment, model_package, model_registry
from mnist_exp.config import Settings
from mnist_exp.data import Dataset
from mnist_exp.errors import Killed, UserError, first_line
from mnist_exp.mlflow_settings import be_quick_and_quiet, store_lock
from mnist_exp.results import EpochResult, Evaluation
from mnist_exp.sweeper.processes import is_alive, this_process
from mnist_exp.unsent import Unsent, pending
from mnist_exp.uris import masked

if TYPE_CHECKING:
    import keras

    from mnist_exp.preflight import PreflightReport

_RETRY_SECONDS = 30.0
_T = TypeVar("_T")


class RunTracker:
    """Writes to one MLflow run; `track_run` makes it. What the store cannot take now is kept and sent later."""

    def __init__(self, run_id: str, experiment_id: str, warn: Callable[[str], None]) -> None:
        self.run_id, self.experiment_id = run_id, experiment_id
        self._client = mlflow.MlflowClient()
        self._warn = warn
        self._unsent = Unsent(run_id, mlflow.get_tracking_uri())
        self._retry_at = 0.0
        self._logged: set[tuple[str, int]] = set()  # (metric, step) that the run has already

    @property
    def page(self) -> str:
        """The run's address in the MLflow UI."""
        uri = mlflow.get_tracking_uri()
        server = uri.rstrip("/") if uri.startswith("http") else "http://127.0.0.1:5000"
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
            Metric("train/batch_accuracy", value, now, step) for step, value in result.batch_accuracies
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
        numbers = {**counts, **{k: float(v) for k, v in report.statistics.items() if math.isfinite(v)}}
        self.log_summary({f"preflight/{safe_name(name)}": value for name, value in numbers.items()})
        self.log_summary({"time/preflight_seconds": report.seconds})
        self._send({"do": "tag", "key": "preflight", "value": report.worst or "ok"})
        self._send(
            {"do": "tag", "key": "preflight.codes", "value": " ".join(f.code for f in report.findings)}
        )

    def set_tags(self, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            self._send({"do": "tag", "key": key, "value": value[:5000]})

    def log_files(self, folder: Path) -> None:
        """All files below the folder, as artifacts with the same relative paths."""
        self._send({"do": "files", "folder": str(folder)})

    def log_text(self, text: str, path: str) -> None:
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
        example: NDArray[np.uint8],
        step: int,
        entry: model_registry.Entry | None = None,
    ) -> None:
        """The model after `step` training steps, once, and in the registry; `example` is an image [28, 28]."""
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / "model.keras")
            np.save(Path(folder) / "example.npy", example)
            self._send({"do": "model", "folder": folder, "step": step})
        if entry is not None:
            self._send({"do": "register", "step": step, "entry": asdict(entry)})

    def end(self, status: str, reason: str | None = None) -> None:
        """Close the run in the store, and this process' part of it in any case."""
        if reason is not None:
            self._send({"do": "tag", "key": "failure_reason", "value": reason[:5000]})
        failures = [self._try(self._flush), self._try(lambda: mlflow.end_run(status))]
        monitor = mlflow.tracking.fluent.run_id_to_system_metrics_monitor.pop(self.run_id, None)
        if monitor is not None:  # end_run leaves it running when it fails
            monitor.finish()
        if failure := failures[0] or failures[1]:
            self._keep({"do": "end", "status": status, "time": int(time.time() * 1000)}, failure)
        if self._unsent:
            self._warn(
                f"results of run {self.run_id} wait in {self._unsent.folder}; "
                "`python -m mnist_exp.sync` or the next run in this folder sends them"
            )

    def _send(self, operation: dict[str, Any]) -> None:
        """Deliver in order; what cannot be delivered now is kept, and tried again after a while."""
        if self._unsent and time.monotonic() < self._retry_at:
            self._keep(operation)
            return
        failure = self._try(self._flush) or self._try(
            lambda: deliver(self._client, self.run_id, operation, self._warn)
        )
        if failure is not None:
            self._keep(operation, failure)

    def _try(self, action: Callable[[], None]) -> Exception | None:
        """The failure if it may pass, so that the same thing is tried later; others are raised."""
        try:
            action()
        except (MlflowException, OSError) as error:
            if not _is_passing(error):
                raise
            return error
        return None

    def _flush(self) -> None:
        if self._unsent:
            send_unsent(self._client, self._unsent, self._warn)

    def _keep(self, operation: dict[str, Any], error: Exception | None = None) -> None:
        if error is not None:
            if not self._unsent:
                self._warn(
                    f"MLflow cannot be reached ({first_line(error)}); results are kept on disk meanwhile"
                )
            self._retry_at = time.monotonic() + _RETRY_SECONDS
        if "folder" in operation:
            operation = operation | {
                "folder": self._unsent.keep_files(Path(operation["folder"])),
                "kept": True,
            }
        self._unsent.append(operation)

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
            **process_tags(),
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
        self._client.log_batch(
            self.run_id,
            params=[Param(key, str(value)) for key, value in params.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )
        self.log_text(yaml.safe_dump(config.to_dict(), sort_keys=False), "config/resolved.yaml")
        self.log_text(yaml.safe_dump(list(settings.overrides)), "config/overrides.yaml")
        self.log_text(environment.packages(), "env/packages.txt")
        self.log_text(json.dumps(environment.hardware(), indent=2), "env/hardware.json")
        source_info = CodeDatasetSource({"source": data.source, "sha256": data.sha256})
        name = "mnist" if data.is_mnist else "custom"
        for context, split in (("train", data.train), ("validation", data.val), ("test", data.test)):
            described = MetaDataset(source_info, name, split.digest[:32])  # type: ignore[abstract]
            _shared(mlflow.log_input, described, context)

    def reopen(self, settings: Settings) -> None:
        """Go on with a run that has its settings: remember its metrics, so that none is logged a second time."""
        run = self._client.get_run(self.run_id)
        for name in run.data.metrics:
            self._logged |= {(name, m.step) for m in self._client.get_metric_history(self.run_id, name)}
        if "failure_reason" in run.data.tags:
            self._client.delete_tag(self.run_id, "failure_reason")
        codes = dict.fromkeys([run.data.tags.get("code_digest", "unknown"), environment.code_digest()])
        tags = {"config_hash": settings.config.hash(), "code_digest": "+".join(codes), **process_tags()}
        for key, value in tags.items():
            self._client.set_tag(self.run_id, key, value)
        self.log_text(yaml.safe_dump(settings.config.to_dict(), sort_keys=False), "config/resolved.yaml")
        self.log_text(yaml.safe_dump(list(settings.overrides)), "config/overrides.yaml")

    def _log_metrics(self, metrics: list[Metric]) -> None:
        metrics = [metric for metric in metrics if (metric.key, metric.step) not in self._logged]
        self._logged |= {(metric.key, metric.step) for metric in metrics}
        for start in range(0, len(metrics), 1000):  # MLflow takes at most 1,000 a call
            plain = [[m.key, m.value, m.timestamp, m.step] for m in metrics[start : start + 1000]]
            self._send({"do": "metrics", "metrics": plain})


def deliver(
    client: mlflow.MlflowClient, run_id: str, operation: dict[str, Any], warn: Callable[[str], None]
) -> None:
    """Carry out one operation on a run, which is the active one."""
    match operation:
        case {"do": "metrics", "metrics": metrics}:
            client.log_batch(run_id, metrics=[Metric(*values) for values in metrics])
        case {"do": "tag", "key": key, "value": value}:
            client.set_tag(run_id, key, value)
        case {"do": "text", "text": text, "path": path}:
            client.log_text(run_id, text, path)
        case {"do": "files", "folder": folder}:
            client.log_artifacts(run_id, folder)
        case {"do": "model", "folder": folder, "step": step}:
            example = np.load(Path(folder) / "example.npy")
            model_package.log(client, run_id, Path(folder) / "model.keras", example, step)
        case {"do": "register", "step": step, "entry": entry}:
            _register(client, run_id, step, model_registry.Entry(**entry), warn)
        case {"do": "end", "status": status, "time": end_time}:
            client.set_terminated(run_id, status, end_time)


def _register(
    client: mlflow.MlflowClient,
    run_id: str,
    step: int,
    entry: model_registry.Entry,
    warn: Callable[[str], None],
) -> None:
    """A registry that refuses costs the run no more than its place there; one that does not answer is asked later."""
    try:
        with store_lock(mlflow.get_registry_uri()):
            model_registry.register(client, run_id, step, entry)
    except (MlflowException, OSError) as error:
        client.set_tag(run_id, "not_registered", first_line(error))  # raises if nothing answers
        warn(f"the model is not in MLflow's registry: {first_line(error)}")


def send_unsent(
    client: mlflow.MlflowClient, unsent: Unsent, warn: Callable[[str], None] = lambda text: None
) -> int:
    """Deliver what waits, in order, each thing once; returns how many. The run is the active one.

    The first operation may have arrived before its answer was lost, so that metrics the run has are left out.
    """
    with unsent.lock:
        operations = unsent.operations()
        for operation in operations:
            if operation["do"] == "metrics":
                has = {
                    (key, metric.step)
                    for key in {values[0] for values in operation["metrics"]}
                    for metric in client.get_metric_history(unsent.run_id, key)
                }
                new = [values for values in operation["metrics"] if (values[0], values[3]) not in has]
                operation = operation | {"metrics": new}
            if operation.get("kept"):
                operation = operation | {"folder": str(unsent.folder / operation["folder"])}
            deliver(client, unsent.run_id, operation, warn)
            unsent.delivered(1)
        return len(operations)


def sync(queue: Unsent) -> int:
    """Deliver all that waits of a run, from whichever process; returns how many operations that were.

    Raises UserError while the store cannot take it.
    """
    with _tracking_uri(queue.uri):
        be_quick_and_quiet()
        try:
            with store_lock(queue.uri):
                client = mlflow.MlflowClient()
            before = client.get_run(queue.run_id).info
            with mlflow.start_run(run_id=queue.run_id, log_system_metrics=False):
                count = send_unsent(client, queue)
                after = client.get_run(queue.run_id).info
        except (MlflowException, OSError) as error:
            raise UserError(
                f"{queue.uri}: cannot take what waits in {queue.folder} ({first_line(error)})"
            ) from error
        ended = after if after.status != "RUNNING" else before
        client.set_terminated(queue.run_id, ended.status, ended.end_time)
        return count


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
    with _tracking_uri(settings.config.tracking.uri):
        experiment_id = open_store(settings.config.tracking.experiment)
        for queue in pending():
            if queue.uri == mlflow.get_tracking_uri():
                try:
                    sync(queue)
                except UserError as error:  # an old run's trouble does not stop a new one
                    warn(str(error))
        nested = mlflow.active_run() is not None
        try:
            run = mlflow.start_run(
                run_id=run_id,
                experiment_id=experiment_id,
                run_name=run_name,
                nested=nested,
                tags=_git_tags(settings.config.tracking.code) | dict(tags or {}),
                log_system_metrics=True,
            )
        except MlflowException as error:
            raise UserError(
                f"resume={run_id}: MLflow does not know that run ({first_line(error)})"
            ) from error
        tracker, status, reason = RunTracker(run.info.run_id, run.info.experiment_id, warn), "FINISHED", None
        try:
            try:
                if run_id is None:
                    tracker.log_settings(settings, variant, data)
                else:
                    tracker.reopen(settings)
            except MlflowException as error:
                raise UserError(f"MLflow refuses the run's settings: {first_line(error)}") from error
            yield tracker
        except BaseException as error:
            status = "KILLED" if isinstance(error, Killed | KeyboardInterrupt) else "FAILED"
            reason = f"{type(error).__name__}: {error}"
            raise
        finally:
            tracker.end(status, reason)


def open_store(experiment: str) -> str:
    """The id of the experiment, which is made if need be, in a store whose schema is made if need be.

    Runs that a dead process of this host left RUNNING are marked FAILED on the way.
    One process at a time: MLflow's schema creation fails when two start it at once.
    """
    uri = mlflow.get_tracking_uri()
    try:
        with store_lock(uri):
            client = mlflow.MlflowClient()
            _fail_runs_of_dead_processes(client)
            return _shared(_experiment_id, client, experiment)
    except (MlflowException, OSError) as error:
        raise UserError(f"tracking.uri={uri}: cannot be used ({first_line(error)})") from error


def _experiment_id(client: mlflow.MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return client.create_experiment(name) if found is None else found.experiment_id


def _shared(look_or_make: Callable[..., _T], *arguments: object) -> _T:
    """MLflow makes what runs share where it does not find it. What another made in between it refuses, and finds then."""
    try:
        return look_or_make(*arguments)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "BAD_REQUEST"):
            raise
        return look_or_make(*arguments)


def _git_tags(recorded: str) -> dict[str, str]:
    """What MLflow itself says of the checkout, without what `tracking.code` keeps back and without a remote's password."""
    tags = {key: text for key, text in resolve_tags().items() if key.startswith("mlflow.source.git.")}
    return {key: "not recorded" if recorded == "off" else masked(text) for key, text in tags.items()}


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
    with _tracking_uri(uri):
        try:
            with store_lock(mlflow.get_tracking_uri()):  # a client makes the schema where there is none
                client = mlflow.MlflowClient()
            yield client
        except (MlflowException, OSError) as error:
            raise UserError(
                f"tracking.uri={mlflow.get_tracking_uri()}: cannot be used ({first_line(error)})"
            ) from error


def amend(run_id: str, tags: Mapping[str, str], status: str | None, warn: Callable[[str], None]) -> None:
    """Set tags and perhaps the status of a run that has ended, now or when the store can be reached again."""
    tracker = RunTracker(run_id, "", warn)
    operations: list[dict[str, Any]] = [{"do": "tag", "key": k, "value": v[:5000]} for k, v in tags.items()]
    if status is not None:
        operations.append({"do": "end", "status": status, "time": int(time.time() * 1000)})
    for operation in operations:
        tracker._send(operation)


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
    default = uri == _sqlite_uri(Path("mlflow.db").absolute()) and not os.environ.get("MLFLOW_TRACKING_URI")
    return "mlflow ui --workers 1" if default else f"mlflow ui --workers 1 --backend-store-uri {uri}"


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings -> dotted keys; a list stays one value."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _is_passing(error: Exception) -> bool:
    """Whether the store may take the same thing later: it does not answer, is overloaded, locked or out of space."""
    return not isinstance(error, MlflowException) or error.error_code in (
        "INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED", "ABORTED",
    )  # fmt: skip


def _evaluation_metrics(split: str, evaluation: Evaluation) -> dict[str, float]:
    return {f"{split}/cost": evaluation.cost, f"{split}/accuracy": evaluation.accuracy}


def _sqlite_uri(path: Path) -> str:
    return f"sqlite:///{path}"


@contextmanager
def _tracking_uri(uri: str | None) -> Iterator[None]:
    previous = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    if uri is not None:
        mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        if uri is not None:
            mlflow.set_tracking_uri(previous)  # type: ignore[arg-type]  # None unsets it
