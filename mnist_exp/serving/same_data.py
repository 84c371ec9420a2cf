"""Which data a tracked run was scored on: accuracies on different images cannot be compared."""

from collections.abc import Sequence
from typing import TypeVar

from mlflow.entities import Run

MNIST = "mnist"
_T = TypeVar("_T")


def data_of(run: Run) -> str:
    """`mnist` for MNIST as published, else the digest of the validation images; "" for a run that recorded neither."""
    for logged in [] if run.inputs is None else run.inputs.dataset_inputs:
        if any(
            tag.key == "mlflow.data.context" and tag.value == "validation" for tag in logged.tags
        ):
            return MNIST if logged.dataset.name == MNIST else str(logged.dataset.digest)
    return MNIST if run.data.params.get("data.dir") == "None" else ""


def comparable(newest_first: Sequence[tuple[_T, str]]) -> list[_T]:
    """Of (something, its data) those that can be compared: on MNIST if there are any, else on the newest one's data."""
    data = [name for _, name in newest_first]
    chosen = MNIST if MNIST in data else next(iter(data), "")
    return [item for item, name in newest_first if name == chosen]
