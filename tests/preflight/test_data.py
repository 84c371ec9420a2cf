"""Checks of the images and labels by themselves."""

import numpy as np
import pytest

from mnist_exp.preflight import Finding
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data import check_labels, check_relation
from tests.support.programs import codes, findings
from tests.support.zoo import programs


def labels_of(classes: np.ndarray, num_classes: int = 10) -> list[Finding]:
    return findings(check_labels, classes, classes, num_classes)


def test_labels_from_one_are_out_of_range() -> None:
    (finding,) = labels_of(np.arange(1, 11))
    assert (finding.code, finding.severity) == ("LABELS_OUT_OF_RANGE", "error")
    assert finding.evidence["highest"] == 10


def test_even_labels_are_fine() -> None:
    assert labels_of(np.arange(500) % 10) == []
    assert labels_of(np.arange(500) % 2, num_classes=2) == []


def test_single_class_is_an_error_and_a_large_one_a_warning() -> None:
    (single,) = labels_of(np.zeros(500, int))
    assert (single.code, single.severity) == ("CLASS_IMBALANCE", "error")
    (large,) = labels_of(np.r_[np.zeros(300, int), np.arange(300) % 10])
    assert large.severity == "warning"
    assert large.evidence["largest_share"] == pytest.approx(0.55)


def test_missing_class_counts_only_where_chance_does_not_explain_it() -> None:
    assert labels_of(np.arange(40) % 9) == []
    (finding,) = labels_of(np.arange(900) % 9)
    assert finding.evidence["missing"] == [9]


def test_mnist_labels_are_predicted_and_shuffled_ones_are_not() -> None:
    images, labels = programs.sample(1)
    checkup = Checkup()
    check_relation(checkup, images, labels)
    assert checkup.findings == []
    assert checkup.statistics["data.probe_accuracy"] > 0.6
    shuffled = np.random.default_rng(0).permutation(labels)
    assert codes(check_relation, images, shuffled) == ["LABELS_UNRELATED"]


def test_constant_images_carry_nothing() -> None:
    images = np.ones((200, 28, 28, 1))
    assert codes(check_relation, images, np.arange(200) % 10) == ["INPUT_IGNORED"]


def test_few_examples_are_not_judged() -> None:
    images, labels = programs.sample(1, 50)
    assert codes(check_relation, images, labels[::-1]) == []


def test_few_examples_of_each_of_many_classes_are_not_judged() -> None:
    images, _ = programs.sample(1, 600)
    assert codes(check_relation, images, np.arange(600) % 300) == []


def test_a_thousand_classes_are_uneven_by_chance() -> None:
    drawn = np.random.default_rng(0).integers(0, 1000, 1000)
    assert np.bincount(drawn).max() > 3
    assert labels_of(drawn, num_classes=1000) == []
    (finding,) = labels_of(np.arange(5000) % 100, num_classes=200)
    assert finding.message == (
        "Class 0 is 1% of the 5000 labels (even: 0.5%), classes "
        "[100, 101, 102, 103, 104, 105, 106, 107, 108, 109] and 90 more never occur."
    )
