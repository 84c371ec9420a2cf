"""Intervals, paired tests and verdicts, as numbers in and numbers out. docs/compare.md has the sources."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 9_999  # of the bootstrap
SMALLEST_BOOTSTRAP = 5  # values; from fewer, resampling cannot tell how they spread
SMALLEST_VERDICT = 3  # pairs
EXACT_UP_TO = 16  # pairs: all 2^16 sign flips are tried; of more, as many at random
_AT_ONCE = 50  # samples bootstrapped together, for the memory

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A 95% confidence interval of a mean. `low` and `high` are NaN where `method` is "none"."""

    low: float
    high: float
    method: str  # "BCa", "t", "none", "all equal": a sample without spread has nothing to infer a spread from

    @property
    def side(self) -> int:
        """1 above zero, -1 below zero, 0 if it covers or touches zero or there is none."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class Description:
    """Of one value a seed. `deviation` is the sample standard deviation (n - 1), NaN for n = 1."""

    n: int
    mean: float
    deviation: float
    median: float
    minimum: float
    maximum: float
    interval: Interval


@dataclass(frozen=True)
class Difference:
    """A group minus the baseline, paired by seed. `p` is NaN without pairs; `student` is Student's interval."""

    seeds: tuple[str, ...]
    values: tuple[float, ...]
    mean: float
    interval: Interval
    student: Interval
    p: float
    p_holm: float
    verdict: str

    @property
    def smallest_p(self) -> float:
        """What p would be if every pair pointed the same way."""
        return smallest_p(len(self.values))


@dataclass(frozen=True)
class Agreement:
    """Test images by which of two predictions is right, and McNemar's exact p."""

    both: int
    only_baseline: int
    only_group: int
    neither: int
    p: float
    p_holm: float = float("nan")


def describe(samples: Sequence[Values]) -> list[Description]:
    """Each sample needs at least one value."""
    return [
        Description(
            len(x),
            float(np.mean(x)),
            float(np.std(x, ddof=1)) if len(x) > 1 else float("nan"),
            float(np.median(x)),
            float(np.min(x)),
            float(np.max(x)),
            interval,
        )
        for x, interval in zip(samples, intervals(samples), strict=True)
    ]


def intervals(samples: Sequence[Values]) -> list[Interval]:
    """Of each sample's mean: BCa bootstrap for n >= 5, Student's t for 2 to 4, none for less.

    BCa: Efron 1987. Every sample is resampled with the same seed, so that its interval does not depend on the others.
    """
    found: list[Interval] = [students_interval(x) for x in samples]
    for size in {len(x) for x in samples if len(x) >= SMALLEST_BOOTSTRAP}:
        which = [i for i, x in enumerate(samples) if len(x) == size and found[i].method == "t"]
        for start in range(0, len(which), _AT_ONCE):
            some = which[start : start + _AT_ONCE]
            for i, interval in zip(some, _bca(np.stack([samples[i] for i in some])), strict=True):
                if np.isfinite([interval.low, interval.high]).all():
                    found[i] = interval
    return found


def students_interval(x: Values) -> Interval:
    """Of the mean; none for fewer than two values (Student 1908)."""
    if len(x) < 2:
        return Interval(float("nan"), float("nan"), "none")
    mean = float(np.mean(x))
    if np.ptp(x) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return Interval(mean, mean, "all equal")
    low, high = stats.t.interval(CONFIDENCE, len(x) - 1, loc=mean, scale=stats.sem(x))
    return Interval(float(low), float(high), "t")


def _bca(x: Values) -> list[Interval]:
    """Of each row [samples, values]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            (x,),
            np.mean,
            axis=-1,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
    return [
        Interval(float(low), float(high), "BCa")
        for low, high in zip(result.low, result.high, strict=True)
    ]


def sign_flip_p(differences: Values) -> float:
    """Two-sided p of "the sign of each difference is a coin's": share of the 2^n flips with as large a mean.

    Fisher 1935, section 21. Exact up to 16 pairs; beyond, 65,536 flips at random. NaN without differences.
    """
    if not len(differences):
        return float("nan")
    if len(differences) == 1 or not np.any(differences):
        return 1.0
    result = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=2**EXACT_UP_TO,
        vectorized=True,
        axis=-1,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def smallest_p(pairs: int) -> float:
    """What `sign_flip_p` is when all pairs differ in the same direction."""
    return min(1.0, 2.0 ** (1 - pairs)) if pairs else float("nan")


def holm(p: Sequence[float]) -> list[float]:
    """p adjusted for how many there are, which keeps the family-wise error (Holm 1979). NaN is none of them."""
    values = np.asarray(p, float)
    adjusted = np.full(len(values), np.nan)
    order = [i for i in np.argsort(values, kind="stable") if not np.isnan(values[i])]
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * float(values[i])))
        adjusted[i] = largest
    return [float(value) for value in adjusted]


def differences(
    baseline: dict[str, float], others: Sequence[dict[str, float]], higher_is_better: bool
) -> list[Difference]:
    """Of each group {seed: value} against the baseline, over the seeds that both have."""
    seeds = [tuple(seed for seed in group if seed in baseline) for group in others]
    values = [
        np.array([group[seed] - baseline[seed] for seed in common])
        for group, common in zip(others, seeds, strict=True)
    ]
    p = [sign_flip_p(x) for x in values]
    found = []
    for common, x, interval, one, adjusted in zip(
        seeds, values, intervals(values), p, holm(p), strict=True
    ):
        mean, student = float(np.mean(x)) if len(x) else float("nan"), students_interval(x)
        said = verdict((interval, student), len(x), higher_is_better)
        found.append(
            Difference(common, tuple(map(float, x)), mean, interval, student, one, adjusted, said)
        )
    return found


def verdict(found: Sequence[Interval], pairs: int, higher_is_better: bool) -> str:
    """Never one where an interval covers zero, or of fewer than three pairs.

    Both the interval told and Student's have to exclude zero: of five pairs without a difference the bootstrap's alone
    does so in 18% of cases (docs/compare.md).
    """
    sides = {interval.side for interval in found}
    if pairs < SMALLEST_VERDICT or sides not in ({1}, {-1}):
        return "no difference shown"
    return "better" if (sides == {1}) == higher_is_better else "worse"


def majority(
    predictions: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> NDArray[np.int64]:
    """The class most seeds predict for each image; of those with as many votes, the one with the higher probability.

    predictions [seeds, images], probabilities [seeds, images, classes] -> [images].
    """
    classes = np.arange(probabilities.shape[-1])
    votes = (predictions[:, :, None] == classes).sum(axis=0)
    return np.argmax(votes + 0.5 * np.nan_to_num(probabilities.mean(axis=0)), axis=-1)


def agreement(
    labels: NDArray[np.integer], baseline: NDArray[np.integer], group: NDArray[np.integer]
) -> Agreement:
    """McNemar's exact test (McNemar 1947): given the images only one gets right, each is a coin's toss."""
    one, other = baseline == labels, group == labels
    only_one, only_other = int((one & ~other).sum()), int((~one & other).sum())
    discordant = only_one + only_other
    p = float(stats.binomtest(only_other, discordant, 0.5).pvalue) if discordant else 1.0
    return Agreement(int((one & other).sum()), only_one, only_other, int((~one & ~other).sum()), p)
