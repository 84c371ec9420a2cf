"""The results of a reproduction: each preset's assessment, and printed curves beside ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mnist_exp.compare.statistics import is_share
from mnist_exp.reproduce import pattern
from mnist_exp.reproduce.claims import Assessment, assess
from mnist_exp.reproduce.pattern import Pattern
from mnist_exp.reproduce.runs import PresetRuns, training_seconds
from mnist_exp.tracking.runs import Store

if TYPE_CHECKING:
    from mnist_exp.reproduce.bug_numbers import Bug

COST, BATCH_ACCURACY = "train/cost", "train/batch_accuracy"  # the metrics that tutorials print


@dataclass(frozen=True, kw_only=True)
class Point:
    """One number that a tutorial printed during training, and ours at the same step."""

    step: int
    assessment: Assessment
    values: Mapping[int, float]  # of our runs, by seed

    @property
    def claim(self) -> float:
        """The number that the tutorial printed."""
        assert self.assessment.claim is not None
        return self.assessment.claim

    @property
    def low(self) -> float:
        """The lowest value of our runs."""
        return min(self.values.values())

    @property
    def high(self) -> float:
        """The highest value of our runs."""
        return max(self.values.values())

    @property
    def is_in_band(self) -> bool:
        """Whether the claim is between the lowest and the highest value of our runs."""
        return self.low <= self.claim <= self.high

    @property
    def is_predicted(self) -> bool:
        """Whether the claim is in the interval of one more run."""
        return self.assessment.prediction.low <= self.claim <= self.assessment.prediction.high


@dataclass(frozen=True, kw_only=True)
class Curve:
    """All numbers of one metric that a tutorial printed."""

    metric: str
    points: tuple[Point, ...]  # in the order of their steps
    mean: Assessment  # of the mean over all points, one value a run
    means: Mapping[int, float]  # the mean over all points of each run, by seed
    pattern: Pattern | None = None  # of costs, where there are runs enough


@dataclass(frozen=True, kw_only=True)
class Result:
    """One preset."""

    runs: PresetRuns
    assessment: Assessment
    seconds: Mapping[int, float]  # of training, by seed
    cost: Curve | None = None  # where the tutorial printed it, and our runs are not shortened
    batch_accuracy: Curve | None = None  # as above

    @property
    def name(self) -> str:
        """The preset's name."""
        return self.runs.preset.name

    @property
    def is_shortened(self) -> bool:
        """Whether the runs are shorter than the tutorial's, and so no test of its claim."""
        return self.runs.preset.shortened

    @property
    def is_test(self) -> bool:
        """Whether the runs test the tutorial's claim: whole runs, and enough of them."""
        return self.assessment.is_test and not self.is_shortened

    @property
    def curves(self) -> list[Curve]:
        """The curves that there are."""
        return [curve for curve in (self.cost, self.batch_accuracy) if curve is not None]


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """All results of one call of the command."""

    results: tuple[Result, ...]
    bug: "Bug | None"  # where the buggy preset is among them
    seeds: int | None  # seeds 0 to `seeds` - 1 were asked for; None: as many as `SEEDS` says
    quick: bool

    @property
    def is_complete(self) -> bool:
        """Return whether no run is missing."""
        return not any(result.runs.missing for result in self.results)

    def of(self, name: str) -> Result | None:
        """Return the result of a preset, or None if it was not asked for."""
        return next((result for result in self.results if result.name == name), None)


def measure(store: Store, runs: PresetRuns) -> Result:
    """Compare a preset's finished runs with what its tutorial reports."""
    run_ids = list(runs.run_ids.values())
    seeds = {run_id: seed for seed, run_id in runs.run_ids.items()}

    def history(metric: str) -> pd.DataFrame:
        found = store.history(run_ids, metric).pivot(index="step", columns="run_id", values="value")
        return found.rename(columns=seeds)

    return compare(runs, training_seconds(store, runs), history)


def compare(
    runs: PresetRuns, seconds: Mapping[int, float], history: Callable[[str], pd.DataFrame]
) -> Result:
    """Compare a preset's runs, wherever they are read from, with what its tutorial reports.

    `history` returns the values [step, seed] of a metric.
    """
    reference = runs.preset.reference
    costs = dict(enumerate(reference.cost, start=1))
    every = reference.batch_accuracy_every
    batches = {i * every: value for i, value in enumerate(reference.batch_accuracy)}

    def curve(metric: str, claims: Mapping[int, float]) -> Curve | None:
        if not claims or not runs.run_ids or runs.preset.shortened:
            return None
        return _curve(metric, history(metric), claims)

    return Result(
        runs=runs,
        assessment=assess(reference.test_accuracy, runs.accuracies, shares=True),
        seconds=seconds,
        cost=curve(COST, costs),
        batch_accuracy=curve(BATCH_ACCURACY, batches),
    )


def _curve(metric: str, values: pd.DataFrame, claims: Mapping[int, float]) -> Curve | None:
    """Compare claims {step: value} with the runs that have a value at every step.

    `values` is [step, seed]. Returns None if there are no such runs.
    """
    whole = values.reindex(list(claims)).dropna(axis="columns")
    by_seed = whole.sort_index(axis="columns")
    if by_seed.empty:
        return None
    shares = is_share(metric)
    points = tuple(
        Point(step=step, assessment=assess(claim, values, shares=shares), values=values)
        for (step, claim), values in zip(
            claims.items(), by_seed.to_dict("index").values(), strict=True
        )
    )
    means = {int(seed): float(value) for seed, value in by_seed.mean().items()}
    claimed = np.array(list(claims.values()))
    return Curve(
        metric=metric,
        points=points,
        mean=assess(float(claimed.mean()), means, shares=shares),
        means=means,
        # An accuracy of a batch of 50 has too few values: all our seeds may have the same.
        pattern=None if shares else pattern.find(claimed, _columns(by_seed)),
    )


def _columns(values: pd.DataFrame) -> dict[int, NDArray[np.float64]]:
    return {int(seed): values[seed].to_numpy(float) for seed in values}
