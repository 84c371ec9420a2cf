"""The way from the blog's CNN to the notebook's, one difference at a time: `sweeps=bridge`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mnist_exp.errors import ConfigError

TRAINING_IMAGES = 55_000  # of the default split: 60,000 but for the first 5,000


@dataclass(frozen=True)
class Difference:
    """A setting in which the tutorials differ; values as Optuna has them for a choice of the two."""

    name: str
    key: str
    blog: Any
    notebook: Any


def differences(epochs: float, train_limit: int | None) -> tuple[Difference, ...]:
    """In the order in which they are bridged; each end trains on `epochs` times the training images.

    Batch size and number of steps are two differences: between them batches of 50 take the steps of batches of 100.
    """
    images = epochs * min(train_limit or TRAINING_IMAGES, TRAINING_IMAGES)
    few, many = max(1, round(images / 100)), max(1, round(images / 50))
    if few == many:
        raise ConfigError(
            f"bridge.epochs={epochs}: with {images:g} images both ends train for {few} step; expected 100 or more"
        )
    return (
        Difference("kernel size", "model.kernel_size", 3, 5),
        Difference("dense layer", "model.dense_units", "null", 1024),
        Difference("dropout", "model.dropout", 0.0, 0.5),
        Difference("bias of convolutions", "model.conv_bias", False, True),
        Difference("initial weights", "init", "blog", "notebook"),
        Difference("loss reduction", "loss", "cross_entropy", "cross_entropy_sum"),
        Difference("learning rate", "optimizer.learning_rate", 0.001, 0.0001),
        Difference("batch size", "schedule.batch_size", 100, 50),
        Difference("steps", "schedule.max_steps", few, many),
    )


def search_space(epochs: float, train_limit: int | None, seeds: int) -> dict[str, str]:
    """`hydra.sweeper.params`: the two values of each difference, and the seeds."""
    choices = {d.key: f"{d.blog},{d.notebook}" for d in differences(epochs, train_limit)}
    return {**choices, "seed": f"range({seeds})"}


def configurations(epochs: float, train_limit: int | None, seeds: int) -> list[dict[str, Any]]:
    """`hydra.sweeper.enqueue`: for each seed both ends and what lies between them, forwards and backwards."""
    steps = differences(epochs, train_limit)
    return [{**point, "seed": seed} for seed in range(seeds) for point in _points(steps)]


def ways(count: int) -> tuple[list[frozenset[int]], list[frozenset[int]]]:
    """Forwards and backwards: which of `count` differences have the notebook's value at each point.

    Forwards, the first k have it; backwards, all but the first k, which is from the notebook towards the blog in the
    same order. The ends are on both ways.
    """
    forwards = [frozenset(range(k)) for k in range(count + 1)]
    return forwards, [forwards[-1] - first for first in forwards]


def _points(steps: Sequence[Difference]) -> list[dict[str, Any]]:
    forwards, backwards = ways(len(steps))
    return [_point(steps, of_notebook) for of_notebook in forwards + backwards[1:-1]]


def _point(steps: Sequence[Difference], of_notebook: frozenset[int]) -> dict[str, Any]:
    return {d.key: d.notebook if i in of_notebook else d.blog for i, d in enumerate(steps)}
