"""Checks of the loss as a function of labels and outputs."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_exp.preflight import Finding
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.loss.function import LossFacts, Reduction, check_loss
from mnist_exp.preflight.loss.loss_size import check_initial, check_multiple
from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.program import Program
from tests.support.programs import findings
from tests.support.zoo import losses, models, optimizers, programs

IMAGES, LABELS = programs.sample(0, 128)
ONE_HOT = np.eye(10, dtype=np.float32)[LABELS]
SMOOTHED = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)


def judge(loss: Any, labels: np.ndarray = LABELS) -> tuple[LossFacts, Checkup]:
    program = Program(models.softmax("zeros", 0), loss, optimizers.sgd(), IMAGES, labels)
    outputs = np.full((64, 10), 0.1, np.float32)
    checkup = Checkup()
    facts = check_loss(checkup, program, outputs, 0)
    check_multiple(checkup, program, facts, program.labels[:64])
    return facts, checkup


def codes(loss: Any, labels: np.ndarray = LABELS) -> list[str]:
    return [finding.code for finding in judge(loss, labels)[1].findings]


@pytest.mark.parametrize(
    ("loss", "labels", "takes", "reduction"),
    [
        (losses.per_example, LABELS, "logits", "mean"),
        (losses.mean, LABELS, "logits", "mean"),
        (losses.total, LABELS, "logits", "sum"),
        (losses.one_hot_mean, ONE_HOT, "logits", "mean"),
        (losses.from_probabilities, LABELS, "probabilities", "sum"),
        (losses.clipped_log, LABELS, "probabilities", "mean"),
        (keras.losses.SparseCategoricalCrossentropy(), LABELS, "probabilities", "mean"),
        (SMOOTHED, ONE_HOT, "logits", "mean"),
        (losses.negative_log_likelihood, LABELS, "log-probabilities", "mean"),
    ],
)
def test_right_losses_are_understood_and_pass(
    loss: Any, labels: np.ndarray, takes: str, reduction: str
) -> None:
    facts, checkup = judge(loss, labels)
    assert checkup.findings == []
    assert (facts.takes, facts.reduction) == (takes, reduction)


def test_squared_error_is_no_cross_entropy_but_no_error() -> None:
    facts, checkup = judge(lambda y, outputs: tf.reduce_mean((outputs - y) ** 2), ONE_HOT)
    assert facts.takes == "numbers"
    assert checkup.findings == []  # LOSS_MISMATCH warns of it


@pytest.mark.parametrize("loss", [losses.self_entropy, losses.all_pairs])
def test_loss_that_ignores_labels(loss: Any) -> None:
    assert "LOSS_IGNORES_LABELS" in codes(loss)


def test_loss_without_a_slope_does_not_ignore_labels() -> None:
    assert "LOSS_IGNORES_LABELS" not in codes(losses.inaccuracy)


def test_the_bug_is_seen_where_the_loss_has_its_right_value() -> None:
    """Zero weights give uniform outputs: the buggy loss is ln 10, and its gradient exactly 0."""
    _, checkup = judge(losses.self_entropy)
    assert checkup.statistics["loss.at_uniform"] == pytest.approx(1)
    assert [finding.code for finding in checkup.findings] == ["LOSS_IGNORES_LABELS"]
    assert checkup.statistics["loss.gradient_change"] == 0


def test_one_class_cannot_tell_whether_labels_are_used() -> None:
    assert "LOSS_IGNORES_LABELS" not in codes(losses.mean, np.zeros_like(LABELS))


def test_flipped_sign_and_shifted_labels() -> None:
    def not_minimised(loss: Any) -> Finding:
        return next(f for f in judge(loss)[1].findings if f.code == "LOSS_NOT_MINIMISED")

    flipped = not_minimised(lambda y, z: -losses.mean(y, z))
    assert flipped.evidence["alignment"] < -0.8
    assert "sign" in flipped.advice
    shifted = not_minimised(lambda y, z: losses.mean((y + 1) % 10, z))
    assert abs(shifted.evidence["alignment"]) < 0.3


@pytest.mark.parametrize("loss", [losses.softmax_over_batch, losses.summed_over_batch])
def test_loss_that_mixes_examples(loss: Any) -> None:
    assert "EXAMPLES_LEAK" in codes(loss)


def test_class_weights_normalised_in_the_batch_are_no_leak() -> None:
    def weighted(y: Any, z: Any) -> tf.Tensor:
        weights = tf.gather(tf.linspace(1.0, 3.0, 10), y)
        return tf.reduce_sum(weights * losses.per_example(y, z)) / tf.reduce_sum(weights)

    assert "EXAMPLES_LEAK" not in codes(weighted)


@pytest.mark.parametrize("factor", [0.1, 1 / math.log(2), 0.5, -1])
def test_loss_of_another_scale(factor: float) -> None:
    assert "INITIAL_LOSS_UNEXPECTED" in codes(lambda y, z: factor * losses.mean(y, z))


def test_confident_first_outputs_are_a_warning_unless_they_are_right() -> None:
    program = Program(models.softmax("zeros", 0), losses.mean, optimizers.sgd(), IMAGES, LABELS)
    facts = LossFacts(takes=LossInput.LOGITS, reduction=Reduction.MEAN)
    wrong = 500 * np.eye(10, dtype=np.float32)[(LABELS[:64] + 1) % 10]
    (finding,) = findings(check_initial, program, facts, wrong)
    assert (finding.code, finding.severity) == ("INITIAL_LOSS_UNEXPECTED", "warning")
    assert findings(check_initial, program, facts, 20 * ONE_HOT[:64]) == []  # trained already
