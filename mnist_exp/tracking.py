"""The MLflow adapter: the only module that writes to MLflow."""

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import filelock
import keras
import mlflow
import yaml
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature

from mnist_exp import environment
from mnist_exp.config import Settings
from mnist_exp.data import Dataset
from mnist_exp.errors import Killed, UserError
from mnist_exp.results import EpochResult, Evaluation

# What `mlflow models serve` installs to load the model.
_MODEL_REQUIREMENTS = ("tensorflow", "keras", "numpy")


class RunTracker:
    """Writes to one MLflow run; `track_run` makes it."""

    def __init__(self, run_id: str, experiment_id: str) -> None:
        self.run_id, self.experiment_id = run_id, experiment_id
        self._client = mlflow.MlflowClient()
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

    def log_files(self, folder: Path) -> None:
        """All files below the folder, as artifacts with the same relative paths."""
        self._client.log_artifacts(self.run_id, str(folder))

    def log_text(self, text: str, path: str) -> None:
        self._client.log_text(self.run_id, text, path)

    def log_bytes(self, content: bytes, path: str) -> None:
        """An artifact that must keep its line ends and need not be UTF-8."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.parent.mkdir(parents=True)
            file.write_bytes(content)
            self.log_files(Path(folder))

    def log_model(self, model: keras.Model, example: Any, step: int) -> None:
        """The model after `step` training steps with its signature, once; `example` is a batch of inputs."""
        import mlflow.tensorflow

        outputs = self._client.get_run(self.run_id).outputs
        if outputs is not None and any(logged.step == step for logged in outputs.model_outputs):
            return
        keras.config.disable_interactive_logging()  # MLflow tries the example; no progress bar for that
        frozen = [f"{name}=={environment.version(name)}" for name in _MODEL_REQUIREMENTS]
        mlflow.tensorflow.log_model(
            model,
            name="model",
            signature=infer_signature(example, model(example).numpy()),
            input_example=example,
            pip_requirements=frozen,
            step=step,
        )

    def log_settings(self, settings: Settings, variant: str, data: Dataset) -> None:
        """Params, tags, config, environment and data: all that is known before training."""
        config, source = settings.config, environment.source_version()
        params = {**settings.choices, **flatten(config.to_dict())}
        tags = {
            "variant": variant,
            "config_hash": config.hash(),
            "seed": str(config.seed),
            "data.digest": data.digest(),
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
            described = MetaDataset(source_info, name, split.digest()[:32])  # type: ignore[abstract]
            mlflow.log_input(described, context=context)

    def reopen(self, settings: Settings) -> None:
        """Go on with a run that has its settings: remember its metrics, so that none is logged a second time."""
        run = self._client.get_run(self.run_id)
        for name in run.data.metrics:
            self._logged |= {(name, m.step) for m in self._client.get_metric_history(self.run_id, name)}
        if "failure_reason" in run.data.tags:
            self._client.delete_tag(self.run_id, "failure_reason")
        self._client.set_tag(self.run_id, "config_hash", settings.config.hash())
        self.log_text(yaml.safe_dump(settings.config.to_dict(), sort_keys=False), "config/resolved.yaml")
        self.log_text(yaml.safe_dump(list(settings.overrides)), "config/overrides.yaml")

    def _log_metrics(self, metrics: list[Metric]) -> None:
        metrics = [metric for metric in metrics if (metric.key, metric.step) not in self._logged]
        self._logged |= {(metric.key, metric.step) for metric in metrics}
        for start in range(0, len(metrics), 1000):  # MLflow takes at most 1,000 a call
            self._client.log_batch(self.run_id, metrics=metrics[start : start + 1000])


@contextmanager
def track_run(
    settings: Settings, variant: str, run_name: str, data: Dataset, *, run_id: str | None = None
) -> Iterator[RunTracker]:
    """One MLflow run whose status tells how the block ended, whatever happens in it.

    `run_id` reopens that run instead of making one. Raises UserError if the store cannot be used, does not have the
    run, or refuses the settings.
    """
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    with _tracking_uri(settings.config.tracking.uri):
        experiment_id = open_store(settings.config.tracking.experiment)
        nested = mlflow.active_run() is not None
        try:
            run = mlflow.start_run(
                run_id=run_id,
                experiment_id=experiment_id,
                run_name=run_name,
                nested=nested,
                log_system_metrics=True,
            )
        except MlflowException as error:
            raise UserError(
                f"resume={run_id}: MLflow does not know that run ({_first_line(error)})"
            ) from error
        tracker, status = RunTracker(run.info.run_id, run.info.experiment_id), "FINISHED"
        try:
            try:
                if run_id is None:
                    tracker.log_settings(settings, variant, data)
                else:
                    tracker.reopen(settings)
            except MlflowException as error:
                raise UserError(f"MLflow refuses the run's settings: {_first_line(error)}") from error
            yield tracker
        except BaseException as error:
            status = "KILLED" if isinstance(error, Killed | KeyboardInterrupt) else "FAILED"
            mlflow.set_tag("failure_reason", f"{type(error).__name__}: {error}"[:5000])
            raise
        finally:
            mlflow.end_run(status)


def open_store(experiment: str) -> str:
    """The id of the experiment, which is made if need be, in a store whose schema is made if need be.

    Only one process of this machine at a time: MLflow's schema creation fails when two start it at once.
    """
    uri = mlflow.get_tracking_uri()
    try:
        with _store_lock(uri):
            client = mlflow.MlflowClient()
            found = client.get_experiment_by_name(experiment)
            return client.create_experiment(experiment) if found is None else found.experiment_id
    except (MlflowException, OSError) as error:
        raise UserError(f"tracking.uri={uri}: cannot be used ({_first_line(error)})") from error


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


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _evaluation_metrics(split: str, evaluation: Evaluation) -> dict[str, float]:
    return {f"{split}/cost": evaluation.cost, f"{split}/accuracy": evaluation.accuracy}


def _sqlite_uri(path: Path) -> str:
    return f"sqlite:///{path}"


def _store_lock(uri: str) -> Any:
    if not uri.startswith("sqlite:///"):
        return nullcontext()
    database = Path(uri.removeprefix("sqlite:///"))
    return filelock.FileLock(database.with_name(f".{database.name}.lock"))


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
