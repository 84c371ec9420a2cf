"""The summary and the notes that users read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from mnist_exp.compare import margin_sentences, sentences
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


def test_what_the_bootstrap_alone_would_show_is_not_shown() -> None:
    values = [0.9, 0.9, 0.9, 0.9, 0.95]
    others = [0.9001, 0.9001, 0.9001, 0.9001, 0.96]
    comparison = compared({"a": values, "b": others})
    summary = sentences.summary(comparison)
    assert summary.startswith("No difference is shown between b and a: +0.0021")
    assert f"95% interval {MINUS}0.0034 to +0.0080)" in summary
    assert summary.endswith("; b may still be up to 0.0080 better or 0.0034 worse.")
    assert sentences.verdict_notes(comparison) == []
    assert f"95% interval {MINUS}0.0034 to +0.0080" in sentences.summary(comparison.against(0.02))


def test_the_smallest_p_is_that_of_the_groups_own_seeds() -> None:
    """Holm multiplies only the smallest p by the number of groups."""
    base = [0.9 + 0.001 * (seed % 3) for seed in range(10)]
    steps = [0.01 + 0.001 * (seed % 2) for seed in range(10)]
    many = [value + step for value, step in zip(base, steps, strict=True)]
    comparison = compared({"a": base, "many": many, "few": many[:3]})
    assert sentences.verdict_notes(comparison)[0].endswith("With 3 seeds, p cannot be below 0.25.")
    alone = compared({"a": base, "few": many[:3], "unpaired": {"x": 0.1}})
    assert sentences.verdict_notes(alone)[0].endswith("With 3 seeds, p cannot be below 0.25.")


def test_a_p_that_is_large_by_itself_has_no_other_reason() -> None:
    base = [0.9] * 10
    steps = (24, 12, 114, -26, 102, 51, -8, 23, -15, 81)
    better = [value + step / 10_000 for value, step in zip(base, steps, strict=True)]
    (note,) = sentences.verdict_notes(compared({"a": base, "b": better}))
    assert note.endswith("leaves out 0; they do not depend on p.")


def test_the_best_is_the_one_that_differs_most_on_its_seeds() -> None:
    """Not the one with the best mean, whose seeds may be luckier."""
    base = {str(seed): 0.9 - 0.01 * seed for seed in range(6)}
    far = {str(s): base[str(s)] + 0.0200 + 0.0001 * (s % 2) for s in (3, 4, 5)}
    near = {str(s): base[str(s)] + 0.0020 + 0.0001 * (s % 2) for s in (0, 1, 2)}
    assert "The best: far is better" in sentences.summary(
        compared({"a": base, "far": far, "near": near})
    )


def test_equal_differences_have_no_interval() -> None:
    x = [0.875, 0.9375, 0.75]
    summary = sentences.summary(compared({"a": x, "b": [value + 0.015625 for value in x]}))
    assert "without spread, so there is no interval) over 3 paired seeds. Holm" in summary


WIDE = [x + d for x, d in zip(BASE, (0.001, -0.002, 0.0005, 0.003), strict=True)]
WIDER = [x + d for x, d in zip(BASE, (0.01, -0.02, 0.005, 0.03), strict=True)]
NEAR = [x + d for x, d in zip(BASE, (0.0001, -0.0002, 0.0001, 0.0), strict=True)]


def test_no_difference_shown_says_how_large_one_may_be() -> None:
    summary = sentences.summary(compared({"a": BASE, "b": WIDE}))
    assert summary.endswith(
        f"95% interval {MINUS}0.0026 to +0.0039) over 4 paired seeds, Holm-adjusted p = 0.62 (with "
        "4 seeds it cannot be below 0.12); b may still be up to 0.0039 better or 0.0026 worse."
    )
    lower_is_better = replace(compared({"a": BASE, "b": WIDE}), higher_is_better=False)
    assert "up to 0.0026 better or 0.0039 worse." in sentences.summary(lower_is_better)
    both = sentences.summary(compared({"a": BASE, "b": WIDE, "c": WIDER}))
    assert both == (
        "Compared with a in test/accuracy, no difference is shown for 2 of 2 groups; most open is "
        "c, which may still be up to 0.0390 better or 0.0265 worse."
    )
    same = sentences.summary(compared({"a": BASE, "b": BASE}))
    assert same.endswith("b does not differ at all here, which tells nothing of other runs.")


def test_with_a_margin_equivalence_or_the_seeds_needed_are_said() -> None:
    asked = compared({"a": BASE, "b": WIDE}).against(0.002)
    assert sentences.summary(asked).endswith(
        "0.0026 worse. Seeds that would show a difference of 0.002 with 80% power: 11 (95% "
        "interval 5 to 118)."
    )
    shown = sentences.summary(compared({"a": BASE, "b": NEAR}).against("2e-3"))
    assert shown == (
        "b and a are equivalent within 0.002: 0 in test/accuracy (95% "
        f"interval {MINUS}0.0002 to +0.0002) over 4 paired seeds. Two one-sided tests "
        "show that the difference is smaller than 0.002: p <0.0001, Holm-adjusted <0.0001; its 90% "
        f"interval is {MINUS}0.0002 to +0.0002."
    )
    better = sentences.summary(compared({"a": BASE, "b": shifted(0.001)}).against(0.002))
    assert "b is better than a" in better
    assert "Two one-sided tests show that the difference is smaller than 0.002" in better
    few = sentences.summary(compared({"a": BASE, "b": WIDE[:2]}).against(0.002))
    assert few.endswith(
        "3 paired seeds. Seeds that would show a difference of 0.002 with 80% "
        "power: 11 (95% interval 5 to 8,994)."
    )


def test_several_groups_and_a_margin() -> None:
    several = {"a": BASE, "b": WIDE, "c": NEAR, "d": WIDER}
    assert sentences.summary(compared(several).against(0.002)) == (
        "Of 3 groups compared with a in test/accuracy, 1 is equivalent within 0.002 and for 2 no "
        "difference is shown; most open is d, which may still be up to 0.0390 better or 0.0265 "
        "worse."
    )
    (note,) = margin_sentences.notes(compared(several).against(0.002), 2)
    assert note == (
        "Seeds that would show a difference of 0.002 with 80% power: d 832 (95% interval 269 to "
        "more than 10,000); b 11 (95% interval 5 to 118); 1 more group in compare.csv."
    )
    (note,) = margin_sentences.notes(compared({"a": BASE, "b": BASE, "c": NEAR}).against(0.002), 2)
    assert note.endswith("power: b unknown (no spread); c 3.")
    (hint,) = margin_sentences.notes(compared(several), 2)
    assert hint.startswith("--margin SIZE tests whether groups are equivalent")
    assert margin_sentences.notes(compared({"a": BASE, "b": shifted(0.01)}), 2) == []
