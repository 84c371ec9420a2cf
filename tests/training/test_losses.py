import numpy as np
import pytest
import tensorflow as tf

from mnist_exp.config.group_schemas import EntropyConfig
from mnist_exp.training import losses

LABELS = np.array([3, 0, 9])
LOGITS = np.random.default_rng(0).normal(size=(3, 10)).astype(np.float32)
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("from_probabilities", [False, True])
def test_cross_entropy_is_minus_log_probability_of_the_label(from_probabilities: bool) -> None:
    loss = losses.build(
        EntropyConfig(kind="cross_entropy", reduction="mean", from_probabilities=from_probabilities)
    )
    np.testing.assert_allclose(
        loss(LABELS, LOGITS), -np.log(PROBABILITIES[np.arange(3), LABELS]), rtol=1e-5
    )


@pytest.mark.parametrize("from_probabilities", [False, True])
def test_self_entropy_is_the_entropy_of_the_prediction(from_probabilities: bool) -> None:
    loss = losses.build(
        EntropyConfig(kind="self_entropy", reduction="sum", from_probabilities=from_probabilities)
    )
    expected = -(PROBABILITIES * np.log(PROBABILITIES)).sum(axis=1)
    np.testing.assert_allclose(loss(LABELS, LOGITS), expected, rtol=1e-5)


@pytest.mark.parametrize("from_probabilities", [False, True])
def test_self_entropy_never_sees_a_label(from_probabilities: bool) -> None:
    loss = losses.build(
        EntropyConfig(kind="self_entropy", reduction="sum", from_probabilities=from_probabilities)
    )
    np.testing.assert_array_equal(loss(LABELS, LOGITS), loss(LABELS[::-1], LOGITS))


@pytest.mark.parametrize("kind", ["cross_entropy", "self_entropy"])
def test_extreme_logits_are_finite_from_logits_and_nan_from_probabilities(kind: str) -> None:
    logits = tf.constant([[200.0] + [0.0] * 9])  # nine probabilities underflow to 0
    stable, literal = (
        losses.build(EntropyConfig(kind=kind, reduction="sum", from_probabilities=literally))  # type: ignore[arg-type]
        for literally in (False, True)
    )
    label = np.array([0])
    assert np.isfinite(stable(label, logits)).all()
    assert np.isnan(literal(label, logits)).all()


def test_stable_self_entropy_has_a_finite_gradient_at_extreme_logits() -> None:
    logits = tf.constant([[200.0] + [0.0] * 9])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.self_entropy(np.array([0]), logits)
    assert np.isfinite(tape.gradient(loss, logits)).all()


def test_reductions() -> None:
    values = tf.constant([1.0, 2.0, 6.0])
    assert losses.reduction(EntropyConfig(kind="cross_entropy", reduction="mean"))(values) == 3
    assert losses.reduction(EntropyConfig(kind="cross_entropy", reduction="sum"))(values) == 9
