"""Features that give the labels away, and strong ones that do not."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from mnist_exp.preflight import Finding
from mnist_exp.preflight.data.leaks import check_label_leak, check_row_number
from mnist_exp.preflight.program.tasks import Target, Task
from tests.support.collection import made_data
from tests.support.programs import findings
from tests.support.zoo.programs import sample

RANDOM = np.random.default_rng(0)
TABLE, CLASSES = made_data.table(0, 400)
NUMBERS_TABLE, NUMBERS = made_data.fuel(0, 400)


def found(task: Task, x: np.ndarray, y: np.ndarray, classes: int = 1) -> list[Finding]:
    return findings(check_label_leak, Target(task=task, num_classes=classes), [x], y)


def with_column(x: np.ndarray, column: np.ndarray) -> np.ndarray:
    return np.column_stack([x, column])


def hard(x: np.ndarray) -> np.ndarray:
    """Return features that tell less."""
    return x + RANDOM.normal(0, 2 * x.std(axis=0), x.shape)


@pytest.mark.parametrize(
    ("column", "severity"),
    [
        (CLASSES, "error"),
        (np.eye(4)[CLASSES], "error"),
        (10 * CLASSES + 0.3 * RANDOM.normal(size=400), "warning"),
    ],
)
def test_classes_among_the_features(column: np.ndarray, severity: str) -> None:
    (finding,) = found(Task.CLASSES, with_column(hard(TABLE), column), CLASSES, 4)
    assert (finding.code, finding.severity) == ("LABEL_LEAK", severity)
    assert finding.evidence["features"][0] == 12


@pytest.mark.parametrize("column", [NUMBERS, np.log(NUMBERS), -3 * NUMBERS + 1])
def test_targets_among_the_features(column: np.ndarray) -> None:
    (finding,) = found(Task.REGRESSION, with_column(hard(NUMBERS_TABLE), column), NUMBERS)
    assert (finding.severity, finding.evidence["features"]) == ("error", [7])


def test_the_last_value_of_a_window_that_is_the_target() -> None:
    x, _ = made_data.windows(made_data.series(0, 400), past=12)
    (finding,) = found(Task.REGRESSION, x, x[:, -1])
    assert finding.evidence["features"] == [11]


def test_many_telling_features_need_little_memory() -> None:
    x = np.column_stack([hard(TABLE), np.eye(4)[CLASSES][:, RANDOM.integers(0, 4, 500)]])
    tracemalloc.start()
    try:
        (finding,) = found(Task.CLASSES, x, CLASSES, 4)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(finding.evidence["features"]) == 500
    assert most < 50 * x.nbytes


def _walk() -> Any:
    return made_data.windows(np.cumsum(RANDOM.normal(size=(500, 1)), axis=0), past=12)


def _blobs() -> Any:
    y = RANDOM.integers(0, 3, 300)
    return np.eye(3)[y] * 10 + RANDOM.normal(size=(300, 3)), y


def _lines_of_a_spectrum() -> Any:
    y = RANDOM.integers(0, 4, 300)
    return np.eye(8)[2 * y] * 20 + RANDOM.normal(size=(300, 8)), y


HONEST = {
    "clusters of a table": (Task.CLASSES, TABLE, CLASSES, 4),
    "irises": (Task.CLASSES, *made_data.iris(0), 3),
    "tumours": (Task.BINARY, *made_data.breast_cancer(0), 1),
    "digits": (Task.CLASSES, *sample(0, 300), 10),
    "exclusive or": (Task.BINARY, *made_data.xor(0, 300), 1),
    "fuel": (Task.REGRESSION, NUMBERS_TABLE, NUMBERS, 1),
    "a random walk": (Task.REGRESSION, *_walk(), 1),
    "clusters far apart": (Task.CLASSES, *_blobs(), 3),
    "lines of a spectrum": (Task.CLASSES, *_lines_of_a_spectrum(), 4),
    "one feature": (Task.REGRESSION, NUMBERS_TABLE[:, :1], 2 * NUMBERS_TABLE[:, :1] + 1, 1),
    "a limit": (Task.BINARY, NUMBERS_TABLE, (NUMBERS_TABLE[:, 3] > 3000).astype(int), 1),
}


@pytest.mark.parametrize("name", HONEST)
def test_strong_features_are_no_leak(name: str) -> None:
    assert found(*HONEST[name]) == []


def numbered(x: np.ndarray, y: np.ndarray, column: np.ndarray, rows: slice) -> list[Finding]:
    """Return what is found with a column beside the features, in some of the rows."""
    target = Target(task=Task.CLASSES, num_classes=4)
    given = [with_column(x, column)[rows].astype(np.float32)]
    return findings(check_row_number, target, given, y[rows], given)


@pytest.mark.parametrize("step", [1, 2])
def test_row_number_of_a_sorted_file(step: int) -> None:
    order = np.argsort(CLASSES, kind="stable")
    x, y = hard(TABLE)[order], CLASSES[order]
    number = np.arange(400) / 100 - 2
    (finding,) = numbered(x, y, number, slice(None, None, step))
    assert (finding.code, finding.severity) == ("LABEL_LEAK", "error")
    assert finding.evidence["features"] == [12]
    for honest in (RANDOM.permutation(number), np.sort(RANDOM.normal(size=400))):
        assert numbered(x, y, honest, slice(None)) == []
