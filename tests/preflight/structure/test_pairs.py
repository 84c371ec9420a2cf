"""Pairs of inputs of one kind."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.structure.pairs import check_equal_inputs, check_pulled_pairs
from tests.support.programs import findings

RANDOM = np.random.default_rng(0)
KINDS = RANDOM.normal(size=(4, 12))


def pairs(*, floor: float = 1e-7, inverted: bool = False) -> Program:
    """Return a program of a shared tower and a contrastive loss; label 1 is for the same kind."""
    first = RANDOM.integers(0, 4, 300)
    same = RANDOM.random(300) < 0.5
    second = np.where(same, first, (first + RANDOM.integers(1, 4, 300)) % 4)
    given = [
        (KINDS[kind] + 0.5 * RANDOM.normal(size=(300, 12))).astype(np.float32)
        for kind in (first, second)
    ]

    def loss(labels: Any, outputs: Any) -> Any:
        labels = 1 - labels if inverted else labels
        apart = tf.square(tf.maximum(1 - outputs, 0))
        return tf.reduce_mean(labels * tf.square(outputs) + (1 - labels) * apart, axis=-1)

    keras.utils.set_random_seed(0)
    tower = keras.Sequential([keras.Input((12,)), layers.Dense(8, "relu")])
    inputs = [keras.Input((12,)), keras.Input((12,))]
    squares = keras.ops.sum((tower(inputs[0]) - tower(inputs[1])) ** 2, axis=1, keepdims=True)
    distance = keras.ops.sqrt(keras.ops.maximum(squares, floor) if floor else squares)
    model = keras.Model(inputs, distance)
    return Program(model, loss, keras.optimizers.Adam(), given, same.astype(np.float32)[:, None])


@pytest.mark.parametrize(("floor", "expected"), [(0.0, 1), (1e-7, 0)])
def test_root_of_the_distance_of_equal_inputs(floor: float, expected: int) -> None:
    program = pairs(floor=floor)
    found = findings(check_equal_inputs, program, program.inputs[:64], program.labels[:64])
    assert [(f.code, str(f.severity)) for f in found] == [
        ("GRADIENT_NON_FINITE", "warning")
    ] * expected


@pytest.mark.parametrize("inverted", [True, False])
def test_loss_that_brings_other_pairs_together(inverted: bool) -> None:
    found = findings(check_pulled_pairs, pairs(inverted=inverted))
    assert [(f.code, str(f.severity)) for f in found] == [
        ("LOSS_NOT_MINIMISED", "warning")
    ] * inverted
