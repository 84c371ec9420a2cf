"""How one run's results reach MLflow: in order, each once, and without training waiting for long.

What the store does not take now is kept on disk, and sent beside the training or by `delivery`.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from mnist_exp.outside.uris import sqlite_file
from mnist_exp.tracking import delivery, refusals
from mnist_exp.tracking.addresses import recorded
from mnist_exp.tracking.attempts import Attempt
from mnist_exp.tracking.operations import End, FileOperation, Operation, Tag, Warn
from mnist_exp.tracking.status import RunStatus
from mnist_exp.tracking.unsent import Unsent

_RETRY_SECONDS = 30.0  # after a failure, in which results go to the disk at once
# Training waits for MLflow for so many seconds in all, and for this share of its own time.
_GRACE_SECONDS = 20.0
_SHARE = 0.1
_LAST_SECONDS = 30.0  # for which the end of a run waits


class Outbox:
    """Sends one run's operations, from its start to its end. `queue` holds what is on disk."""

    def __init__(self, client: MlflowClient, run_id: str, warn: Warn) -> None:
        self.queue = Unsent(run_id, recorded(client.tracking_uri))
        self._client, self._run_id, self._warn = client, run_id, warn
        file = sqlite_file(client.tracking_uri)
        self._file = None if file is None else file.absolute()
        self._identity = _identity(self._file)
        self._attempt: Attempt[Any] | None = None  # the last one
        self._began, self._waited, self._retry_at = time.monotonic(), 0.0, 0.0
        self._has_warned = False

    def send(self, operation: Operation) -> None:
        """Have the operation delivered or kept on disk.

        Raises MlflowException if MLflow refuses the operation's values, and UserError if neither
        the store nor the disk takes it.
        """
        if self.queue or self._is_busy() or self._patience() <= 0:
            self._keep(operation)
            if self._patience() <= 0:
                self._warn_of_slowness()
            if time.monotonic() >= self._retry_at:
                self.flush()
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
            self._warn_of_slowness()
        elif (trouble := attempt.result()) is not None:
            if trouble.is_permanent:
                raise trouble.error
            self._keep(operation)
            self._postpone(trouble)

    def flush(self) -> None:
        """Begin to send what is on disk, unless something is under way."""
        if not self._is_busy():
            self._attempt = Attempt(self._send_queue).start()

    def close(self) -> None:
        """Wait for what is under way, and warn of what stays on disk."""
        deadline, has_tried = time.monotonic() + _LAST_SECONDS, False
        while self.queue or self._is_busy():
            if not self._is_busy():
                if has_tried and self._retry_at > time.monotonic():
                    break
                has_tried = True
                self.flush()
            if not self._wait(deadline - time.monotonic()):
                break
        if self.queue:
            self._warn(
                f"results of run {self._run_id} wait in {self.queue.folder}; "
                "`python -m mnist_exp.sync` or the next run in this folder sends them"
            )

    def _deliver(self, operation: Operation) -> None:
        self._check_database()
        operation.deliver(self._client, self._run_id, self._warn)

    def _send_queue(self) -> None:
        def send() -> None:
            self._check_database()
            delivery.send_unsent(self._client, self.queue, self._warn)

        trouble = self._try(send)
        if trouble is not None:
            self._postpone(trouble)

    def _try(self, action: Callable[[], None]) -> "_Trouble | None":
        """Return what goes wrong in the action, whatever it is: the results stay on disk."""
        try:
            action()
        except Exception as error:  # noqa: BLE001
            return _Trouble(
                error=error,
                is_permanent=refusals.is_permanent(self._client, self._run_id, error),
                complaint=refusals.complaint(self._client, self._run_id, error),
            )
        return None

    def _is_busy(self) -> bool:
        return self._attempt is not None and not self._attempt.is_over

    def _wait(self, seconds: float) -> bool:
        """Wait for the attempt that is under way; return whether it is over."""
        assert self._attempt is not None
        started = time.monotonic()
        try:
            return self._attempt.wait(max(seconds, 0.0))
        finally:
            self._waited += time.monotonic() - started

    def _patience(self) -> float:
        """Return for how many seconds training may still wait."""
        return _GRACE_SECONDS + _SHARE * (time.monotonic() - self._began) - self._waited

    def _postpone(self, trouble: "_Trouble") -> None:
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        self._warn_once(f"{trouble.complaint}; results are kept on disk meanwhile")

    def _warn_of_slowness(self) -> None:
        self._warn_once(
            f"MLflow takes long to answer; results are kept in {self.queue.folder} meanwhile"
        )

    def _warn_once(self, text: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._warn(text)

    def _keep(self, operation: Operation) -> None:
        with self.queue.changing():  # its folder goes with the last operation that is delivered
            if isinstance(operation, FileOperation):
                operation = operation.kept_in(self.queue)
            self.queue.append(operation.to_json())

    def _check_database(self) -> None:
        """Raise FileNotFoundError if the store's SQLite file is not the one it was.

        SQLite goes on writing to a file that was deleted, and what it writes there is lost.
        """
        if self._identity is not None and _identity(self._file) != self._identity:
            raise FileNotFoundError(f"{self._file} was deleted or replaced while the run went on")


@dataclass(frozen=True, kw_only=True)
class _Trouble:
    """Why an operation was not delivered."""

    error: Exception
    is_permanent: bool  # then it never will be
    complaint: str


def _identity(file: Path | None) -> tuple[int, int] | None:
    """Return device and inode of a file, None if there is none."""
    try:
        status = os.stat(file) if file is not None else None
    except OSError:
        return None
    return None if status is None else (status.st_dev, status.st_ino)


def amend(
    client: MlflowClient, run_id: str, tags: Mapping[str, str], status: RunStatus | None, warn: Warn
) -> None:
    """Set tags and, unless None, the status of a run that has ended: now, or kept on disk."""
    outbox = Outbox(client, run_id, warn)
    for key, value in tags.items():
        outbox.send(Tag(key, value))
    if status is not None:
        outbox.send(End(status, int(time.time() * 1000)))
    outbox.close()
