"""How results reach MLflow: in order, each once, and on disk while the store does not take them.

An operation is a dict that JSON can hold, so that a later process can carry it out: {"do": "tag", "key": ..., ...}.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import mlflow
import numpy as np
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from mnist_exp.errors import RunIsGone, UserError, first_line
from mnist_exp.outside import moments, uris
from mnist_exp.serving import package as model_package
from mnist_exp.serving import registry as model_registry
from mnist_exp.tracking.store import (
    be_quick_and_quiet,
    from_record,
    is_recorded_as,
    recorded,
    shortened,
    store_lock,
    uri_to_read,
)
from mnist_exp.tracking.unsent import Unsent, pending

_RETRY_SECONDS = 30.0  # after a failure, in which results go to the disk at once
# Training waits for MLflow for 20 seconds in all and a tenth of its time; what takes longer goes on beside it.
_GRACE_SECONDS = 20.0
_SHARE = 0.1
_LAST_SECONDS = 30.0  # for which the end of a run waits
_METRICS = 1000  # that MLflow takes in one call
_FAILURE = "failure_reason"

_T = TypeVar("_T")
Warn = Callable[[str], None]
Operation = dict[str, Any]


class Attempt(Generic[_T]):
    """An action in a thread of its own, for which nobody waits longer than they want to. `start` begins it."""

    def __init__(self, action: Callable[[], _T]) -> None:
        self._action = action
        self._over = threading.Event()
        self._result: list[_T] = []
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Attempt[_T]":
        self._thread.start()
        return self

    @property
    def has_begun(self) -> bool:
        return self._thread.ident is not None

    def _run(self) -> None:
        try:
            self._result.append(self._action())
        except BaseException as error:  # noqa: BLE001  # raised where the result is asked for
            self.failure = error
        finally:
            self._over.set()

    def wait(self, seconds: float | None) -> bool:
        """Whether the action is over, at the latest after so many seconds."""
        return self._over.wait(seconds)

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def result(self) -> _T:
        """What the action returned; raises what it raised. It is over."""
        if self.failure is not None:
            raise self.failure
        return self._result[0]


def within(seconds: float | None, action: Callable[[], _T]) -> _T:
    """What the action returns. Raises TimeoutError, which is an OSError, if it is not over in time."""
    attempt = Attempt(action).start()
    if not attempt.wait(seconds):
        raise TimeoutError(f"no answer within {seconds:.0f} seconds")
    return attempt.result()


class Outbox:
    """Sends one run's operations. What the store does not take now is kept, and sent beside the training later."""

    def __init__(self, client: mlflow.MlflowClient, run_id: str, warn: Warn) -> None:
        self.queue = Unsent(run_id, recorded(client.tracking_uri))
        self._client, self._run_id, self._warn = client, run_id, warn
        self._database = _Database(client.tracking_uri)
        self._attempt: Attempt[Any] | None = None  # the last one
        self._began, self._waited, self._retry_at = time.monotonic(), 0.0, 0.0
        self._has_warned = False

    def send(self, operation: Operation) -> None:
        """Have the operation delivered, or on the disk.

        Raises MlflowException for one that MLflow refuses for what it holds, UserError if the disk refuses, too.
        """
        if self.queue or self._is_busy() or self._patience() <= 0:
            self._keep(operation)
            if time.monotonic() >= self._retry_at:
                self._send_queue()
            return
        attempt = self._attempt = Attempt(lambda: self._try(lambda: self._deliver(operation)))
        try:
            attempt.start()
            is_over = self._wait(self._patience())
        except BaseException:  # a signal; the attempt may fail where nobody sees it
            if not attempt.has_begun:
                self._attempt = None
            self._keep(operation)
            raise
        if not is_over:
            self._keep(operation)
            self._say(
                f"MLflow takes long to answer; results are kept in {self.queue.folder} meanwhile"
            )
        elif (trouble := attempt.result()) is not None:
            if trouble.is_malformed:
                raise trouble.error
            self._keep(operation)
            self._postpone(trouble)

    def close(self) -> None:
        """Wait for what is under way, and say what stays on the disk."""
        deadline, has_tried = time.monotonic() + _LAST_SECONDS, False
        while self.queue or self._is_busy():
            if not self._is_busy():
                if has_tried and self._retry_at > time.monotonic():
                    break
                has_tried = True
                self._send_queue()
            if not self._wait(deadline - time.monotonic()):
                break
        if self.queue:
            self._warn(
                f"results of run {self._run_id} wait in {self.queue.folder}; "
                "`python -m mnist_exp.sync` or the next run in this folder sends them"
            )

    def _deliver(self, operation: Operation) -> None:
        self._database.check()
        deliver(self._client, self._run_id, operation, self._warn)

    def _send_queue(self) -> None:
        """Begin to send what is on the disk, unless something is under way."""

        def send() -> None:
            self._database.check()
            send_unsent(self._client, self.queue, self._warn)

        def send_or_postpone() -> None:
            trouble = self._try(send)
            if trouble is not None:
                self._postpone(trouble)

        if not self._is_busy():
            self._attempt = Attempt(send_or_postpone).start()

    def _try(self, action: Callable[[], None]) -> "_Trouble | None":
        """What is wrong, whatever that is, for the results stay on the disk; None if nothing is."""
        try:
            action()
        except Exception as error:  # noqa: BLE001
            is_malformed = _is_malformed(self._client, self._run_id, error)
            return _Trouble(error, is_malformed, _complaint(self._client, self._run_id, error))
        return None

    def _is_busy(self) -> bool:
        return self._attempt is not None and not self._attempt.is_over

    def _wait(self, seconds: float) -> bool:
        assert self._attempt is not None
        started = time.monotonic()
        try:
            return self._attempt.wait(max(seconds, 0.0))
        finally:
            self._waited += time.monotonic() - started

    def _patience(self) -> float:
        """Seconds for which training may still wait."""
        return _GRACE_SECONDS + _SHARE * (time.monotonic() - self._began) - self._waited

    def _postpone(self, trouble: "_Trouble") -> None:
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        self._say(f"{trouble.complaint}; results are kept on disk meanwhile")

    def _say(self, text: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._warn(text)

    def _keep(self, operation: Operation) -> None:
        if "folder" in operation:
            folder = self.queue.keep_files(Path(operation["folder"]))
            operation = operation | {"folder": folder, "kept": True}
        self.queue.append(operation)


@dataclass(frozen=True)
class _Trouble:
    """Why an operation was not delivered; a malformed one never will be."""

    error: Exception
    is_malformed: bool
    complaint: str


@dataclass(frozen=True)
class _Identity:
    device: int
    inode: int


class _Database:
    """A store's SQLite file. SQLite goes on writing to one that was deleted, and what it writes there is lost."""

    def __init__(self, uri: str) -> None:
        file = uris.sqlite_file(uri)
        self._file = None if file is None else file.absolute()
        self._identity = self._look()

    def check(self) -> None:
        """Raise FileNotFoundError if the file is not the one it was."""
        if self._identity is not None and self._look() != self._identity:
            raise FileNotFoundError(f"{self._file} was deleted or replaced while the run went on")

    def _look(self) -> _Identity | None:
        try:
            status = os.stat(self._file) if self._file is not None else None
        except OSError:
            return None
        return None if status is None else _Identity(status.st_dev, status.st_ino)


def deliver(client: mlflow.MlflowClient, run_id: str, operation: Operation, warn: Warn) -> None:
    """Carry out one operation on a run. A second time changes nothing, but for metrics."""
    match operation:
        case {"do": "metrics", "metrics": metrics}:
            client.log_batch(run_id, metrics=[Metric(*values) for values in metrics])
        case {"do": "settings", "params": params, "tags": tags}:
            client.log_batch(
                run_id,
                params=[Param(key, value) for key, value in params.items()],
                tags=[RunTag(key, value) for key, value in tags.items()],
            )
        case {"do": "dataset", "context": context, "dataset": described}:
            given = DatasetInput(Dataset(**described), [InputTag(MLFLOW_DATASET_CONTEXT, context)])
            shared(client.log_inputs, run_id, [given])
        case {"do": "tag", "key": key, "value": value}:
            client.set_tag(run_id, key, value)
        case {"do": "text", "text": text, "path": path}:
            client.log_text(run_id, text, path)
            moments.reached(f"artifact {path}")
        case {"do": "files", "folder": folder}:
            client.log_artifacts(run_id, folder)
            for name in files_below(Path(folder)):
                moments.reached(f"artifact {name}")
        case {"do": "model", "folder": folder, "step": step}:
            _deliver_model(client, run_id, Path(folder), step, warn)
        case {"do": "register", "step": step, "entry": entry}:
            _register(client, run_id, step, model_registry.Entry(**entry), warn)
        case {"do": "end", "status": status, "time": end_time}:
            client.set_terminated(run_id, status, end_time)
            if status == "FINISHED" and _FAILURE in client.get_run(run_id).data.tags:
                client.delete_tag(run_id, _FAILURE)  # of an end that was not the run's
            moments.reached("run ended")


def _deliver_model(
    client: mlflow.MlflowClient, run_id: str, folder: Path, step: int, warn: Warn
) -> None:
    """A server older than MLflow 3 has no place for models: there the network is a file among the run's artifacts."""
    network = folder / "model.keras"
    try:
        model_package.log(client, run_id, network, np.load(folder / "example.npy"), step)
    except MlflowException as error:
        if "/logged-models" not in str(error) or "404" not in str(error):
            raise
        client.log_artifact(run_id, str(network), "model")
        warn(
            "the tracking server is older than MLflow 3 and takes no models, so that predict cannot use this run; "
            "its network is the artifact model/model.keras"
        )


def files_below(folder: Path) -> list[str]:
    """The relative paths of all files, with slashes."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def shared(look_or_make: Callable[..., _T], *arguments: object) -> _T:
    """MLflow makes what runs share where it does not find it. What another made in between it refuses, and finds then."""
    try:
        return look_or_make(*arguments)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "BAD_REQUEST"):
            raise
        return look_or_make(*arguments)


def _register(
    client: mlflow.MlflowClient, run_id: str, step: int, entry: model_registry.Entry, warn: Warn
) -> None:
    """A registry that refuses costs the run no more than its place there; one that does not answer is asked later."""
    try:
        with store_lock(client._registry_uri or client.tracking_uri):
            model_registry.register(client, run_id, step, entry)
    except (MlflowException, OSError) as error:
        client.set_tag(run_id, "not_registered", first_line(error))  # raises if nothing answers
        warn(f"the model is not in MLflow's registry: {first_line(error)}")


def send_unsent(client: mlflow.MlflowClient, unsent: Unsent, warn: Warn) -> int:
    """Deliver what waits, in order, each thing once; returns how many operations that were.

    What MLflow refuses for what it holds is left out with a warning, for it would stop all that comes behind it.
    """
    sent, histories = 0, _Histories(client, unsent.run_id)
    with unsent.sending:
        while operations := unsent.operations():
            for group in _groups(operations):
                try:
                    _deliver_kept(client, unsent, group, histories, warn)
                except MlflowException as error:
                    if not _is_malformed(client, unsent.run_id, error):
                        raise
                    warn(
                        f"run {unsent.run_id}: MLflow refuses a record, which is left out: {first_line(error)}"
                    )
                unsent.delivered(len(group))
                sent += len(group)
    return sent


def _groups(operations: list[Operation]) -> Iterator[list[Operation]]:
    """In order, neighbours that hold metrics together as far as MLflow takes them in one call."""
    group: list[Operation] = []
    for operation in operations:
        metrics = sum(len(other["metrics"]) for other in group) if group else 0
        if group and (
            operation["do"] != "metrics" or metrics + len(operation["metrics"]) > _METRICS
        ):
            yield group
            group = []
        if operation["do"] == "metrics":
            group.append(operation)
        else:
            yield [operation]
    if group:
        yield group


class _Histories:
    """The steps of each metric that a run has, so that none is logged again. Each is asked for once."""

    def __init__(self, client: mlflow.MlflowClient, run_id: str) -> None:
        self._client, self._run_id = client, run_id
        self._steps: dict[str, set[int]] = {}

    def has(self, key: str, step: int) -> bool:
        if key not in self._steps:
            self._steps[key] = {m.step for m in self._client.get_metric_history(self._run_id, key)}
        return step in self._steps[key]

    def add(self, key: str, step: int) -> None:
        self._steps[key].add(step)


def _deliver_kept(
    client: mlflow.MlflowClient,
    unsent: Unsent,
    group: list[Operation],
    histories: _Histories,
    warn: Warn,
) -> None:
    """The oldest operations: metrics, or a single one of another kind.

    An operation may have arrived before its answer was lost, so that metrics which the run has are left out.
    """
    first = group[0]
    if first["do"] != "metrics":
        if first.get("kept"):
            first = first | {"folder": str(unsent.folder / first["folder"])}
        deliver(client, unsent.run_id, first, warn)
        return
    metrics = [values for operation in group for values in operation["metrics"]]
    new = [values for values in metrics if not histories.has(values[0], values[3])]
    if new:
        deliver(client, unsent.run_id, {"do": "metrics", "metrics": new}, warn)
    for values in new:
        histories.add(values[0], values[3])


def sync(queue: Unsent, warn: Warn = lambda text: None) -> int:
    """Deliver all that waits of a run, from whichever process; returns how many operations that were.

    Raises UserError while the store cannot take it, RunIsGone if it does not have the run.
    """
    be_quick_and_quiet()
    uri = uri_to_read(from_record(queue.uri))
    try:
        with store_lock(uri):
            client = mlflow.MlflowClient(uri)
        look_up(client, queue.run_id)
        return send_unsent(client, queue, warn)
    except RunIsGone as error:
        raise RunIsGone(
            f"{error}; what waits in {queue.folder} can be sent only then, or removed with that folder"
        ) from error
    except (MlflowException, OSError) as error:
        raise UserError(
            f"{shortened(uri)}: cannot take what waits in {queue.folder} ({first_line(error)})"
        ) from error


def send_earlier(uri: str, warn: Warn) -> None:
    """Send what runs in this folder had to leave for the store; wait for it no longer than a run may.

    An earlier run's trouble does not stop a new one. That a run is not in the store any more is said once.
    """

    def send() -> None:
        for queue in queues:
            try:
                sync(queue, warn)
            except RunIsGone as error:
                queue.give_up()
                warn(str(error))
            except UserError as error:
                warn(str(error))

    queues = [
        queue for queue in pending() if is_recorded_as(uri, queue.uri) and not queue.is_given_up
    ]
    if queues and not Attempt(send).start().wait(_GRACE_SECONDS):
        warn("MLflow takes long to answer; what earlier runs left is sent beside this one")


def amend(
    client: mlflow.MlflowClient,
    run_id: str,
    tags: Mapping[str, str],
    status: str | None,
    warn: Warn,
) -> None:
    """Set tags and perhaps the status of a run that has ended, now or when the store can be reached again."""
    outbox = Outbox(client, run_id, warn)
    for key, value in tags.items():
        outbox.send({"do": "tag", "key": key, "value": value[:5000]})
    if status is not None:
        outbox.send({"do": "end", "status": status, "time": int(time.time() * 1000)})
    outbox.close()


def look_up(client: mlflow.MlflowClient, run_id: str) -> "mlflow.entities.Run":
    """The run. Raises RunIsGone, which says what can be done, if the store does not have it or it is deleted."""
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        shown = uris.masked(client.tracking_uri)
        raise RunIsGone(
            f"run {run_id} is not in {shown}: bring that store back, or name the run's with tracking.uri"
        ) from error
    if run.info.lifecycle_stage == "deleted":
        raise RunIsGone(
            f"run {run_id} was deleted: `mlflow runs restore --run-id {run_id}` brings it back"
        )
    return run


def _is_malformed(client: mlflow.MlflowClient, run_id: str, failure: BaseException) -> bool:
    """Whether MLflow refuses the values themselves; of a run that is deleted it refuses any, with the same code."""
    if not isinstance(failure, MlflowException) or failure.error_code != "INVALID_PARAMETER_VALUE":
        return False
    try:
        look_up(client, run_id)
    except (RunIsGone, MlflowException, OSError):
        return False
    return True


def _complaint(client: mlflow.MlflowClient, run_id: str, failure: Exception) -> str:
    """What is wrong, in words."""
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
    verb = "cannot be reached" if _is_passing(failure) else "refuses results"
    return f"MLflow {verb} ({uris.masked(first_line(failure))})"


def _is_passing(error: Exception) -> bool:
    """Whether the store does not answer, is overloaded, locked or out of space, so that it may take the same later."""
    return not isinstance(error, MlflowException) or error.error_code in (
        "INTERNAL_ERROR",
        "TEMPORARILY_UNAVAILABLE",
        "REQUEST_LIMIT_EXCEEDED",
        "DEADLINE_EXCEEDED",
        "ABORTED",
    )
