"""Permutation tests against all permutations, tried one by one."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_exp.compare import permutations as p

numbers = st.integers(-640, 640).map(lambda n: n / 64)  # sums of these are exact
samples = st.lists(numbers, min_size=2, max_size=5)


@given(st.lists(numbers, min_size=1, max_size=8))
def test_sign_flip_p_is_the_share_of_flips_with_as_large_a_mean(values: list[float]) -> None:
    x = np.array(values, float)
    flipped = [abs(np.mean(x * signs)) for signs in itertools.product([1, -1], repeat=len(x))]
    expected = np.mean([m >= abs(np.mean(x)) - 1e-12 for m in flipped])
    assert p.sign_flip_p(x) == pytest.approx(expected)


@given(
    st.lists(st.tuples(*[st.integers(950, 999)] * 2), min_size=2, max_size=8),
    st.sampled_from([1000, 10]),
)
def test_p_does_not_depend_on_the_rounding_of_accuracies(
    right: list[tuple[int, int]], total: int
) -> None:
    """0.987 - 0.983 is not exactly 0.993 - 0.989."""
    group, baseline = np.array(right).T
    one, other = group / total, baseline / total
    assert p.sign_flip_p(one - other) == pytest.approx(p.sign_flip_p(1.0 * (group - baseline)))
    assert p.shuffle_p(one, other) == pytest.approx(p.shuffle_p(1.0 * group, 1.0 * baseline))


def test_sign_flip_p_of_pairs_that_all_point_one_way_is_the_smallest() -> None:
    for n in (1, 2, 3, 5, 10):
        assert p.sign_flip_p(np.linspace(0.1, 0.2, n)) == pytest.approx(p.smallest_p(n))
    assert p.sign_flip_p(np.zeros(4)) == 1
    assert math.isnan(p.sign_flip_p(np.array([])))
    assert p.sign_flip_p(np.random.default_rng(0).normal(3, 1, 30)) < 1e-3  # too many for all flips


@given(samples, samples)
def test_shuffle_p_is_twice_the_smaller_share_of_all_ways_to_sort_the_runs(
    group: list[float], baseline: list[float]
) -> None:
    pooled = np.array(group + baseline)

    def difference(chosen: tuple[int, ...]) -> float:
        others = [i for i in range(len(pooled)) if i not in chosen]
        return float(pooled[list(chosen)].mean() - pooled[others].mean())

    all_ways = list(itertools.combinations(range(len(pooled)), len(group)))
    found, observed = np.array([difference(way) for way in all_ways]), difference(all_ways[0])
    assert len(found) == p.ways(len(group), len(baseline))
    above, below = np.mean(found >= observed - 1e-12), np.mean(found <= observed + 1e-12)
    expected = min(1, 2 * min(above, below))
    assert p.shuffle_p(np.array(group), np.array(baseline)) == pytest.approx(expected)


def test_shuffle_p_of_groups_without_overlap_is_the_smallest() -> None:
    for n, m in ((2, 2), (2, 3), (3, 3), (3, 5), (5, 5)):
        group, baseline = np.linspace(0.8, 0.9, n), np.linspace(0.1, 0.2, m)
        assert p.shuffle_p(group, baseline) == pytest.approx(p.smallest_shuffle_p(n, m))
    assert p.smallest_shuffle_p(3, 3) == pytest.approx(0.1)  # Pitman: 2 of the 20 ways
    assert p.shuffle_p(np.ones(4), np.ones(3)) == 1
    for n in (0, 1):
        assert math.isnan(p.shuffle_p(np.ones(n), np.ones(3)))
        assert math.isnan(p.smallest_shuffle_p(n, 3))
    many = np.random.default_rng(0).normal(0, 1, (2, 30))  # too many ways to try them all
    assert p.shuffle_p(many[0] + 3, many[1]) < 1e-3


def test_tests_that_would_take_minutes_are_not_affordable() -> None:
    assert p.are_affordable([10] * 100, [(5, 5)] * 100)
    assert p.are_affordable([200], [(100, 100)])
    assert not p.are_affordable([50_000], [])
    assert not p.are_affordable([], [(50_000, 50_000)])
    assert not p.are_affordable([100] * 1_000, [])
