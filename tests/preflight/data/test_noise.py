"""Wrong labels, and classes that overlap."""

from collections.abc import Callable

import numpy as np
import pytest

from mnist_exp.preflight import Finding
from mnist_exp.preflight.data.noise import check_noise
from mnist_exp.preflight.data.relation import probe_relation
from mnist_exp.preflight.program.tasks import Target, Task
from tests.support.collection import made_data
from tests.support.programs import findings
from tests.support.zoo.programs import sample

Data = tuple[np.ndarray, np.ndarray]


def found(x: np.ndarray, y: np.ndarray) -> list[Finding]:
    classes = int(y.max()) + 1
    target = Target(task=Task.CLASSES, num_classes=classes)
    if classes == 2:
        target = Target(task=Task.BINARY, num_classes=1)
    return findings(check_noise, target, [x], y, probe_relation(target, [x], y))


def wrong(y: np.ndarray, share: float) -> np.ndarray:
    random, classes = np.random.default_rng(1), int(y.max()) + 1
    moved = (y + random.integers(1, classes, len(y))) % classes
    return np.where(random.random(len(y)) < share, moved, y)


def _overlapping() -> Data:
    """Five grades of something that is half luck, as of wine."""
    random = np.random.default_rng(0)
    x = random.normal(size=(600, 8))
    quality = x[:, 0] + 0.6 * x[:, 1] + random.normal(size=600)
    return x, np.digitize(quality, [-2, -0.7, 0.7, 2])


def _half_luck() -> Data:
    """Two classes of people, of whom many do what others like them do not."""
    random = np.random.default_rng(0)
    x = random.normal(size=(600, 8))
    return x, (random.random(600) < 1 / (1 + np.exp(-x[:, 0] - x[:, 1]))).astype(int)


def _order() -> Data:
    """Whether one word comes before another: no probe of the numbers of words knows it."""
    random = np.random.default_rng(0)
    x = random.integers(3, 30, (600, 12))
    places = np.argsort(random.random((600, 12)), axis=1)[:, :2]
    x[np.arange(600), places[:, 0]], x[np.arange(600), places[:, 1]] = 1, 2
    return x, (places[:, 0] < places[:, 1]).astype(int)


CLEAN: dict[str, Callable[[], Data]] = {
    "digits": lambda: sample(0, 500),
    "table": lambda: made_data.table(0, 500),
    "tumours": lambda: made_data.breast_cancer(0),
    "sentences": lambda: made_data.sentences(0, 500),
}


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("name", CLEAN)
def test_wrong_labels_and_their_share(name: str) -> None:
    x, y = CLEAN[name]()
    assert found(x, y) == []
    (finding,) = found(x, wrong(y, 0.3))
    assert (finding.code, finding.severity) == ("LABELS_NOISY", "warning")
    assert 0.2 < finding.evidence["share"] < 0.4


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("make", [_overlapping, _half_luck, _order])
def test_classes_that_overlap_are_not_wrong(make: Callable[[], Data]) -> None:
    assert found(*make()) == []


def test_few_examples_of_a_class_are_not_judged() -> None:
    x, y = sample(0, 150)
    assert found(x, wrong(y, 0.4)) == []
