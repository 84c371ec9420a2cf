"""The tutorials' own graphs, written with TensorFlow 1's API, give the numbers that ours give.

Weights and batches are the same, and dropout is off. Each tutorial computes its loss with its own
expression, log(softmax) included.
"""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.tutorials import (
    Graph,
    blog_cnn3x3,
    notebook_cnn5x5,
    notebook_softmax,
    notebook_softmax_buggy,
    v1,
)
from mnist_exp import data
from mnist_exp.config.schema import Config
from mnist_exp.training import results, seeds
from mnist_exp.training.program import Program, Totals, build_program

STEPS = 20


def train_tutorial(
    graph: Callable[..., Graph],
    initial: list[np.ndarray],
    batches: list[np.ndarray],
    split: data.Split,
) -> tuple[list[float], list[np.ndarray]]:
    """Return the cost before each step, by the tutorial's own expression, and the last weights."""
    with tf.Graph().as_default(), v1.Session() as session:
        x, y_, cost, train_step, variables = graph(initial)
        session.run(v1.global_variables_initializer())
        costs = []
        for batch in batches:
            pixels = split.images[batch].reshape(-1, 784).astype(np.float32) / 255
            one_hot = np.eye(10, dtype=np.float32)[split.labels[batch]]
            value, _ = session.run([cost, train_step], {x: pixels, y_: one_hot})
            costs.append(float(value))
        return costs, session.run(variables)


def train_ours(
    program: Program, batches: list[np.ndarray], split: data.Split
) -> tuple[list[float], list[np.ndarray]]:
    images, labels = tf.constant(split.images), tf.constant(split.labels)
    costs = []
    for step, batch in enumerate(batches):
        zero = Totals.of(results.Progress())
        first, ends = tf.constant(step, tf.int64), tf.constant([1], tf.int64)
        totals = program.train_steps(images, labels, batch, first, ends, zero)
        costs.append(float(totals.cost[0]))  # the sum over the batch
    return costs, [variable.numpy() for variable in program.model.trainable_variables]


@pytest.mark.parametrize("init", [None, "notebook"])
@pytest.mark.parametrize(
    ("preset", "graph", "batch_size"),
    [
        ("notebook_softmax_buggy", notebook_softmax_buggy, 50),
        ("notebook_softmax", notebook_softmax, 50),
        ("notebook_cnn5x5", notebook_cnn5x5, 50),
        ("blog_cnn3x3", blog_cnn3x3, 100),
    ],
)
def test_same_costs_and_weights_as_the_tutorial(
    settings: Callable[..., Config],
    mnist: data.Dataset,
    preset: str,
    graph: Callable[..., Graph],
    batch_size: int,
    init: str | None,
) -> None:
    """`init` None is the preset's own.

    With the notebook's random weights the buggy loss has a gradient, too.
    """
    overrides = [f"experiment={preset}", "schedule.max_steps=20"] + (
        [f"init={init}"] if init else []
    )
    if preset == "notebook_cnn5x5":
        overrides.append("model.dropout=0")
    config = settings(*overrides)
    split = mnist.train.first(STEPS * batch_size)
    program = build_program(config, len(split))
    initial = [variable.numpy() for variable in program.model.trainable_variables]
    batches = np.split(seeds.epoch_order(len(split), seed=0, epoch=1), STEPS)

    expected_costs, expected_weights = train_tutorial(graph, initial, batches, split)
    costs, weights = train_ours(program, batches, split)

    if config.loss.reduction == "mean":
        costs = [cost / batch_size for cost in costs]
    np.testing.assert_allclose(costs, expected_costs, rtol=1e-4)
    for ours, theirs in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)
    changed = any(not np.array_equal(a, b) for a, b in zip(initial, weights, strict=True))
    assert changed or (preset == "notebook_softmax_buggy" and init is None)
