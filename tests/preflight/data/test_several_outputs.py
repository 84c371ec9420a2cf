"""The labels of several outputs together."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data_checks import outweighed, several_outputs
from mnist_exp.preflight.program.compiled import compiled_loss
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.subject import Subject
from tests.support.collection import made_data

TABLE, CLASSES = made_data.table(0, 600)
X = made_data.standardized(TABLE).astype(np.float32)


def subject(model: keras.Model, loss: Any, x: Any, y: Any) -> Subject:
    model.compile(keras.optimizers.Adam(1e-2), loss)
    return Subject(Program(model, compiled_loss(model), model.optimizer, x, y), 0)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("exchanged", [True, False])
def test_labels_of_the_other_output(exchanged: bool) -> None:
    keras.utils.set_random_seed(0)
    inputs = [keras.Input((12,)), keras.Input((12,))]
    model = keras.Model(inputs, [layers.Dense(4, "softmax")(given) for given in inputs])
    labels = [CLASSES[:300], CLASSES[300:]]
    given = subject(
        model,
        ["sparse_categorical_crossentropy"] * 2,
        [X[:300], X[300:]],
        labels[::-1] if exchanged else labels,
    )
    checkup = Checkup()
    several_outputs(checkup, given)
    assert [(f.code, str(f.severity)) for f in checkup.findings] == [
        ("LABELS_UNRELATED", "error")
    ] * exchanged


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("size", "expected"), [(1e4, 1), (1.0, 0)])
def test_large_targets_beside_classes(size: float, expected: int) -> None:
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(800, 2)).astype(np.float32)
    inputs = keras.Input((2,))
    hidden = layers.Dense(16, activation="tanh")(inputs)
    outputs = {
        "kind": layers.Dense(2, activation="softmax", name="kind")(hidden),
        "area": layers.Dense(1, name="area")(hidden),
    }
    loss = {"kind": "sparse_categorical_crossentropy", "area": "mse"}
    labels = {"kind": (x[:, 0] * x[:, 1] > 0).astype(int), "area": size * (2 + x[:, 0])}
    checkup = Checkup()
    outweighed(checkup, subject(keras.Model(inputs, outputs), loss, x, labels))
    assert [(f.code, str(f.severity)) for f in checkup.findings] == [
        ("TARGET_SCALE", "warning")
    ] * expected
    assert all("output 'kind'" in finding.message for finding in checkup.findings)
