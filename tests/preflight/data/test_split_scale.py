"""Validation data that are prepared otherwise than the training data."""

from typing import Any

import numpy as np
import pytest

from mnist_exp.preflight.data.split_scale import check_split_scale
from mnist_exp.preflight.program.tasks import Target, Task
from tests.support.collection import made_data
from tests.support.programs import findings
from tests.support.zoo.programs import sample

X, Y = sample(0, 700)
TABLE, CLASSES = made_data.table(0, 700)


def cases(task: Task, classes: int, train: Any, validation: Any) -> list[str]:
    """Return what is named first in each finding."""
    target = Target(task=task, num_classes=classes)
    both = [([np.asarray(x)], np.asarray(y)) for x, y in (train, validation)]
    return [f.message for f in findings(check_split_scale, target, *both)]


def digits(x: np.ndarray, y: np.ndarray) -> list[str]:
    return cases(Task.CLASSES, 10, (X[:500], Y[:500]), (x, y))


def test_the_same_preparation() -> None:
    assert digits(X[500:], Y[500:]) == []
    assert cases(Task.CLASSES, 4, (TABLE[:500], CLASSES[:500]), (TABLE[500:], CLASSES[500:])) == []


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (255 * X, Y, "times the deviation"),
        (X / 255, Y, "times the deviation"),
        ((X - 0.13) / 0.31, Y, "times the deviation"),
        (X[:, ::2, ::2], Y, "has the shapes"),
        (X, np.eye(10)[Y], "has the shapes"),
        (X, Y + 10, "classes that training never has"),
        (X, 9 - Y, "each for one: 0 for 9, "),
        (X, np.where(Y > 5, Y - 1, Y), "others, each for one: "),
        (X[:, ::-1, ::-1], np.roll(Y, 7), "a simple probe learns"),
    ],
)
def test_another_preparation(x: np.ndarray, y: np.ndarray, words: str) -> None:
    (message,) = digits(x[500:], y[500:])
    assert words in message


def test_a_split_of_sorted_rows() -> None:
    order = np.argsort(CLASSES, kind="stable")
    x, y = TABLE[order], CLASSES[order]
    (message,) = cases(Task.CLASSES, 4, (x[:500], y[:500]), (x[500:], y[500:]))
    assert "classes that training never has" in message


def test_some_of_a_thousand_classes_are_new_by_chance() -> None:
    y = np.random.default_rng(0).integers(0, 1000, 2000)
    x = np.random.default_rng(1).normal(size=(2000, 8))
    assert cases(Task.CLASSES, 1000, (x[:1600], y[:1600]), (x[1600:], y[1600:])) == []


def test_units_of_a_table() -> None:
    x, y = made_data.fuel(0, 400)
    scaled = made_data.standardized(x)
    train = scaled[:300], y[:300]
    assert cases(Task.REGRESSION, 1, train, (scaled[300:], y[300:])) == []
    assert len(cases(Task.REGRESSION, 1, train, (x[300:], y[300:]))) == 1
    (message,) = cases(Task.REGRESSION, 1, train, (scaled[300:], y[300:] / 20))
    assert message.startswith("The validation labels have 0.0")


def test_later_parts_of_a_series_may_lie_elsewhere() -> None:
    values = np.linspace(0, 3, 600)[:, None] + made_data.series(0, 600)
    x, y = made_data.windows(values, past=12)
    assert cases(Task.REGRESSION, 1, (x[:450], y[:450]), (x[450:], y[450:])) == []


def test_a_handful_of_examples_is_not_judged() -> None:
    assert digits(X[500:505], Y[500:505]) == []


def test_channels_in_another_order() -> None:
    random = np.random.default_rng(0)
    light = random.normal(size=(300, 8, 8, 1)) + random.normal(size=(300, 1, 1, 1))
    x = np.array([0.5, 0.4, 0.3]) + 0.1 * light + 0.05 * random.normal(size=(300, 8, 8, 3))
    y = random.integers(0, 2, 300)
    for order, expected in (([0, 1, 2], 0), ([2, 1, 0], 1)):
        told = (x[200:][..., order], y[200:])
        messages = cases(Task.BINARY, 1, (x[:200], y[:200]), told)
        assert len(messages) == expected
        assert all("in the order [2, 1, 0]" in message for message in messages)
