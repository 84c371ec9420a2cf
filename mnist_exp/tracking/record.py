"""One run, read back whole from an MLflow store: its metrics, its tags and its record's files."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mnist_exp.errors import UserError, first_line
from mnist_exp.outside.foreign_files import MAX_TEXT_BYTES, read_artifacts
from mnist_exp.tracking.find_run import find_run
from mnist_exp.tracking.metric_names import present
from mnist_exp.tracking.recorded_code import read_sources
from mnist_exp.tracking.status import RunStatus
from mnist_exp.tracking.store import refusal, uri_to_read

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# Step -> value, as text: two numbers are equal, to the last digit, if and only if their texts are.
History = dict[int, str]

# The artifacts that are a run's record, and the most bytes of each that are read.
_RECORD = {
    "config/resolved.yaml": MAX_TEXT_BYTES,
    "config/overrides.yaml": MAX_TEXT_BYTES,
    "env/packages.txt": MAX_TEXT_BYTES,
    "env/hardware.json": MAX_TEXT_BYTES,
    "env/git_left_out.txt": MAX_TEXT_BYTES,
    "env/git.diff": 100 * 2**20,
}


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """What MLflow knows about a run."""

    run_id: str
    name: str
    experiment: str = "mnist_exp"  # the name of its MLflow experiment
    status: RunStatus
    started: str
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, History]
    files: dict[str, bytes]  # the artifacts that are its record, by path

    @property
    def is_finished(self) -> bool:
        """Whether the run ended as it should."""
        return self.status == RunStatus.FINISHED

    @property
    def epochs(self) -> int:
        """The number of epochs that the record holds."""
        return max(self.metrics.get("train/cost", {}), default=0)


def read_run(uri: str | None, run_id: str) -> TrackedRun:
    """Return a run of the store that `tracking.uri` names.

    Raises UserError if there is no such run, it was deleted, or the store cannot be read.
    """
    import mlflow

    chosen, run = uri_to_read(uri), None
    try:
        client = mlflow.MlflowClient(chosen)
        run = find_run(client, run_id)
        return _read(client, run)
    except UserError:
        raise
    except Exception as error:  # MLflow passes on what its database, server or files raise
        if run is not None:
            message = f"run {run_id}: its record cannot be read ({first_line(error)})"
            raise UserError(message) from error
        raise refusal(chosen, error, "read") from error


def _read(client: "MlflowClient", run: "Run") -> TrackedRun:
    run_id = run.info.run_id
    started = datetime.fromtimestamp(run.info.start_time / 1000).astimezone()
    return TrackedRun(
        run_id=run_id,
        name=run.info.run_name or "",
        experiment=client.get_experiment(run.info.experiment_id).name,
        status=RunStatus(run.info.status),
        started=f"{started:%Y-%m-%d %H:%M}",
        params=dict(run.data.params),
        tags=dict(run.data.tags),
        metrics=_metrics(client, run),
        files=read_artifacts(client, run_id, _RECORD) | read_sources(client, run_id, run.data.tags),
    )


def _metrics(client: "MlflowClient", run: "Run") -> dict[str, History]:
    """Return all metrics by their present names."""
    metrics: dict[str, History] = {}
    for name in run.data.metrics:  # one that another version began may have both of its names
        metrics.setdefault(present(name), {}).update(_history(client, run.info.run_id, name))
    return metrics


def _history(client: "MlflowClient", run_id: str, metric: str) -> History:
    """Return all values of a metric; a step that was logged with several values has them all."""
    values: dict[int, set[str]] = {}
    for point in client.get_metric_history(run_id, metric):
        values.setdefault(point.step, set()).add(repr(point.value))
    return {step: " and ".join(sorted(values[step])) for step in sorted(values)}
