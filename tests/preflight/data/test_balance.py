"""The check of how often each class occurs."""

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight import Finding
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.balance import check_balance, check_counted
from mnist_exp.preflight.data_checks import balance
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.subject import Subject
from tests.support.programs import findings


def labels_of(classes: np.ndarray, num_classes: int = 10) -> list[Finding]:
    return findings(check_balance, classes, num_classes)


def test_even_labels_are_fine() -> None:
    assert labels_of(np.arange(500) % 10) == []
    assert labels_of(np.arange(500) % 2, num_classes=2) == []


def test_single_class_is_an_error_and_a_large_one_a_warning() -> None:
    (single,) = labels_of(np.zeros(500, int))
    assert (single.code, single.severity) == ("CLASS_IMBALANCE", "error")
    (large,) = labels_of(np.r_[np.zeros(300, int), np.arange(300) % 10])
    assert large.severity == "warning"
    assert large.evidence["largest_share"] == pytest.approx(0.55)
    assert labels_of(np.r_[np.zeros(200, int), np.arange(300) % 10]) == []


def test_a_class_rarer_than_rare_ones_may_be_missing() -> None:
    letters = np.repeat(np.arange(9), [600, 500, 400, 300, 200, 100, 50, 20, 5])
    assert labels_of(letters) == []


def test_missing_class_counts_only_where_chance_does_not_explain_it() -> None:
    assert labels_of(np.arange(40) % 9) == []
    (finding,) = labels_of(np.arange(900) % 9)
    assert finding.evidence["missing"] == [9]


def test_a_thousand_classes_are_uneven_by_chance() -> None:
    drawn = np.random.default_rng(0).integers(0, 1000, 1000)
    assert np.bincount(drawn).max() > 3
    assert labels_of(drawn, num_classes=1000) == []
    (finding,) = labels_of(np.arange(5000) % 100, num_classes=200)
    assert finding.message == (
        "Class 0 is 1% of the 5000 labels (even: 0.5%), classes "
        "[100, 101, 102, 103, 104, 105, 106, 107, 108, 109] and 90 more never occur."
    )


def test_weighted_classes_may_be_uneven_and_not_missing() -> None:
    rare = np.r_[np.zeros(960, int), np.ones(40, int)]
    assert [f.severity for f in labels_of(rare, num_classes=2)] == ["warning"]
    assert findings(check_balance, rare, 2, weighted=True) == []
    assert len(findings(check_balance, np.arange(900) % 9, 10, weighted=True)) == 1


def test_weights_that_make_a_large_class_larger_or_leave_one_out() -> None:
    classes = np.r_[np.zeros(400, int), np.ones(100, int)]
    for weights, seen in (
        ((0.8, 0.2), "raise class 0 from 80% of the labels to 94% of the loss"),
        ((1.0, 0.0), "The weights of all examples of class 1 are 0"),
    ):
        given = np.asarray(weights)[classes]
        (finding,) = findings(check_balance, classes, 2, weighted=True, weights=given)
        assert (finding.code, finding.severity) == ("CLASS_IMBALANCE", "warning")
        assert seen in finding.message
    given = np.array([0.6, 2.5])[classes]
    assert findings(check_balance, classes, 2, weighted=True, weights=given) == []


def test_weights_that_leave_the_padding() -> None:
    labels = np.where(np.arange(10) < 6, 1 + np.arange(10) % 3, 0) * np.ones((20, 1), int)
    (finding,) = findings(check_counted, labels, labels == 0)
    assert (finding.code, finding.severity) == ("CLASS_IMBALANCE", "error")
    assert "(40%) have the label 0; those with the weight 0 have 3" in finding.message
    for weights in (labels > 0, np.ones(20), np.arange(20) % 2):
        assert findings(check_counted, labels, weights) == []


def candidates(*, right: bool) -> Program:
    """Return a program that finds which of 4 candidates has the group of a word: the first.

    right: False for a classifier of many outputs, of whose labels all are 0.
    """
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    word, others = random.integers(0, 24, (600, 1)), random.integers(0, 24, (600, 3))
    first = (word + 6 * random.integers(0, 4, (600, 1))) % 24
    given = [word, np.concatenate([first, others], axis=1)]
    inputs = [keras.Input((n,), dtype="int32") for n in (1, 4)]
    read = [layers.Embedding(24, 8)(ids) for ids in inputs]
    outputs = layers.Reshape((4,))(layers.Dot(2)([read[1], read[0]]))
    if not right:
        outputs = layers.Dense(4)(layers.Flatten()(layers.Concatenate(axis=1)(read)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    adam = keras.optimizers.Adam(0.03)
    return Program(keras.Model(inputs, outputs), loss, adam, given, np.zeros(600, int))


@pytest.mark.parametrize("right", [True, False])
def test_one_class_is_right_where_the_inputs_are_in_its_order(right: bool) -> None:
    checkup = Checkup()
    balance(checkup, Subject(candidates(right=right), 0))
    assert [f.severity for f in checkup.findings] == ([] if right else ["error"])
    assert len(checkup.not_judged) == right


def subject(dense: layers.Dense, loss: keras.losses.Loss, y: np.ndarray) -> Subject:
    """Return 1,000 examples of two small columns with these labels in any order."""
    x = 0.1 * np.random.default_rng(0).normal(size=(1000, 2))
    model = keras.Sequential([keras.Input((2,)), dense])
    shuffled = np.random.default_rng(1).permutation(y)
    return Subject(Program(model, loss, keras.optimizers.Adam(), x, shuffled), 0)


@pytest.mark.parametrize("knows", [False, True])
def test_uneven_classes_of_which_the_first_bias_knows(knows: bool) -> None:
    def severities(dense: layers.Dense, loss: keras.losses.Loss, y: np.ndarray) -> list[str]:
        checkup = Checkup()
        balance(checkup, subject(dense, loss, y))
        return [finding.severity for finding in checkup.findings]

    constant = keras.initializers.Constant
    rare = np.r_[np.zeros(960), np.ones(40)].astype(np.float32)
    yes = layers.Dense(1, "sigmoid", bias_initializer=constant(np.log(40 / 960) if knows else 0))
    assert severities(yes, keras.losses.BinaryCrossentropy(), rare) == ["warning"] * (not knows)
    mostly = np.r_[np.zeros(550, int), np.arange(450) % 10]
    shares = np.log(np.bincount(mostly) / 1000) if knows else 0
    classes = layers.Dense(10, bias_initializer=constant(shares))
    loss = keras.losses.SparseCategoricalCrossentropy(True)
    assert severities(classes, loss, mostly) == ["warning"] * (not knows)
