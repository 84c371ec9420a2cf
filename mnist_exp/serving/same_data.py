"""Tell which data a tracked run was scored on: accuracies on different data cannot be compared."""

from collections.abc import Sequence
from typing import TypeVar

from mlflow.entities import Run

MNIST = "mnist"
_T = TypeVar("_T")


def data_of(run: Run) -> str:
    """Return `mnist` for MNIST as published, else the digest of the validation images.

    A run that recorded neither has "".
    """
    for logged in [] if run.inputs is None else run.inputs.dataset_inputs:
        context = {tag.key: tag.value for tag in logged.tags}.get("mlflow.data.context")
        if context == "validation":
            return MNIST if logged.dataset.name == MNIST else str(logged.dataset.digest)
    return MNIST if run.data.params.get("data.dir") == "None" else ""


def comparable(newest_first: Sequence[tuple[_T, str]]) -> list[_T]:
    """Return, of (item, its data), the items that can be compared with one another.

    These are the items on MNIST; if there is none, the items on the same data as the newest.
    """
    data = [name for _, name in newest_first]
    chosen = MNIST if MNIST in data else next(iter(data), "")
    return [item for item, name in newest_first if name == chosen]
