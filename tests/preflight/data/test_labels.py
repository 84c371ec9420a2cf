"""The values of labels are judged by what the loss takes."""

from typing import Any

import keras
import numpy as np
import pytest

from mnist_exp.preflight.data.labels import check_labels, fits
from mnist_exp.preflight.program.program import Program
from tests.support import targets as t
from tests.support.programs import findings
from tests.support.small import dense, program_of

L = keras.losses


def found(program: Program) -> list[tuple[str, str]]:
    return [(finding.code, str(finding.severity)) for finding in findings(check_labels, program)]


@pytest.mark.parametrize(
    ("model", "loss", "labels"),
    [
        (dense(10), L.SparseCategoricalCrossentropy(from_logits=True), t.CLASSES),
        (dense(1, "sigmoid"), L.BinaryCrossentropy(), t.YES),
        (dense(1, "tanh"), L.Hinge(), 2 * t.YES - 1),
        (dense(1, "tanh"), L.MeanSquaredError(), 2 * t.YES - 1),
        (dense(1), L.MeanSquaredError(), t.RATINGS),
        (dense(64, "sigmoid"), L.BinaryCrossentropy(), t.PICTURES),
        (dense(5, "sigmoid"), L.BinaryCrossentropy(), 0.9 * t.SEVERAL + 0.05),
    ],
)
def test_labels_that_the_loss_takes_are_fine(model: Any, loss: Any, labels: np.ndarray) -> None:
    program = program_of(model, loss, labels)
    assert found(program) == []
    assert fits(program.target, program.labels).all()


@pytest.mark.parametrize(
    ("model", "loss", "labels", "code"),
    [
        (dense(10), L.SparseCategoricalCrossentropy(), t.CLASSES + 1, "LABELS_OUT_OF_RANGE"),
        (dense(9), L.SparseCategoricalCrossentropy(), t.CLASSES, "LABELS_OUT_OF_RANGE"),
        (dense(1, "sigmoid"), L.BinaryCrossentropy(), t.YES + 1, "LABELS_OUT_OF_RANGE"),
        (dense(1, "sigmoid"), L.BinaryCrossentropy(), 2 * t.YES - 1, "LABELS_OUT_OF_RANGE"),
        (dense(1), L.BinaryCrossentropy(from_logits=True), 2 * t.YES - 1, "LABELS_OUT_OF_RANGE"),
        (dense(5, "sigmoid"), L.BinaryCrossentropy(), 255 * t.SEVERAL, "LABELS_OUT_OF_RANGE"),
        (dense(6, "sigmoid"), L.BinaryCrossentropy(), t.ROWS, "LABELS_OUT_OF_RANGE"),
        (dense(1, "sigmoid"), L.BinaryCrossentropy(), t.CLASSES, "OUTPUT_UNITS"),
    ],
)
def test_labels_out_of_range(model: Any, loss: Any, labels: np.ndarray, code: str) -> None:
    program = program_of(model, loss, labels, inputs=t.ROWS)
    assert found(program) == [(code, "error")]
    assert not fits(program.target, program.labels).all()


def test_labels_that_are_not_numbers_are_left_out_unless_the_loss_takes_them() -> None:
    labels = np.where(np.arange(t.COUNT)[:, None] % 50 == 0, np.nan, t.NUMBERS)
    program = program_of(dense(1), L.MeanSquaredError(), labels)
    assert found(program) == []
    assert fits(program.target, program.labels).sum() == t.COUNT - 4

    def without(y: Any, outputs: Any) -> Any:
        known = keras.ops.isfinite(y)
        return keras.ops.mean(keras.ops.where(known, (keras.ops.nan_to_num(y) - outputs) ** 2, 0.0))

    program = program_of(dense(1), without, labels)
    assert fits(program.target, program.labels).all()
