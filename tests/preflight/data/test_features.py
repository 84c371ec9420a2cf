"""Checks of the values of the inputs."""

import numpy as np
import pytest

from mnist_exp.preflight.data.features import check_constant, check_non_finite
from mnist_exp.preflight.program.batches import Inputs
from tests.support.collection import made_data
from tests.support.programs import codes, findings
from tests.support.zoo.programs import sample

IMAGES = sample(0, 200)[0]
TABLE = np.random.default_rng(0).normal(size=(100, 10)).astype(np.float32)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite(value: float) -> None:
    table = TABLE.copy()
    table[[3, 5], 7] = value
    (finding,) = findings(check_non_finite, Inputs([IMAGES[:100], table]), np.zeros(100))
    assert (finding.code, finding.severity) == ("INPUT_NON_FINITE", "error")
    assert finding.evidence == {"examples": 2, "features": [[], [7]]}


def test_labels_that_are_not_finite() -> None:
    labels = {"price": np.array([1.0, np.nan]), "kind": np.array([0, 1])}
    (finding,) = findings(check_non_finite, Inputs(TABLE[:2]), labels)
    assert finding.message == "The labels have NaN or infinite values, in 1 of 2 examples."
    assert findings(check_non_finite, Inputs(TABLE[:2]), np.zeros(2)) == []


def test_one_feature_is_no_features() -> None:
    table = TABLE.copy()
    table[3, 7] = np.nan
    (finding,) = findings(check_non_finite, Inputs(table), np.zeros(100))
    assert finding.message.startswith("Feature 7 of the inputs has NaN or infinite values, in 1 of")


def test_constant_images_carry_nothing() -> None:
    assert codes(check_constant, Inputs(np.ones((200, 28, 28, 1)))) == ["INPUT_IGNORED"]


def _gray_in_one_channel() -> np.ndarray:
    x, _ = made_data.pictures(0, 60)
    x[..., 2] = 0
    return x


@pytest.mark.parametrize(
    "structure",
    [
        (255 * IMAGES).astype(np.uint8) // 255,
        np.where(np.arange(10) < 6, 3, TABLE),
        _gray_in_one_channel(),
        [TABLE, np.ones((100, 4))],
        np.where(np.random.default_rng(0).random((100, 50)) < 0.01, 7, 1),
    ],
)
def test_what_never_varies(structure: object) -> None:
    (finding,) = findings(check_constant, Inputs(structure))
    assert (finding.code, finding.severity) == ("INPUT_CONSTANT", "warning")


@pytest.mark.parametrize(
    "structure",
    [
        IMAGES,
        IMAGES.reshape(200, 784),
        np.where(np.arange(10) < 4, 3, TABLE),
        made_data.padded(0, 100)[0],
        np.eye(200)[np.arange(200)],
        np.array([["a text"], ["another"]], dtype=object),
    ],
)
def test_what_varies_enough(structure: object) -> None:
    assert findings(check_constant, Inputs(structure)) == []
