"""The sentences that users read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mnist_exp.compare import words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.groups import Group
from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.compare.rows import make_rows
from mnist_exp.compare.statistics import Interval, IntervalMethod
from mnist_exp.compare.votes import Agreement
from mnist_exp.tracking.runs import Runs

ACCURACY = "test/accuracy"
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
NOISE = (0.0, 0.001, -0.001, 0.002)
NOTHING = pd.DataFrame()


def compared(groups: Mapping[str, Sequence[float] | Mapping[str, float]]) -> Comparison:
    """A comparison of {label: values by seed}; the first group is the baseline."""
    sorted_runs = [
        Group(
            label=label,
            settings={},
            run_ids=(),
            values=values
            if isinstance(values, Mapping)
            else {str(seed): value for seed, value in enumerate(values)},
            left_out=(),
            configs=1,
        )
        for label, values in groups.items()
    ]
    return Comparison(
        title="study x",
        uri="",
        metric=ACCURACY,
        higher_is_better=True,
        runs=Runs(info=NOTHING, params=NOTHING, tags=NOTHING, metrics=NOTHING),
        statuses=pd.Series(dtype=object),
        rows=tuple(make_rows(sorted_runs, 0, higher_is_better=True, shares=True)),
        empty=(),
        curves={},
        effects=(),
        warnings=(),
    )


def shifted(by: float, n: int = 4) -> list[float]:
    """Values that are `by` higher than the baseline's, give or take a little."""
    return [0.9 + by + noise + seed / 100_000 for seed, noise in enumerate(NOISE[:n])]


BASE = [0.9 + noise for noise in NOISE]


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        (
            {"a": [0.9]},
            "One group, a: test/accuracy 0.9000 over 1 seed; nothing to compare it with.",
        ),
        (
            {"a": [0.9, 0.91]},
            (
                "One group, a: test/accuracy 0.9050 (95% interval 0.8199 to 0.9523) over 2 seeds; "
                "nothing to compare it with."
            ),
        ),
        (
            {"a": {"0": 0.9}, "b": {"1": 0.8}},
            "b and a have no seed in common, so they are not compared.",
        ),
        (
            {"a": BASE, "b": shifted(0.01)},
            (
                "b is better than a: +0.0100 in test/accuracy (10 more of 1,000 test images; 95% "
                "interval +0.0100 to +0.0100) over 4 paired seeds; the interval leaves out 0. "
                "Holm-adjusted p = 0.12 (with 4 seeds it cannot be below 0.12)."
            ),
        ),
        (
            {"a": BASE, "b": shifted(-0.01, 2)},
            (
                f"Too few seeds to decide between b and a: {MINUS}0.0100 in test/accuracy (10 "
                f"fewer of 1,000 test images; 95% interval {MINUS}0.0101 to {MINUS}0.0099) over 2 "
                "paired seeds, Holm-adjusted p = 0.5 (with 2 seeds it cannot be below 0.5); a "
                "verdict needs 3 paired seeds."
            ),
        ),
        (
            {"a": BASE, "b": BASE, "c": BASE, "d": BASE},
            "Compared with a in test/accuracy, no difference is shown for 3 of 3 groups.",
        ),
        (
            {"a": BASE, "b": shifted(0.01, 2), "c": {"9": 0.5}},
            (
                "Compared with a in test/accuracy, nothing is decided: no group has 3 seeds in "
                "common with the baseline, which a verdict needs."
            ),
        ),
        (
            {"a": BASE, "b": BASE, "c": {"9": 0.5}},
            (
                "Compared with a in test/accuracy, no difference is shown for 1 of 2 groups; the "
                "others do not have 3 seeds in common with the baseline, which a verdict needs."
            ),
        ),
    ],
)
def test_summaries(groups: Mapping[str, Sequence[float]], sentence: str) -> None:
    assert words.summary(compared(groups)) == sentence


@pytest.mark.parametrize(
    ("shifts", "start"),
    [
        ([0.01, 0.02], "Of 2 groups compared with a in test/accuracy, both are better. The best: "),
        ([-0.01, -0.02, -0.03], "all 3 are worse. The most different: g2 is worse than a: "),
        ([0.01, -0.01], "1 is better and 1 is worse. The best: g0 is better"),
        ([0.01, 0.02, 0], "2 are better and for 1 no difference is shown. The best: g1 is better"),
        ([-0.01, 0], "1 is worse and for 1 no difference is shown. The most different: g0 is w"),
        ([0.01, -0.01, 0], "1 is better, 1 is worse and for 1 no difference is shown. The best"),
    ],
)
def test_how_many_groups_have_which_verdict(shifts: Sequence[float], start: str) -> None:
    groups = {f"g{i}": shifted(by) if by else BASE for i, by in enumerate(shifts)}
    assert start in words.summary(compared({"a": BASE, **groups}))


def test_a_group_with_too_few_seeds_is_told_beside_the_decided() -> None:
    summary = words.summary(compared({"a": BASE, "b": shifted(0.01), "c": shifted(0.01, 2)}))
    assert "1 is better and 1 has too few seeds in common with it. The best: b is" in summary


def test_the_first_sentence_says_why_a_large_p_does_not_contradict_its_verdict() -> None:
    three = {"a": BASE, **{f"g{i}": shifted(0.01) for i in range(3)}}
    assert words.summary(compared(three)).endswith(
        "over 4 paired seeds; the interval leaves out 0. Holm-adjusted p = 0.38 (with 4 seeds and "
        "3 groups it cannot be below 0.38)."
    )


def test_a_verdict_beside_a_large_p_explains_itself() -> None:
    assert words.verdict_notes(compared({"a": BASE, "b": BASE})) == []
    assert words.verdict_notes(compared({"a": BASE, "b": shifted(0.01)})) == [
        (
            "Better and worse mean that the 95% interval of the difference leaves out 0; they do "
            "not depend on p. With 4 seeds, p cannot be below 0.12."
        )
    ]
    three = {"a": BASE, **{f"g{i}": shifted(0.01) for i in range(3)}}
    assert words.verdict_notes(compared(three))[0].endswith(
        "p cannot be below 0.12, and Holm's adjustment for 3 groups makes that 0.38."
    )
    ten = [0.9 + 0.001 * (seed % 3) for seed in range(10)]
    steps = (3, 2, 1, 2, 3, -1, -1, 2, 1, 2)
    better = [value + step / 1000 for value, step in zip(ten, steps, strict=True)]
    many = compared({"a": ten, "b": better, **{f"g{i}": ten for i in range(3)}})
    note = "p (Holm) is larger than p because 4 groups are compared."
    assert words.verdict_notes(many)[0].endswith(note)


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
    assert words.in_images(difference, metric) == text


def test_student_alone_covers_zero() -> None:
    values = [0.9, 0.9, 0.9, 0.9, 0.95]
    others = [0.9001, 0.9001, 0.9001, 0.9001, 0.96]
    comparison = compared({"a": values, "b": others})
    summary = words.summary(comparison)
    assert summary.startswith("No difference is shown between b and a: +0.0021")
    assert summary.endswith("; Student's t interval covers zero.")
    (note,) = words.verdict_notes(comparison)
    assert note.startswith("No difference is shown although the 95% interval leaves out 0")


def test_numbers() -> None:
    assert words.value(0.98765, ACCURACY) == "0.9877"
    assert words.value(-12.3456, "train/cost") == f"{MINUS}12.35"
    assert words.value(float("nan"), ACCURACY) == words.difference(float("nan"), ACCURACY) == DASH
    assert words.difference(0.0, ACCURACY) == "0"
    assert words.difference(-0.00001, ACCURACY) == f"{MINUS}0.0000"
    assert words.difference(0.01234, "train/cost") == "+0.0123"
    p_values = [float("nan"), 0.00001, 0.0003, 0.0123, 0.123, 1.0]
    shown = [words.p_value(p) for p in p_values]
    assert shown == [DASH, "<0.0001", "0.0003", "0.0123", "0.12", "1"]


def test_intervals() -> None:
    shown = Interval(low=-0.01, high=0.02, method=IntervalMethod.BCA)
    assert words.interval(shown, ACCURACY) == f"{MINUS}0.0100 to 0.0200"
    assert words.interval(shown, ACCURACY, of_difference=True, method=True) == (
        f"{MINUS}0.0100 to +0.0200, BCa"
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
