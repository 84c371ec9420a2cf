"""Every classification loss of Keras gets the labels and the outputs that it takes."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_exp.config.group_schemas import KerasLossConfig
from mnist_exp.errors import ConfigError
from mnist_exp.training import keras_losses

LABELS = np.array([2, 0, 3, 3], np.int32)
LOGITS = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
P = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
ONE_HOT = np.eye(5)[LABELS]
RIGHT = P[np.arange(4), LABELS]
SIGMOID = 1 / (1 + np.exp(-LOGITS))
SIDES = np.maximum(1 - (2 * ONE_HOT - 1) * LOGITS, 0)
WRONG = np.where(ONE_HOT == 1, -np.inf, LOGITS).max(axis=1)
AT_LABEL = np.where(ONE_HOT == 1, SIGMOID, 1 - SIGMOID)


def built(name: str, **options: Any) -> Any:
    return keras_losses.build(KerasLossConfig(name=name, reduction="mean", options=options))


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("SparseCategoricalCrossentropy", {}, -np.log(RIGHT)),
        ("SparseCategoricalCrossentropy", {"ignore_class": 3}, -np.log(RIGHT) * (LABELS != 3)),
        ("CategoricalCrossentropy", {}, -np.log(RIGHT)),
        (
            "CategoricalCrossentropy",
            {"label_smoothing": 0.1},
            -((0.9 * ONE_HOT + 0.02) * np.log(P)).sum(axis=1),
        ),
        ("CategoricalFocalCrossentropy", {}, -0.25 * (1 - RIGHT) ** 2 * np.log(RIGHT)),
        (
            "CategoricalFocalCrossentropy",
            {"gamma": 1, "alpha": [1, 2, 3, 4, 5]},
            -(LABELS + 1) * (1 - RIGHT) * np.log(RIGHT),
        ),
        ("BinaryCrossentropy", {}, -np.log(AT_LABEL).mean(axis=1)),
        (
            "BinaryFocalCrossentropy",
            {"gamma": 3},
            -((1 - AT_LABEL) ** 3 * np.log(AT_LABEL)).mean(axis=1),
        ),
        ("CategoricalHinge", {}, np.maximum(1 - LOGITS[np.arange(4), LABELS] + WRONG, 0)),
        ("Hinge", {}, SIDES.mean(axis=1)),
        ("SquaredHinge", {}, (SIDES**2).mean(axis=1)),
        ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, (1 - RIGHT**0.7) / 0.7),
        ("KLDivergence", {}, -np.log(RIGHT)),
        ("Dice", {}, 1 - RIGHT),
        (
            "Tversky",
            {"alpha": 0.3, "beta": 0.6},
            1 - RIGHT / (RIGHT + 0.3 * (1 - RIGHT) + 0.6 * (1 - RIGHT)),
        ),
    ],
)
def test_one_value_an_image_by_the_formula(
    name: str, options: dict[str, Any], expected: np.ndarray
) -> None:
    loss = built(name, **options)(tf.constant(LABELS), tf.constant(LOGITS))
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-5)


def test_every_loss_of_this_version_of_keras_is_known() -> None:
    kinds = {name: kind for name, kind in vars(keras.losses).items() if isinstance(kind, type)}
    assert set(kinds) == {*keras_losses._CLASSIFICATION, *keras_losses._OTHERS}
    for name in keras_losses._CLASSIFICATION:
        assert name in str(keras_losses.__doc__), "the table has each"


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("MeanSquaredError", {}, "loss for regression"),
        ("CTC", {}, "loss for sequences"),
        ("Circle", {}, "loss for embeddings"),
        ("categorical_crossentropy", {}, "did you mean loss.name=CategoricalCrossentropy"),
        ("categoricalfocalcrossentropy", {}, "did you mean loss.name=CategoricalFocalCrossentropy"),
        ("Soft", {}, "Keras has no such class\nKnown: BinaryCrossentropy"),
        ("KLDivergence", {"gamma": 2}, "loss.options.gamma: KLDivergence of Keras has no such"),
        ("CategoricalFocalCrossentropy", {"gama": 2}, "did you mean gamma"),
        ("CategoricalFocalCrossentropy", {"gamma": "two"}, "gamma=two: expected a number"),
        ("CategoricalCrossentropy", {"from_logits": False}, "the model, which gives logits"),
        ("CategoricalCrossentropy", {"reduction": "sum"}, "it is the setting loss.reduction"),
        ("BinaryFocalCrossentropy", {"apply_class_balancing": 1}, "expected true or false"),
        (
            "CategoricalCrossentropy",
            {"label_smoothing": 7},
            "7: expected a number from 0 to below 1",
        ),
    ],
)
def test_what_makes_no_loss_for_classes_is_answered(
    name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        built(name, **options)
    assert len(str(error.value).splitlines()) <= 2
