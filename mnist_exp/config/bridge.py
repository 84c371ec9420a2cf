"""The steps from the blog's CNN to the notebook's, one difference at a time: `sweeps=bridge`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mnist_exp.errors import ConfigError

TRAINING_IMAGES = 55_000  # of the default split: 60,000 but for the first 5,000
FULL_LENGTH = (8_250, 20_000)  # steps: the blog's 15 epochs of batches of 100, and the notebook's


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A setting in which the tutorials differ.

    name: the difference in words
    key: the setting or group
    blog: its value in the blog post, as Optuna has it for a choice of the two
    notebook: its value in the notebook
    """

    name: str
    key: str
    blog: Any
    notebook: Any


def differences(epochs: float, train_limit: int | None) -> tuple[Difference, ...]:
    """Return the differences in the order in which they are bridged.

    Each end trains on `epochs` times the training images, of which there are at most `train_limit`.
    Batch size and number of steps are two differences: a configuration between them trains on
    batches of 50 for as many steps as batches of 100 need.
    """
    images = epochs * min(train_limit or TRAINING_IMAGES, TRAINING_IMAGES)
    few, many = max(1, round(images / 100)), max(1, round(images / 50))
    if few == many:
        raise ConfigError(
            f"bridge.epochs={epochs}: with {images:g} images both ends train for {few} step; "
            "expected 100 images or more"
        )
    return between(few, many)


def between(blog_steps: int, notebook_steps: int) -> tuple[Difference, ...]:
    """Return the differences of a blog's CNN and a notebook's that train for so many steps."""
    table = (
        ("kernel size", "model.kernel_size", 3, 5),
        ("dense layer", "model.dense_units", "null", 1024),
        ("dropout", "model.dropout", 0.0, 0.5),
        ("bias of convolutions", "model.conv_bias", False, True),
        ("initial weights", "init", "blog", "notebook"),
        ("loss reduction", "loss", "cross_entropy", "cross_entropy_sum"),
        ("learning rate", "optimizer.learning_rate", 0.001, 0.0001),
        ("batch size", "schedule.batch_size", 100, 50),
        ("steps", "schedule.max_steps", blog_steps, notebook_steps),
    )
    return tuple(
        Difference(name=name, key=key, blog=blog, notebook=notebook)
        for name, key, blog, notebook in table
    )


def search_space(epochs: float, train_limit: int | None, seeds: int) -> dict[str, str]:
    """Return `hydra.sweeper.params`: the two values of each difference, and the seeds."""
    choices = {
        difference.key: f"{difference.blog},{difference.notebook}"
        for difference in differences(epochs, train_limit)
    }
    return {**choices, "seed": f"range({seeds})"}


def configurations(epochs: float, train_limit: int | None, seeds: int) -> list[dict[str, Any]]:
    """Return `hydra.sweeper.enqueue`: both ends and all configurations between them, per seed."""
    steps = differences(epochs, train_limit)
    forwards, backwards = ways(len(steps))
    return [
        {**_configuration(steps, of_notebook), "seed": seed}
        for seed in range(seeds)
        for of_notebook in forwards + backwards[1:-1]
    ]


def ways(count: int) -> tuple[list[frozenset[int]], list[frozenset[int]]]:
    """Return which of `count` differences have the notebook's value, for each point of both ways.

    The way forwards leads from the blog to the notebook: its point k has the notebook's value in
    the first k differences. The way backwards leads from the notebook to the blog: its point k has
    it in all but the first k. Both ways contain both ends.
    """
    forwards = [frozenset(range(k)) for k in range(count + 1)]
    return forwards, [forwards[-1] - first for first in forwards]


def _configuration(steps: Sequence[Difference], of_notebook: frozenset[int]) -> dict[str, Any]:
    return {
        step.key: step.notebook if index in of_notebook else step.blog
        for index, step in enumerate(steps)
    }
