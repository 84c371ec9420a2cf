"""The summary and the notes that users read."""

from collections.abc import Mapping, Sequence

import pytest

from mnist_exp.compare import sentences
from tests.compare.made import BASE, compared, shifted

MINUS = "\N{MINUS SIGN}"


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
            (
                f"Too few runs to decide between b and a: {MINUS}0.1000 in test/accuracy (100 "
                "fewer of 1,000 test images) over 1 and 1 unpaired run; a verdict needs 3 of each."
            ),
        ),
        (
            {"a": BASE, "b": dict(zip("5678", shifted(0.01), strict=True))},
            (
                "b is better than a: +0.0100 in test/accuracy (10 more of 1,000 test images; 95% "
                "interval +0.0078 to +0.0123) over 4 and 4 unpaired runs; the interval leaves out "
                "0. Holm-adjusted p = 0.0286."
            ),
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
                "Compared with a in test/accuracy, nothing is decided: no group has the 3 runs, or "
                "seeds in common with the baseline, of a verdict."
            ),
        ),
        (
            {"a": BASE, "b": BASE, "c": {"9": 0.5}},
            (
                "Compared with a in test/accuracy, no difference is shown for 1 of 2 groups; the "
                "others do not have the 3 runs, or seeds in common with the baseline, of a verdict."
            ),
        ),
    ],
)
def test_summaries(groups: Mapping[str, Sequence[float]], sentence: str) -> None:
    assert sentences.summary(compared(groups)) == sentence


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
    assert start in sentences.summary(compared({"a": BASE, **groups}))


def test_a_group_with_too_few_seeds_is_told_beside_the_decided() -> None:
    summary = sentences.summary(compared({"a": BASE, "b": shifted(0.01), "c": shifted(0.01, 2)}))
    assert "1 is better and 1 has too few seeds in common with it. The best: b is" in summary


def test_the_first_sentence_says_why_a_large_p_does_not_contradict_its_verdict() -> None:
    three = {"a": BASE, **{f"g{i}": shifted(0.01) for i in range(3)}}
    assert sentences.summary(compared(three)).endswith(
        "over 4 paired seeds; the interval leaves out 0. Holm-adjusted p = 0.38 (with 4 seeds and "
        "3 groups it cannot be below 0.38)."
    )


def test_a_verdict_beside_a_large_p_explains_itself() -> None:
    assert sentences.verdict_notes(compared({"a": BASE, "b": BASE})) == []
    assert sentences.verdict_notes(compared({"a": BASE, "b": shifted(0.01)})) == [
        (
            "Better and worse mean that the 95% interval of the difference leaves out 0; they do "
            "not depend on p. With 4 seeds, p cannot be below 0.12."
        )
    ]
    three = {"a": BASE, **{f"g{i}": shifted(0.01) for i in range(3)}}
    assert sentences.verdict_notes(compared(three))[0].endswith(
        "p cannot be below 0.12, and Holm's adjustment for 3 groups makes that 0.38."
    )
    ten = [0.9 + 0.001 * (seed % 3) for seed in range(10)]
    steps = (3, 2, 1, 2, 3, -1, -1, 2, 1, 2)
    better = [value + step / 1000 for value, step in zip(ten, steps, strict=True)]
    many = compared({"a": ten, "b": better, **{f"g{i}": ten for i in range(3)}})
    note = "p (Holm) is larger than p because 4 groups are compared."
    assert sentences.verdict_notes(many)[0].endswith(note)


def test_student_alone_covers_zero() -> None:
    values = [0.9, 0.9, 0.9, 0.9, 0.95]
    others = [0.9001, 0.9001, 0.9001, 0.9001, 0.96]
    comparison = compared({"a": values, "b": others})
    summary = sentences.summary(comparison)
    assert summary.startswith("No difference is shown between b and a: +0.0021")
    assert summary.endswith("; Student's t interval covers zero.")
    (note,) = sentences.verdict_notes(comparison)
    assert note.startswith("No difference is shown although the 95% interval leaves out 0")
