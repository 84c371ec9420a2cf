"""The order in which a dataset gives the classes."""

import numpy as np
import pytest

from mnist_exp.preflight.data.order import check_order
from tests.support.programs import findings

CLASSES = np.sort(np.random.default_rng(0).integers(0, 10, 1500))
TWO = np.arange(640) >= 320


def through_buffer(classes: np.ndarray, size: int) -> np.ndarray:
    """Return classes as `tf.data.Dataset.shuffle(size)` gives them."""
    random, waiting, given = np.random.default_rng(1), list(classes[:size]), []
    for following in [*classes[size:], *[None] * size]:
        given.append(waiting.pop(random.integers(len(waiting))))
        if following is not None:
            waiting.append(following)
    return np.array(given)


@pytest.mark.parametrize(
    ("classes", "buffer"), [(CLASSES, 1), (CLASSES, 32), (9 - CLASSES, 32), (TWO, 1)]
)
def test_classes_one_after_the_other(classes: np.ndarray, buffer: int) -> None:
    (finding,) = findings(check_order, through_buffer(classes, buffer), 32)
    assert (finding.code, finding.severity) == ("CLASS_IMBALANCE", "warning")
    assert finding.evidence["largest_share"] > 0.7


@pytest.mark.parametrize(
    ("classes", "batch_size"),
    [
        (through_buffer(CLASSES, 1500), 32),
        (np.random.default_rng(0).permutation(TWO), 32),
        (np.repeat(np.arange(20) % 2, 32), 32),  # real and made ones in turn
        (CLASSES, 750),
        (np.zeros(640), 32),
    ],
)
def test_shuffled_or_alternating_batches(classes: np.ndarray, batch_size: int) -> None:
    assert findings(check_order, classes, batch_size) == []
