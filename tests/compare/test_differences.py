"""Differences to the baseline: paired on the seeds that both have, or of two samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnist_exp.compare.differences import Difference, differences, welch
from mnist_exp.compare.statistics import Verdict

numbers = st.integers(-640, 640).map(lambda n: n / 64)  # sums of these are exact


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=4))
def test_a_difference_of_accuracies_lies_between_its_bounds(
    pairs: list[tuple[float, float]],
) -> None:
    baseline, group = ({str(i): pair[k] for i, pair in enumerate(pairs)} for k in (0, 1))
    (cut,) = differences(baseline, [group], higher_is_better=True, shares=True)
    (plain,) = differences(baseline, [group], higher_is_better=True)
    assert cut.verdict is plain.verdict
    if cut.interval.exists:
        assert -1 <= cut.interval.low <= cut.interval.high <= 1


def test_a_verdict_on_noise_is_rare() -> None:
    """Of five values, the bootstrap's interval alone would have one in 18% of cases."""
    rng = np.random.default_rng(0)
    noise = [dict(zip("01234", rng.normal(size=5), strict=True)) for _ in range(300)]
    paired = differences(dict.fromkeys("01234", 0.0), noise, higher_is_better=True)
    assert np.mean([x.verdict is not Verdict.NOT_SHOWN for x in paired]) < 0.08


@given(
    st.dictionaries(st.sampled_from("01234"), numbers),
    st.dictionaries(st.sampled_from("01234"), numbers),
)
def test_differences_pair_by_seed(baseline: dict[str, float], group: dict[str, float]) -> None:
    (paired,) = differences(baseline, [group], higher_is_better=True)
    assert set(paired.seeds) == set(baseline) & set(group)
    assert paired.is_paired == bool(set(baseline) & set(group))
    assert paired.is_compared == bool(baseline and group)
    assert dict(zip(paired.seeds, paired.values, strict=True)) == {
        k: group[k] - baseline[k] for k in paired.seeds
    }


def unpaired(group: list[float], baseline: list[float], **options: bool) -> Difference:
    (found,) = differences(
        {f"b{i}": x for i, x in enumerate(baseline)},
        [{f"g{i}": x for i, x in enumerate(group)}],
        **({"higher_is_better": True} | options),
    )
    return found


def test_without_a_common_seed_the_two_groups_are_independent_samples() -> None:
    """Welch's example by hand: means 2 and 6, variances 1 and 4, so t(0.975, 2.94) = 3.2176."""
    found = unpaired([1.0, 2.0, 3.0], [4.0, 6.0, 8.0])
    assert (found.mean, found.sizes, found.seeds, found.values) == (-4, (3, 3), (), ())
    error = math.sqrt(1 / 3 + 4 / 3)
    freedom = (1 / 3 + 4 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2)
    half = stats.t.ppf(0.975, freedom) * error
    assert (found.interval.low, found.interval.high) == pytest.approx((-4 - half, -4 + half))
    assert found.interval.method == "Welch"
    assert (found.p, found.test) == (pytest.approx(2 / 20), "permutations")
    assert found.smallest_p == pytest.approx(0.1)
    assert found.verdict is Verdict.NOT_SHOWN


def test_a_verdict_on_independent_runs_needs_three_of_each() -> None:
    near = [0.90, 0.91, 0.92]
    assert unpaired([0.1, 0.11, 0.12], near).verdict is Verdict.WORSE
    assert unpaired([0.1, 0.11, 0.12], near, higher_is_better=False).verdict is Verdict.BETTER
    assert unpaired([0.1, 0.11], near).verdict is Verdict.TOO_FEW
    one = unpaired([0.1], near)
    assert (one.verdict, one.interval.exists) == (Verdict.TOO_FEW, False)
    assert math.isnan(one.p)
    assert unpaired([], near).verdict is Verdict.NOT_COMPARED
    assert math.isnan(unpaired([], near).mean)


def test_groups_without_spread_have_an_interval_without_width() -> None:
    same = welch(np.array([0.5] * 3), np.array([0.4] * 3))
    assert (same.low, same.high) == (pytest.approx(0.1), pytest.approx(0.1))
    assert same.is_degenerate
    assert welch(np.array([0.5] * 3 + [0.6]), np.array([0.4, 0.5, 0.6])).has_width


def test_very_many_runs_are_tested_with_t_tests() -> None:
    rng = np.random.default_rng(0)
    group, baseline = rng.normal(0.01, 1, 30_000), rng.normal(0, 1, 30_000)
    found = unpaired(list(group), list(baseline))
    assert found.test == "Welch's t test"
    assert found.p == pytest.approx(stats.ttest_ind(group, baseline, equal_var=False).pvalue)
    keys = [str(i) for i in range(30_000)]
    paired = dict(zip(keys, group, strict=True)), dict(zip(keys, baseline, strict=True))
    (found,) = differences(paired[1], [paired[0]], higher_is_better=True)
    assert (found.test, found.interval.method) == ("t test", "t")
    assert found.p == pytest.approx(stats.ttest_rel(group, baseline).pvalue)


@pytest.mark.parametrize(
    ("group", "baseline"),
    [
        (
            {"0": 0.7455813830127763, "1": 0.5, "2": 0.1},
            {"0": 0.7455813830127761, "1": 0.5, "2": 0.1},
        ),
        (dict.fromkeys("012", 0.098), dict.fromkeys("34567", 0.098)),
    ],
)
def test_what_rounding_makes_is_no_difference(
    group: dict[str, float], baseline: dict[str, float]
) -> None:
    (found,) = differences(baseline, [group], higher_is_better=True)
    assert found.verdict is Verdict.NOT_SHOWN
    assert found.mean == 0
