"""What can be done to a run in MLflow: objects that are carried out now, or kept as JSON for later.

The JSON form of an operation, such as {"do": "tag", "key": "a", "value": "b"}, must stay as it is:
queues on disk hold it, which another version of this package may have written.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

import mlflow.entities
from mlflow import MlflowClient
from mlflow.entities import InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from mnist_exp.errors import first_line
from mnist_exp.outside import moments
from mnist_exp.serving import package, registry
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.creation import store_lock
from mnist_exp.tracking.refusals import shared
from mnist_exp.tracking.status import FAILURE_REASON, RunStatus
from mnist_exp.tracking.unsent import Unsent

METRICS_AT_ONCE = 1000  # that MLflow takes in one call
LONGEST_TAG = 5000  # in letters, for MLflow

Warn = Callable[[str], None]
Point = tuple[str, float, int, int]  # name, value, time in ms, step


@dataclass(frozen=True)
class Operation(ABC):
    """Something to do to a run. Doing it twice changes nothing more, except for metrics.

    A subclass' fields are those of its JSON form. Making one raises TypeError or ValueError if a
    field holds what this version does not know.
    """

    do: ClassVar[str]  # its name in the JSON form

    @abstractmethod
    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Carry it out. Raises MlflowException or OSError if the store does not take it."""

    def to_json(self) -> dict[str, Any]:
        """Return the form in which a queue holds it."""
        return {"do": self.do, **asdict(self)}


@dataclass(frozen=True)
class Metrics(Operation):
    """Log values of metrics, at most `METRICS_AT_ONCE`. Doing it twice logs them twice."""

    do = "metrics"
    metrics: Sequence[Point]

    def __post_init__(self) -> None:
        if any(len(point) != len(get_args(Point)) for point in self.metrics):
            raise ValueError("expected a name, a value, a time and a step")

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Log them in one call."""
        client.log_batch(run_id, metrics=[Metric(*point) for point in self.metrics])


@dataclass(frozen=True)
class ParamsAndTags(Operation):
    """Log params, and set tags."""

    do = "settings"
    params: Mapping[str, str]
    tags: Mapping[str, str]

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Log them in one call."""
        params = [Param(key, value) for key, value in self.params.items()]
        tags = [RunTag(key, value) for key, value in self.tags.items()]
        client.log_batch(run_id, params=params, tags=tags)


@dataclass(frozen=True)
class DatasetInput(Operation):
    """Log a dataset that the run uses: `dataset` has the fields of MLflow's entity."""

    do = "dataset"
    context: str  # what it is used for: train, validation or test
    dataset: Mapping[str, Any]

    def __post_init__(self) -> None:
        mlflow.entities.Dataset(**self.dataset)

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Log it."""
        DatasetInputs({self.context: self.dataset}).deliver(client, run_id, warn)


@dataclass(frozen=True)
class DatasetInputs(Operation):
    """Log the datasets that the run uses, by what they are used for, as `DatasetInput` does one."""

    do = "datasets"
    datasets: Mapping[str, Mapping[str, Any]]

    def __post_init__(self) -> None:
        for dataset in self.datasets.values():
            mlflow.entities.Dataset(**dataset)

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Log them in one call. Another run may log the same datasets at the same moment.

        A server older than MLflow 2.4 takes none; the run has the digest of the data anyway.
        """
        inputs = [
            mlflow.entities.DatasetInput(
                mlflow.entities.Dataset(**dataset), [InputTag(MLFLOW_DATASET_CONTEXT, context)]
            )
            for context, dataset in self.datasets.items()
        ]
        try:
            shared(client.log_inputs, run_id, inputs)
        except MlflowException as error:
            if not _is_older(error, "/log-inputs"):
                raise
            warn("the tracking server is older than MLflow 2.4, and takes no datasets")


@dataclass(frozen=True)
class Tag(Operation):
    """Set a tag."""

    do = "tag"
    key: str
    value: str

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Set it, with as much of the value as MLflow takes."""
        client.set_tag(run_id, self.key, self.value[:LONGEST_TAG])


@dataclass(frozen=True)
class Text(Operation):
    """Log a text as the artifact `path`."""

    do = "text"
    text: str
    path: str

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Log it."""
        client.log_text(run_id, self.text, self.path)
        moments.reached(f"artifact {self.path}")


@dataclass(frozen=True, kw_only=True)
class FileOperation(Operation):
    """An operation with files, which have to stay until it is delivered."""

    folder: str
    kept: bool = False  # the folder is one in the queue's, by its name

    def kept_in(self, queue: Unsent) -> Self:
        """Return the operation with its files in the queue's folder, where they are copied."""
        return replace(self, folder=queue.keep_files(Path(self.folder)), kept=True)

    def taken_from(self, queue: Unsent) -> Self:
        """Return the operation that the queue holds, with the path of its files."""
        return replace(self, folder=str(queue.folder / self.folder)) if self.kept else self


@dataclass(frozen=True, kw_only=True)
class Files(FileOperation):
    """Log all files below the folder as artifacts with the same relative paths."""

    do = "files"

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Log them."""
        client.log_artifacts(run_id, self.folder)
        for name in files_below(Path(self.folder)):
            moments.reached(f"artifact {name}")


@dataclass(frozen=True, kw_only=True)
class Model(FileOperation):
    """Log the model of after `step` training steps, unless the run has it.

    `serving.contents` or an earlier version wrote the folder: it has the network, an example image,
    and perhaps the form of the images and the rule that doubts the network's answers.
    """

    do = "model"
    step: int

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Log it; on a server older than MLflow 3, which takes no models, as an artifact."""
        try:
            package.log(client, run_id, Path(self.folder), self.step)
        except MlflowException as error:
            if not _is_older(error, "/logged-models"):
                raise
            client.log_artifacts(run_id, self.folder, "model")
            warn(
                "the tracking server is older than MLflow 3 and takes no models, so that predict "
                "cannot use this run; its network is in the artifact folder model"
            )


@dataclass(frozen=True)
class Register(Operation):
    """Register the model of after `step` training steps, unless the registry has it.

    `entry` has the fields of `registry.Entry`.
    """

    do = "register"
    step: int
    entry: Mapping[str, Any]

    def __post_init__(self) -> None:
        registry.Entry(**self.entry)

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """Register it. If the registry refuses, the run goes on and gets the tag not_registered.

        One that does not answer is asked later: then setting the tag fails, too.
        """
        try:
            with store_lock(client._registry_uri or client.tracking_uri):
                registry.register(client, run_id, self.step, registry.Entry(**self.entry))
        except (MlflowException, OSError) as error:
            client.set_tag(run_id, "not_registered", first_line(error))
            warn(f"the model is not in MLflow's registry: {first_line(error)}")


@dataclass(frozen=True)
class End(Operation):
    """End the run with a status, at a time in ms."""

    do = "end"
    status: RunStatus
    time: int

    def __post_init__(self) -> None:
        RunStatus(self.status)

    def deliver(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        """End it.

        If it finished, remove the failure_reason that another process set because it took this one
        for dead.
        """
        client.set_terminated(run_id, self.status, self.time)
        is_finished = self.status == RunStatus.FINISHED
        if is_finished and FAILURE_REASON in client.get_run(run_id).data.tags:
            client.delete_tag(run_id, FAILURE_REASON)
        moments.reached("run ended")


_KINDS = (
    *(Metrics, ParamsAndTags, DatasetInput, DatasetInputs, Tag, Text),
    *(Files, Model, Register, End),
)
KINDS: dict[str, type[Operation]] = {kind.do: kind for kind in _KINDS}


def from_json(record: Mapping[str, Any]) -> Operation:
    """Return the operation whose JSON form this is. Raises ValueError for another version's."""
    try:
        kind = KINDS[record["do"]]
        names = {field.name for field in fields(kind)}
        return kind(**{name: value for name, value in record.items() if name in names})
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"holds an operation that this version does not know, {clean(record, 100)}"
        ) from error


def files_below(folder: Path) -> list[str]:
    """Return the relative paths of all files below the folder, with slashes, sorted."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def _is_older(error: MlflowException, route: str) -> bool:
    """Return whether a server answered that it does not know the route: it is older than that."""
    return route in str(error) and "404" in str(error)
