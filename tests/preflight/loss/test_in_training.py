"""Outputs of a training step that a normalisation moves."""

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.loss.in_training import check_in_training
from tests.support.layer_kinds import SQUARE, chain, program, softmax
from tests.support.programs import codes

Dense, BatchNorm = layers.Dense, layers.BatchNormalization


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([softmax(3), BatchNorm()], ["OUTPUT_NOT_PROBABILITIES"]),
        ([Dense(3), BatchNorm(), layers.Softmax()], []),
        ([Dense(1), BatchNorm()], ["OUTPUT_ACTIVATION"]),
        ([BatchNorm(), Dense(1)], []),
    ],
)
def test_a_normalisation_behind_the_last_layer(parts: list[layers.Layer], found: list[str]) -> None:
    keras.utils.set_random_seed(0)
    numbers = parts[0].units == 1 if isinstance(parts[0], Dense) else True
    labels = np.random.default_rng(1).normal(20, 5, 128).astype(np.float32) if numbers else None
    loss = {"loss": SQUARE} if numbers else {}
    checked = program(chain(*parts, shape=(5,)), **loss, y=labels)
    batch = checked.gradients(checked.inputs[:64], checked.labels[:64])
    assert codes(check_in_training, checked.target, batch.outputs) == found
