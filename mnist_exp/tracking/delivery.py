"""The queues on disk are sent: in order, each operation once, by whichever process."""

from collections.abc import Iterator, Sequence

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from mnist_exp.errors import RunIsGone, UserError, first_line
from mnist_exp.tracking import refusals
from mnist_exp.tracking.addresses import from_record, is_recorded_as, shortened
from mnist_exp.tracking.attempts import Attempt
from mnist_exp.tracking.operations import (
    METRICS_AT_ONCE,
    FileOperation,
    Metrics,
    Operation,
    Point,
    Warn,
    from_json,
)
from mnist_exp.tracking.store import uri_to_read
from mnist_exp.tracking.unsent import Unsent, pending

_EARLIER_SECONDS = 20.0  # for which a new run waits while results of earlier runs are sent


def sync(queue: Unsent, warn: Warn = lambda text: None) -> int:
    """Deliver all that waits of a run, and return how many operations that were.

    Raises RunIsGone if the store does not have the run, UserError for whatever else goes wrong: a
    queue that cannot be sent must not keep others from being sent.
    """
    uri = uri_to_read(from_record(queue.uri))
    try:
        client = MlflowClient(uri)
        refusals.look_up(client, queue.run_id)
        return send_unsent(client, queue, warn)
    except RunIsGone as error:
        raise RunIsGone(
            f"{error}; what waits in {queue.folder} can be sent only then, or removed with that "
            "folder"
        ) from error
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{shortened(uri)}: cannot take what waits in {queue.folder} ({first_line(error)})"
        ) from error


def send_earlier(uri: str, warn: Warn) -> None:
    """Send what runs in this folder had to leave for the store, and warn of what goes wrong.

    A new run waits for 20 seconds at most. That an earlier run is not in the store any more is
    reported once.
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
    if queues and not Attempt(send).start().wait(_EARLIER_SECONDS):
        warn("MLflow takes long to answer; what earlier runs left is sent beside this one")


def send_unsent(client: MlflowClient, queue: Unsent, warn: Warn) -> int:
    """Deliver what waits, in order, each operation once; return how many operations that were.

    An operation whose values MLflow refuses is left out with a warning: all behind it would wait
    for ever. Raises MlflowException or OSError while the store takes nothing, UserError for a
    queue that another program, or a later version, wrote.
    """
    count, history = 0, _History(client, queue.run_id)
    with queue.sending:
        while records := queue.operations():
            for operation, size in _joined(_read(queue, records)):
                try:
                    _deliver(operation, history, client, queue.run_id, warn)
                except MlflowException as error:
                    if not refusals.is_permanent(client, queue.run_id, error):
                        raise
                    warn(
                        f"run {queue.run_id}: MLflow refuses a record, which is left out: "
                        f"{first_line(error)}"
                    )
                queue.delivered(size)
                count += size
    return count


def _read(queue: Unsent, records: Sequence[dict[str, object]]) -> list[Operation]:
    try:
        operations = [from_json(record) for record in records]
    except ValueError as error:
        raise UserError(f"{queue.folder}: {error}; nothing of it is sent") from error
    return [
        each.taken_from(queue) if isinstance(each, FileOperation) else each for each in operations
    ]


def _joined(operations: Sequence[Operation]) -> Iterator[tuple[Operation, int]]:
    """Yield operations, each with how many of the given it stands for.

    Neighbours that hold metrics become one, as far as MLflow takes them in one call.
    """
    points: list[Point] = []
    size = 0
    for operation in operations:
        more = operation.metrics if isinstance(operation, Metrics) else None
        if size and (more is None or len(points) + len(more) > METRICS_AT_ONCE):
            yield Metrics(points), size
            points, size = [], 0
        if more is None:
            yield operation, 1
        else:
            points += more
            size += 1
    if size:
        yield Metrics(points), size


class _History:
    """The steps of each metric that a run has, so that none is logged twice; read on first use."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self._client, self._run_id = client, run_id
        self._steps: dict[str, set[int]] = {}

    def lacks(self, point: Point) -> bool:
        """Return whether the run has no value of this metric at this step."""
        name, _, _, step = point
        if name not in self._steps:
            history = self._client.get_metric_history(self._run_id, name)
            self._steps[name] = {metric.step for metric in history}
        return step not in self._steps[name]

    def add(self, points: Sequence[Point]) -> None:
        """Note that the run has these, too."""
        for name, _, _, step in points:
            self._steps[name].add(step)


def _deliver(
    operation: Operation, history: _History, client: MlflowClient, run_id: str, warn: Warn
) -> None:
    """Deliver an operation that was kept.

    Metrics may have been stored although the answer was lost; those that the run has are left out.
    """
    if not isinstance(operation, Metrics):
        operation.deliver(client, run_id, warn)
    elif points := list(filter(history.lacks, operation.metrics)):
        Metrics(points).deliver(client, run_id, warn)
        history.add(points)
