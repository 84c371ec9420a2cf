"""Probes predict labels that have to do with the inputs, and no others."""

import numpy as np
import pytest

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.data.probes import best_probe, fit_sigmas

RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(size=(300, 6))


@pytest.mark.parametrize(
    "labels",
    [
        TABLE[:, :1] + RANDOM.normal(size=(300, 1)),
        (TABLE[:, :2].prod(axis=1, keepdims=True) > 0).astype(float),  # exclusive or
        np.square(TABLE).sum(axis=1, keepdims=True),
    ],
)
def test_related_and_shuffled_labels(labels: np.ndarray) -> None:
    assert best_probe([TABLE], labels).sigmas > 2 * thresholds.PROBE_SIGMAS
    shuffled = RANDOM.permutation(labels)
    assert best_probe([TABLE], shuffled).sigmas < thresholds.PROBE_SIGMAS


def test_a_label_is_not_predicted_from_itself() -> None:
    labels = RANDOM.normal(size=(300, 1))
    predicted = best_probe([TABLE], labels).predicted
    assert abs(np.corrcoef(predicted[:, 0], labels[:, 0])[0, 1]) < 0.2


def test_sigmas_of_chance_have_a_deviation_of_one() -> None:
    predicted, labels = TABLE[:, :3], np.eye(3)[RANDOM.choice(3, 300, p=[0.8, 0.1, 0.1])]
    drawn = [fit_sigmas(predicted, RANDOM.permutation(labels)) for _ in range(500)]
    assert np.std(drawn) == pytest.approx(1, abs=0.1)
    assert np.mean(drawn) == pytest.approx(0, abs=0.15)


def test_equal_predictions_fit_nothing() -> None:
    assert fit_sigmas(np.ones((20, 1)), RANDOM.normal(size=(20, 1))) == 0
