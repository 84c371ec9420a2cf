"""Does a printed curve keep to one side of ours for longer than a curve of ours would?

Single epochs cannot answer that: each may lie inside of its interval, and all on the same side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from mnist_exp.compare.statistics import SMALLEST_VERDICT


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """How a printed curve lies beside ours, and how often a curve of ours would lie so."""

    stretches: tuple[tuple[int, int, int], ...]  # (side, first step, last step); side: 1 is above
    statistic: float  # of the printed curve; large if it is far off, and long on the same side
    of_seeds: Mapping[int, float]  # the same of each curve of ours beside all others, by seed

    @property
    def like_it(self) -> list[int]:
        """The seeds whose curves have at least as large a statistic."""
        return [seed for seed, value in self.of_seeds.items() if value >= self.statistic]

    @property
    def as_large(self) -> int:
        """How many curves, the printed one included, have at least as large a statistic."""
        return 1 + len(self.like_it)

    @property
    def curves(self) -> int:
        """How many curves there are, the printed one included."""
        return 1 + len(self.of_seeds)

    @property
    def p(self) -> float:
        """How probable so large a statistic is if the printed curve is of the same kind as ours.

        Then each of the curves has the largest statistic with the same probability. So p is never
        below 1 / `curves`.
        """
        return self.as_large / self.curves


def find(printed: NDArray[np.float64], ours: Mapping[int, NDArray[np.float64]]) -> Pattern | None:
    """Compare a printed curve [steps] with ours, by seed; the steps are counted from 1.

    Returns None for fewer than three curves of ours, which do not show how they are spread.
    """
    if len(ours) < SMALLEST_VERDICT:
        return None
    curves = np.stack([printed, *ours.values()])
    statistics = [_statistic(curves, i) for i in range(len(curves))]
    return Pattern(
        stretches=_stretches(printed - curves[1:].mean(axis=0)),
        statistic=statistics[0],
        of_seeds=dict(zip(ours, statistics[1:], strict=True)),
    )


def _statistic(curves: NDArray[np.float64], i: int) -> float:
    """Return the mean product of neighbouring deviations of curve `i` of `curves` [curve, step].

    A deviation is the distance from the mean of the other curves in standard deviations of those.
    """
    others = np.delete(curves, i, axis=0)
    deviations = (curves[i] - others.mean(axis=0)) / others.std(axis=0, ddof=1)
    return float(np.mean(deviations[1:] * deviations[:-1]))


def _stretches(above: NDArray[np.float64]) -> tuple[tuple[int, int, int], ...]:
    sides = [int(side) for side in np.sign(above)]
    steps = list(enumerate(sides, start=1))
    groups = [(side, list(group)) for side, group in groupby(steps, key=lambda pair: pair[1])]
    return tuple((side, group[0][0], group[-1][0]) for side, group in groups)
