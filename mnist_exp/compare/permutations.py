"""Permutation tests of a mean, and of the difference of two means: p without a distribution."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from mnist_exp.compare.statistics import Values

_MOST_PERMUTATIONS = 2**16  # all are tried if there are no more, else as many at random
_NUMBERS_AT_ONCE = 2**24  # permuted together; more would take more memory
_AFFORDABLE = 2**28  # numbers permuted in one comparison, which takes about ten seconds
_SHUFFLING = 4  # times as long as flipping a sign
_ROUNDING = 1e-9  # of the largest number: nearer means are taken for equal


def are_affordable(pairs: Sequence[int], sizes: Sequence[tuple[int, int]]) -> bool:
    """Return whether a comparison's permutation tests take seconds and not minutes.

    `pairs` has the number of pairs of each paired test, `sizes` the numbers of runs of the others.
    """
    flips = sum((1 << min(n, 16)) * n for n in pairs)
    shuffles = sum(min(ways(n, m), _MOST_PERMUTATIONS) * (n + m) for n, m in sizes)
    return flips + _SHUFFLING * shuffles <= _AFFORDABLE


def ways(n: int, m: int) -> int:
    """Return in how many ways n + m runs can be sorted into groups of n and m."""
    return math.comb(n + m, n)


def sign_flip_p(differences: Values) -> float:
    """Return the two-sided p of the hypothesis that each difference's sign is a coin's toss.

    It is the share of the 2^n ways to flip signs that give as large a mean (Fisher 1935, section
    21): exact up to 16 pairs; beyond, from 65,536 random flips. NaN without differences.
    """
    if not len(differences):
        return math.nan
    if len(differences) == 1 or not np.any(differences):
        return 1.0
    result = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=_MOST_PERMUTATIONS,
        batch=max(1, _NUMBERS_AT_ONCE // len(differences)),
        vectorized=True,
        axis=-1,
        rng=np.random.default_rng(0),
    )
    return _two_sided(result, float(np.abs(differences).max()), 2.0 ** len(differences))


def shuffle_p(group: Values, baseline: Values) -> float:
    """Return the two-sided p of the hypothesis that which group a run is in makes no difference.

    It is twice the share of the ways to sort the runs into groups of these sizes that give a
    difference of means at least as far on its side (Pitman, Suppl. J. R. Stat. Soc. 4 (1937) 119):
    exact up to 65,536 ways; beyond, from as many at random. NaN if a group has fewer than two runs.
    """
    if min(len(group), len(baseline)) < 2:
        return math.nan
    spread = np.ptp([*group, *baseline])
    if spread == 0:
        return 1.0
    result = stats.permutation_test(
        (group, baseline),
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        permutation_type="independent",
        n_resamples=_MOST_PERMUTATIONS,
        batch=max(1, _NUMBERS_AT_ONCE // (len(group) + len(baseline))),
        vectorized=True,
        axis=-1,
        rng=np.random.default_rng(0),
    )
    return _two_sided(result, float(spread), ways(len(group), len(baseline)))


def _two_sided(result: Any, largest: float, permutations: float) -> float:
    """Return the two-sided p, where means that differ by rounding alone are equal.

    Differences such as 0.9867 - 0.9837 are not exact, and scipy's own p takes some means that are
    as large as the one observed for smaller ones. Of random permutations, the observed one counts
    as one more (Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39).
    """
    found, observed = result.null_distribution, result.statistic
    near = _ROUNDING * largest
    above, below = np.sum(found >= observed - near), np.sum(found <= observed + near)
    more = int(permutations > _MOST_PERMUTATIONS)
    return float(min(1.0, 2 * (min(above, below) + more) / (len(found) + more)))


def smallest_p(pairs: int) -> float:
    """Return what `sign_flip_p` is when all pairs differ in the same direction."""
    return min(1.0, 2.0 ** (1 - pairs)) if pairs else math.nan


def smallest_shuffle_p(n: int, m: int) -> float:
    """Return what `shuffle_p` is when all runs of one group are better than all of the other."""
    return min(1.0, 2 / ways(n, m)) if min(n, m) > 1 else math.nan
