"""Numbers and verdicts as users read them."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_exp.compare import words
from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.compare.statistics import Interval, IntervalMethod
from mnist_exp.compare.votes import Agreement
from tests.compare.made import ACCURACY, BASE, compared

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


@pytest.mark.parametrize(
    ("difference", "metric", "text"),
    [
        (0.0053, ACCURACY, "5 more of 1,000 test images"),
        (-0.00145, ACCURACY, "14 fewer of 10,000 test images"),
        (-0.6876, ACCURACY, "688 fewer of 1,000 test images"),
        (0.0004, "val/accuracy", "4 more of 10,000 validation images"),
        (-0.00001, "val/best_accuracy", "less than 1 of 10,000 validation images"),
        (-0.00001, "best/val_accuracy", "less than 1 of 10,000 images"),
        (0.0, ACCURACY, ""),
        (float("nan"), ACCURACY, ""),
        (0.1, "train/cost", ""),
    ],
)
def test_a_difference_in_images(difference: float, metric: str, text: str) -> None:
    assert words.in_images(difference, replace(compared({"a": BASE}), metric=metric)) == text


def test_numbers() -> None:
    assert words.value(0.98765, ACCURACY) == "0.9877"
    assert words.value(-12.3456, "train/cost") == f"{MINUS}12.35"
    assert words.value(float("nan"), ACCURACY) == words.difference(float("nan"), ACCURACY) == DASH
    assert words.difference(0.0, ACCURACY) == "0"
    assert words.difference(-0.000014, ACCURACY) == f"{MINUS}0.00001"  # not zero
    assert words.difference(0.00006, ACCURACY) == "+0.0001"
    assert words.value(0.000014, ACCURACY) == "0.00001"
    assert (words.value(0.0, ACCURACY), words.difference(1e-17, ACCURACY)) == ("0.0000", "0")
    assert words.difference(0.01234, "train/cost") == "+0.0123"
    p_values = [float("nan"), 0.00001, 0.0003, 0.0123, 0.123, 1.0]
    shown = [words.p_value(p) for p in p_values]
    assert shown == [DASH, "<0.0001", "0.0003", "0.0123", "0.12", "1"]


def test_intervals() -> None:
    shown = Interval(low=-0.01, high=0.02, method=IntervalMethod.BOTH)
    assert words.interval(shown, ACCURACY) == f"{MINUS}0.0100 to 0.0200"
    assert words.interval(shown, ACCURACY, of_difference=True, method=True) == (
        f"{MINUS}0.0100 to +0.0200, BCa and t"
    )
    nan = float("nan")
    none = Interval(low=nan, high=nan, method=IntervalMethod.NONE)
    assert words.interval(none, ACCURACY) == ""
    assert words.interval(none, ACCURACY, method=True) == "none"


def test_images_that_one_gets_right() -> None:
    comparison = compared({"a": BASE, "b": BASE})
    agreement = Agreement(
        both=8000, only_baseline=3, only_group=1040, neither=957, p=1e-9, p_holm=0.5
    )
    digits = np.zeros(10_000, int)

    def text(agreement: Agreement, baseline: int, group: int) -> str:
        pair = PairedPredictions(
            group_label="b",
            baseline_networks=baseline,
            group_networks=group,
            class_names=tuple("0123456789"),
            label=digits,
            baseline=digits,
            group=digits,
        )
        row = replace(comparison.others[0], agreement=agreement, predictions=pair)
        return words.images(row, comparison.baseline)

    assert text(agreement, 4, 5) == (
        "Of 10,000 test images, 1,040 are recognised only by the ensemble of b (5 networks), 3 "
        "only by the ensemble of a (4 networks) (McNemar's exact test: p <0.0001, Holm-adjusted "
        "0.5). In an ensemble the networks of all seeds vote; it is usually better than each of "
        "them."
    )
    assert text(agreement, 1, 1) == (
        "Of 10,000 test images, 1,040 are recognised only by b, 3 only by a. McNemar's exact "
        "test compares these two trained networks, not their settings: p <0.0001, Holm-adjusted "
        "0.5."
    )
    one_image = Agreement(both=0, only_baseline=0, only_group=1, neither=0, p=1.0, p_holm=1.0)
    assert text(one_image, 3, 1).startswith(
        "Of 1 test image, 1 is recognised only by b, 0 only by the ensemble of a (3 networks)"
    )
