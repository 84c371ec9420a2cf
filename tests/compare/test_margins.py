"""Equivalence and the number of seeds: against scipy's own simulation, and published numbers."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mnist_exp.compare import margin_sentences, margins
from mnist_exp.compare.statistics import Verdict, is_share
from mnist_exp.errors import UserError
from tests.compare.made import BASE, compared

D = np.array([0.001, 0.0002, -0.0005, 0.0003, 0.0004])
X = np.array([0.981, 0.984, 0.983, 0.980])
Y = np.array([0.979, 0.990, 0.985, 0.981, 0.983, 0.982])


def spread(deviation: float, freedom: float, gain: float = 1) -> margins.Spread:
    return margins.Spread(variance=deviation**2, freedom=freedom, gain=gain)


def test_equivalence_is_the_90_percent_interval_within_the_margin() -> None:
    """Schuirmann's two tests at 5% reject just where the interval's ends lie inside."""
    low, high = stats.t.interval(0.9, 4, loc=D.mean(), scale=stats.sem(D))
    found = margins.paired(D, 0.002)
    assert (found.low, found.high) == pytest.approx((low, high))
    for margin, expected in ((high * 1.001, True), (high * 0.999, False)):
        found = margins.paired(D, margin)
        assert found.is_equivalent is expected
        assert found.p == pytest.approx(stats.t.sf((margin - D.mean()) / stats.sem(D), 4))


def test_equivalence_without_pairs_is_welchs_90_percent_interval_within_the_margin() -> None:
    variances = np.array([X.var(ddof=1) / 4, Y.var(ddof=1) / 6])
    freedom = variances.sum() ** 2 / (variances**2 / [3, 5]).sum()  # Welch and Satterthwaite
    error = math.sqrt(variances.sum())
    low, high = stats.t.interval(0.9, freedom, loc=X.mean() - Y.mean(), scale=error)
    found = margins.unpaired(X, Y, 0.002)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert not found.is_equivalent
    assert not margins.unpaired(X, Y, -low * 0.999).is_equivalent
    assert margins.unpaired(X, Y, -low * 1.001).is_equivalent
    for group, baseline in ((X[:2], Y), (X[:1], Y), (X, np.full(3, 0.9))):
        found = margins.unpaired(group, baseline, 1.0)
        assert found.is_equivalent == (min(len(group), len(baseline)) >= 3)
    assert math.isnan(margins.unpaired(np.full(3, 0.9), np.full(4, 0.9), 0.5).p)


@settings(deadline=None)
@given(st.lists(st.integers(-20, 20).map(lambda n: n / 64), min_size=3, max_size=9))
def test_equivalence_does_not_depend_on_the_sign(values: list[float]) -> None:
    d = np.array(values)
    one, other = margins.paired(d, 0.1), margins.paired(-d, 0.1)
    assert one.p == pytest.approx(other.p, nan_ok=True)
    assert math.isnan(one.p) == (np.ptp(d) == 0)


def test_without_spread_or_with_two_pairs_nothing_is_equivalent() -> None:
    same, two, none = (margins.paired(d, 0.5) for d in (np.zeros(9), D[:2], D[:0]))
    assert [x.is_equivalent for x in (same, two, none)] == [False] * 3
    assert same.seeds is None
    assert none.seeds is None
    assert two.seeds is not None


def test_p_of_equivalence_is_adjusted_over_the_groups_that_are_tested() -> None:
    found = margins.with_holm([margins.paired(d, 0.002) for d in (D, D * 2, D[:2], np.zeros(4))])
    p = [x.p for x in found]
    assert [x.p_holm for x in found[:2]] == pytest.approx([2 * p[0], max(2 * p[0], p[1])])
    assert [math.isnan(x.p_holm) for x in found] == [False, False, True, True]


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_the_number_of_pairs_is_the_published_one(effect: float, pairs: int) -> None:
    """Of a paired t test, two-sided at 5%, with 80% power: G*Power's, for Cohen's effects."""
    assert margins.seeds_needed(spread(1.0, 9), effect).n == pairs


def test_the_power_is_that_of_scipys_own_simulation() -> None:
    rng = np.random.default_rng(0)
    simulated = stats.power(
        lambda x, axis: stats.ttest_1samp(x, 0, axis=axis),
        lambda size: rng.normal(1.0, 1.0, size),
        8,
        significance=0.05,
        n_resamples=20_000,
    )
    assert margins.power(spread(1.0, 7), 1.0, 8) == pytest.approx(
        simulated.power, abs=0.01
    )  # 3 standard errors


def test_the_power_without_pairs_is_that_of_scipys_own_simulation() -> None:
    """Of 6 runs each with standard deviations of 1 and 2, so that Welch's test is needed."""
    rng = np.random.default_rng(0)
    simulated = stats.power(
        partial(stats.ttest_ind, equal_var=False),
        (lambda size: rng.normal(3.0, 1.0, size), lambda size: rng.normal(0.0, 2.0, size)),
        (6, 6),
        significance=0.05,
        n_resamples=20_000,
    )
    both = margins.Spread(variance=5.0, freedom=math.nan, gain=25 / 17)
    assert margins.power(both, 3.0, 6) == pytest.approx(simulated.power, abs=0.01)


def test_the_uncertainty_is_that_of_the_standard_deviation() -> None:
    """chi2(0.975, 4) = 11.1433 and chi2(0.025, 4) = 0.484419, as tables have them."""
    needed = margins.seeds_needed(spread(1.0, 4), 0.5)
    ends = [math.sqrt(4 / 11.1433), math.sqrt(4 / 0.484419)]
    assert [needed.low, needed.high] == [
        margins.seeds_needed(spread(end, 4), 0.5).n for end in ends
    ]
    assert needed.low < needed.n < needed.high


@pytest.mark.parametrize(("size", "n"), [(1e-9, math.inf), (1e15, 3)])
def test_no_difference_is_too_small_or_too_large(size: float, n: float) -> None:
    needed = margins.seeds_needed(spread(1.0, 2), size)
    assert (needed.low, needed.n, needed.high) == (n, n, n)


@pytest.mark.parametrize(
    ("given", "metric", "expected"),
    [
        ("0,002", "test/accuracy", "a number, such as 0.002"),
        ("0.2%", "test/accuracy", "a number, such as 0.002"),
        ("", "val/cost", "a number, such as 0.002"),
        (None, "val/cost", "a number, such as 0.002"),
        ("nan", "test/accuracy", "a difference in test/accuracy between 0 and 1, such as 0.002"),
        (2, "test/accuracy", "a difference in test/accuracy between 0 and 1, such as 0.002"),
        ("-0.1", "val/cost", "a difference in val/cost above 0"),
        ("inf", "val/cost", "a difference in val/cost above 0"),
        ("nan", "val/cost", "a difference in val/cost above 0"),
    ],
)
def test_a_margin_that_is_none_is_told(given: object, metric: str, expected: str) -> None:
    with pytest.raises(UserError) as told:
        margins.checked_margin(given, metric, shares=is_share(metric))
    assert str(told.value) == f"--margin {given}: expected {expected}"


def test_a_better_group_stays_better_and_one_without_a_difference_becomes_equivalent() -> None:
    near = [x + d for x, d in zip(BASE, (0.0001, -0.0002, 0.0001, 0.0), strict=True)]
    better = [x + d for x, d in zip(BASE, (0.0011, 0.0010, 0.0011, 0.001), strict=True)]
    far = [x + d for x, d in zip(BASE, (0.01, -0.01, 0.02, -0.02), strict=True)]
    groups = {"a": BASE, "near": near, "better": better, "far": far, "same": BASE}
    rows = {row.group.label: row for row in compared(groups).against("0.002").others}
    assert {label: row.compared.verdict for label, row in rows.items()} == {
        "near": Verdict.EQUIVALENT,
        "better": Verdict.BETTER,
        "far": Verdict.NOT_SHOWN,
        "same": Verdict.NOT_SHOWN,
    }
    found = {label: row.against_margin for label, row in rows.items()}
    assert [x is not None and x.is_equivalent for x in found.values()].count(True) == 2


def test_groups_without_a_common_seed_are_tested_as_independent_runs() -> None:
    named = {
        "a": {f"a{i}": float(x) for i, x in enumerate(Y)},
        "b": {f"b{i}": float(x) for i, x in enumerate(X)},
    }
    (row,) = compared(named).against(0.01).others
    assert row.against_margin == margins.with_holm([margins.unpaired(X, Y, 0.01)])[0]
    assert row.compared.verdict is Verdict.EQUIVALENT
    (asked,) = margin_sentences.notes(
        compared(named | {"c": {"z": 0.9, "y": 0.8}}).against(0.01), 5
    )
    assert asked.startswith("Runs of each group that would show a difference of 0.01 with 80% powe")


def test_a_group_without_spread_beside_one_with_spread_is_tested_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    """Accuracies of few test images are often all equal, and scipy warns of a loss of precision."""
    found = margins.unpaired(np.full(5, 0.98), np.array([0.98, 0.985, 0.98, 0.975, 0.98]), 0.01)
    assert found.is_equivalent
    assert not recwarn.list
