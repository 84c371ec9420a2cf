"""Probes predict labels that have to do with the inputs, and no others."""

import numpy as np
import pytest

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.data import probes
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


def test_an_example_is_predicted_by_a_fit_to_the_others_alone() -> None:
    table, labels = TABLE[:30] - TABLE[:30].mean(axis=0), RANDOM.normal(size=(30, 2))
    labels -= labels.mean(axis=0)
    kernel = table @ table.T
    penalty = probes.RIDGE * np.trace(kernel) / 30
    predicted = next(probes._predictions(table, labels))
    for left_out in range(30):
        others = np.arange(30) != left_out
        weights = np.linalg.solve(
            kernel[np.ix_(others, others)] + penalty * np.eye(29), labels[others]
        )
        np.testing.assert_allclose(predicted[left_out], kernel[left_out, others] @ weights)


@pytest.mark.parametrize("scale", [0.0, 1e200])
def test_inputs_that_are_all_equal_or_too_large_tell_nothing(scale: float) -> None:
    """The labels of ten classes have few values, whose rounding errors would tell them apart."""
    random = np.random.default_rng(0)
    for examples in range(20, 200, 20):
        labels = np.eye(10)[random.integers(0, 10, examples)]
        table = scale * TABLE[:examples]
        with np.errstate(all="ignore"):
            assert best_probe([table], labels).sigmas < thresholds.PROBE_SIGMAS
