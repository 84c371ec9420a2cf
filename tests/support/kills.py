"""Kill a command at a named or random moment, and look at all that a user has afterwards."""

import contextlib
import hashlib
import os
import random
import signal as signals
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.entities import Run

from mnist_exp.outside import moments
from mnist_exp.training import checkpoint
from tests.support.waiting import LIMIT

# All images are used, because a run with a part of them is not registered.
SETTINGS = ("model=softmax", "preflight=off", "schedule.batch_size=5000", "schedule.epochs=2")
REGISTERED = "softmax-adam-2epochs-batch5000"
CODES = {"SIGKILL": {-9}, "SIGTERM": {143}, "SIGINT": {130}}
PICTURE = np.eye(28, dtype=np.uint8)[None] * 255


@dataclass(frozen=True)
class Killed:
    """A command that has ended by its kill."""

    code: int
    out: str
    err: str


class Victim:
    """A command in a folder of its own that kills itself at a moment."""

    def __init__(self, folder: Path, command: Sequence[str], moment: str, signal: str) -> None:
        self._signs = folder / "killed"
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=os.environ | {moments.VARIABLE: f"{signal}@{moment}@{self._signs}"},
            start_new_session=True,  # Ctrl-C is for the whole group
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self) -> Killed:
        """Wait for its end. The moment came, and there is no traceback."""
        out, err = self._process.communicate(timeout=LIMIT)
        assert self._signs.exists(), f"the moment did not come: {out}{err}"
        self._signs.unlink()
        assert "Traceback" not in out + err, out + err
        return Killed(self._process.returncode, out, err)


@dataclass(kw_only=True)
class Kills:
    """How often a command was killed, `inside_writing` of a checkpoint, and how often it ended."""

    count: int = 0
    inside_writing: int = 0
    completions: int = 0


def kill_at_random(command: Sequence[str], wanted: int, longest: float = 3.0) -> Kills:
    """Start a command with resume=auto again and again, kill -9 it, and then let it end.

    A kill comes up to `longest` seconds after the process' first checkpoint; every third one waits
    until a checkpoint is being written. The current folder is the command's.
    """
    kills, moments = Kills(), random.Random(0)
    while True:
        started, deadline = time.time(), None
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            folders = [
                f for f in checkpoint.CHECKPOINTS_DIR.glob("*") if not checkpoint.has_ended(f)
            ]
            fresh = [path for folder in folders for path in folder.glob("[0-9]*")]
            if deadline is None and max(map(_written, fresh), default=0.0) > started:
                deadline = time.monotonic() + moments.uniform(0, longest)
            is_due = deadline is not None and time.monotonic() >= deadline
            if kills.count < wanted and folders and is_due:
                writes = any((folder / f"writing-{process.pid}").exists() for folder in folders)
                if writes or kills.count % 3:
                    process.kill()
            time.sleep(0.002)
        if process.returncode == -signals.SIGKILL:
            kills.count += 1
            writing = checkpoint.CHECKPOINTS_DIR.glob(f"*/writing-{process.pid}")
            kills.inside_writing += any(writing)
        else:
            assert process.returncode == 0
            kills.completions += 1
            if kills.count >= wanted:
                return kills


def _written(path: Path) -> float:
    """Return when a file or folder was last changed; 0 if it went meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


@dataclass(frozen=True)
class State:
    """What the settings decide of a finished run, wherever and however often it was killed."""

    metrics: dict[str, list[tuple[int, float]]]
    artifacts: set[str]
    weights: str
    digits: list[float]  # probabilities that the logged model gives


def client_of(folder: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")


def runs_of(folder: Path, experiment: str = "mnist_exp") -> list[Run]:
    """Of the experiment, the oldest first."""
    client = client_of(folder)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"]))


def metrics_of(folder: Path, run: Run) -> dict[str, list[tuple[int, float]]]:
    """Each metric that is not measured with a clock, each step once."""
    client = client_of(folder)
    names = [name for name in run.data.metrics if not name.startswith("system/")]
    found = {
        name: sorted((m.step, m.value) for m in client.get_metric_history(run.info.run_id, name))
        for name in names
    }
    for name, history in found.items():
        assert len({step for step, _ in history}) == len(history), f"{name} twice: {history}"
    return {name: history for name, history in found.items() if not name.startswith("time/")}


def artifacts_of(run: Run) -> set[str]:
    root = Path(str(run.info.artifact_uri))
    assert root.is_dir()
    files = [path for path in root.rglob("*") if path.is_file()]
    assert all(path.stat().st_size for path in files)
    return {path.relative_to(root).as_posix() for path in files}


def weights_of(folder: Path, run_id: str) -> str:
    """SHA-256 over weights and optimizer state of its last checkpoint, which nobody uses."""
    with contextlib.chdir(folder):
        place = checkpoint.run_folder(run_id)
        state = checkpoint.load_newest(place, warn=print)
        assert state is not None
        assert not checkpoint.is_in_use(place)
        assert not list(place.glob("writing-*"))
    digest = hashlib.sha256()
    for array in (*state.weights, *state.optimizer):
        digest.update(array.tobytes())
    return digest.hexdigest()


def model_of(folder: Path, run: Run) -> list[float]:
    """What the run's one logged model answers; it is READY and loads."""
    client = client_of(folder)
    query = f"source_run_id = '{run.info.run_id}'"
    (model,) = client.search_logged_models([run.info.experiment_id], filter_string=query)
    assert model.status == "READY"
    assert run.outputs is not None
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
    with _store(folder):
        loaded = mlflow.pyfunc.load_model(f"models:/{model.model_id}")
    return [float(value) for value in loaded.predict(PICTURE)["probabilities"][0]]


def check_registry(folder: Path, finished: Sequence[Run]) -> None:
    """Each finished run has a whole version, and no other run; `best` is one of them and loads."""
    client = client_of(folder)
    versions = client.search_model_versions(f"name='{REGISTERED}'")
    assert sorted(str(version.run_id) for version in versions) == sorted(
        run.info.run_id for run in finished
    )
    for version in versions:
        model = client.get_logged_model(version.tags["logged_model"])
        assert (model.status, model.source_run_id) == ("READY", version.run_id)
        assert any(Path(str(version.source)).rglob("*.keras"))
    with _store(folder):
        assert mlflow.pyfunc.load_model(f"models:/{REGISTERED}@best") is not None


def check_run(folder: Path, run: Run, is_marked: bool = True) -> State:
    """The run has ended well; nothing is missing, doubled or left over; its checkpoints say so."""
    assert run.info.status == "FINISHED"
    assert run.info.end_time is not None
    assert "failure_reason" not in run.data.tags
    assert not list((folder / "outputs" / "unsent").glob("*/operations.jsonl"))
    with contextlib.chdir(folder):
        assert checkpoint.has_ended(checkpoint.run_folder(run.info.run_id)) or not is_marked
    return State(
        metrics_of(folder, run),
        artifacts_of(run),
        weights_of(folder, run.info.run_id),
        model_of(folder, run),
    )


@contextlib.contextmanager
def _store(folder: Path) -> Iterator[None]:
    before: Any = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
