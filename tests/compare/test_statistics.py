"""Against numbers worked out by hand, published ones, and properties that the methods promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnist_exp.compare import statistics as s
from mnist_exp.compare.differences import differences


def interval(*values: float) -> s.Interval:
    return s.intervals([np.array(values)])[0]


def test_the_method_depends_on_how_many_values_there_are() -> None:
    assert [interval(*range(n)).method for n in (1, 2, 3, 4, 5, 6)] == [
        "none",
        "t",
        "t",
        "t",
        "BCa and t",
        "BCa and t",
    ]
    assert interval(0.98, 0.98, 0.98).method == "all equal"
    assert interval(*[0.5] * 5) == s.Interval(low=0.5, high=0.5, method=s.IntervalMethod.ALL_EQUAL)
    assert math.isnan(interval(0.5).low)
    kinds = [interval(*values) for values in ([0.5], [0.5, 0.5], [0.5, 0.6])]
    assert [kind.exists for kind in kinds] == [False, True, True]
    assert [kind.is_degenerate for kind in kinds] == [False, True, False]
    assert [kind.has_width for kind in kinds] == [False, False, True]


def test_students_interval_by_hand() -> None:
    student = interval(1.0, 2.0, 3.0)  # mean 2, deviation 1; t(0.975, 2) = 4.302653
    assert student.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)
    assert student.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)


def test_an_interval_of_shares_by_hand() -> None:
    """Logits 1, 2 and 3 have the interval above, and logistic(x) = 1 / (1 + exp(-x))."""
    shares = 1 / (1 + np.exp(-np.array([1.0, 2.0, 3.0])))
    student = s.students_interval(shares, shares=True)
    ends = [2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)]
    assert student.method == "t of logits"
    assert [student.low, student.high] == pytest.approx([1 / (1 + math.exp(-x)) for x in ends])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.booleans())
def test_an_interval_of_accuracies_lies_between_0_and_1(values: list[float], more: bool) -> None:
    x = np.array(values)
    (described,) = s.describe([x], shares=True)
    assert s.students_interval(np.array([0, 1e-5]), shares=True).method == "all equal"
    for student in (described.interval, s.students_interval(x, shares=True, one_more=more)):
        assert 0 <= student.low <= student.high <= 1
    if len(values) < s.SMALLEST_BOOTSTRAP:
        assert described.interval.low - 1e-4 <= described.mean <= described.interval.high + 1e-4


def test_the_interval_of_one_more_value_by_hand() -> None:
    more = s.students_interval(np.array([1.0, 2.0, 3.0]), one_more=True)
    assert more.high == pytest.approx(2 + 4.302653 * math.sqrt(1 + 1 / 3), abs=1e-6)


def test_an_interval_does_not_depend_on_the_other_samples() -> None:
    rng = np.random.default_rng(0)
    samples = [rng.normal(size=n) for n in (5, 7, 5, 3, 5)]
    assert s.intervals(samples) == [s.intervals([x])[0] for x in samples]


def test_the_interval_contains_students_and_follows_the_skew_of_the_sample() -> None:
    values = np.array([0, 0.01, 0.02, 0.03, 0.04, 1.0])
    both, student = s.intervals([values])[0], s.students_interval(values)
    assert (both.low, both.high > student.high) == (student.low, True)


def test_of_five_values_the_bootstrap_alone_excludes_zero_where_student_does_not() -> None:
    values = np.array([0.001, 0.002, 0.0001, 0.003, -0.0003])
    bootstrap = stats.bootstrap((values,), np.mean, method="BCa", rng=np.random.default_rng(0))
    both = s.intervals([values])[0]
    assert bootstrap.confidence_interval.low > 0 > both.low
    assert both.high >= bootstrap.confidence_interval.high


@pytest.mark.parametrize("n", [5, 10])
def test_the_interval_of_few_accuracies_contains_their_mean_as_often_as_it_says(n: int) -> None:
    """BCa alone does in 82% to 90% of cases."""
    rng, mean, total = np.random.default_rng(0), 0.95, 18.0
    for x in (rng.normal(mean, 0.002, (400, n)), rng.beta(mean * total, 0.9, (400, n))):
        found = s.intervals(list(x), shares=True)
        assert np.mean([each.low <= mean <= each.high for each in found]) > 0.92


def test_differences_that_cancel_each_other_are_none() -> None:
    assert np.mean(np.subtract([0.6, 0.8, 0.4], [0.5, 0.6, 0.7])) != 0
    assert s.mean_difference(np.subtract([0.6, 0.8, 0.4], [0.5, 0.6, 0.7])) == 0
    assert s.mean_difference(np.array([1e-13, 3e-13])) == pytest.approx(2e-13)


def test_holms_own_procedure() -> None:
    assert s.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert s.holm([0.9, 0.8]) == [1, 1]
    adjusted = s.holm([0.01, float("nan"), 0.02])
    assert adjusted[0] == pytest.approx(0.02)
    assert math.isnan(adjusted[1])


@given(st.lists(st.floats(0, 1), max_size=10))
def test_holm_never_lowers_and_keeps_the_order(p: list[float]) -> None:
    adjusted = s.holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    order = sorted(range(len(p)), key=lambda i: p[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)


@pytest.mark.parametrize(
    ("low", "high", "pairs", "higher", "expected"),
    [
        (0.1, 0.2, 3, True, "better"),
        (-0.2, -0.1, 3, True, "worse"),
        (-0.2, -0.1, 3, False, "better"),
        (-0.1, 0.2, 30, True, "no difference shown"),
        (0.0, 0.2, 5, True, "no difference shown"),
        (0.1, 0.2, 2, True, "too few seeds"),
        (math.nan, math.nan, 1, True, "too few seeds"),
        (math.nan, math.nan, 0, True, "not compared"),
    ],
)
def test_no_verdict_where_the_interval_covers_zero_or_of_two_pairs(
    low: float, high: float, pairs: int, higher: bool, expected: str
) -> None:
    interval = s.Interval(low=low, high=high, method=s.IntervalMethod.STUDENT)
    assert s.verdict(interval, pairs, higher) is s.Verdict(expected)


def test_values_whose_variance_is_too_small_for_a_number_are_all_equal() -> None:
    tiny = np.array([1, 2, 6]) * 1e-200
    assert s.students_interval(tiny).is_degenerate
    (found,) = differences({"x": 1e-200, "y": 2e-200}, [{"a": 3e-200, "b": 5e-200}], True)
    assert found.interval.is_degenerate


@pytest.mark.parametrize("scale", [1e-13, 1.0, 1e9])
def test_what_is_all_equal_does_not_depend_on_the_unit(scale: float) -> None:
    a, b = np.array([1.0, 2.0, 3.0]) * scale, np.array([1.5, 1.2, 4.0]) * scale
    assert s.students_interval(a).has_width
    (found,) = differences(
        dict(zip("xyz", a, strict=True)), [dict(zip("xyz", b, strict=True))], True
    )
    assert found.verdict == "no difference shown"


def test_equal_differences_of_accuracies_are_equal_but_for_rounding() -> None:
    base = {str(value): value for value in (0.1, 0.3, 0.6, 0.9)}
    (found,) = differences(base, [{seed: value + 1e-5 for seed, value in base.items()}], True)
    assert len(set(found.values)) > 1  # by rounding
    assert found.interval.is_degenerate
