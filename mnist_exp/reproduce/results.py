"""All that a reproduction says: each preset's verdict, and curves that a tutorial printed beside ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_exp.compare.runs import Store
from mnist_exp.reproduce.claims import Verdict, judge
from mnist_exp.reproduce.runs import Found, seconds

if TYPE_CHECKING:
    from mnist_exp.reproduce.bug import Bug

# Whose claim it is not the tutorial's own, or not to the digit.
MEASURED_HERE = ("notebook_softmax",)
APPROXIMATE = ("notebook_cnn5x5",)


@dataclass(frozen=True)
class Point:
    """One number that a tutorial printed on its way, and ours at the same step, by seed."""

    step: int
    verdict: Verdict
    values: Mapping[int, float]

    @property
    def claim(self) -> float:
        assert self.verdict.claim is not None
        return self.verdict.claim

    @property
    def low(self) -> float:
        return min(self.values.values())

    @property
    def high(self) -> float:
        return max(self.values.values())

    @property
    def is_in_band(self) -> bool:
        return self.low <= self.claim <= self.high

    @property
    def is_predicted(self) -> bool:
        """Whether the claim is in the interval of one more run."""
        return self.verdict.prediction.low <= self.claim <= self.verdict.prediction.high


@dataclass(frozen=True)
class Curve:
    """`points` in the order of their steps; `mean` judges the mean over all of them, one value a run."""

    metric: str
    points: tuple[Point, ...]
    mean: Verdict
    means: Mapping[int, float]  # by seed


@dataclass(frozen=True)
class Result:
    """One preset. `seconds` of training a run, by seed."""

    found: Found
    verdict: Verdict
    seconds: Mapping[int, float]
    cost: Curve | None = None  # where the tutorial printed it, and our runs are whole
    batch_accuracy: Curve | None = None

    @property
    def name(self) -> str:
        return self.found.preset.name


@dataclass(frozen=True)
class Reproduction:
    results: tuple[Result, ...]
    bug: "Bug | None"  # where the buggy preset is among them
    seeds: int
    quick: bool

    def of(self, name: str) -> Result | None:
        return next((result for result in self.results if result.name == name), None)


def measure(store: Store, found: Found) -> Result:
    """Compare a preset's finished runs with what its tutorial reports."""
    reference, whole = found.preset.reference, not found.preset.shortened
    costs = list(enumerate(reference.cost, start=1))
    every = reference.batch_accuracy_every
    batches = [(i * every, value) for i, value in enumerate(reference.batch_accuracy)]
    return Result(
        found,
        judge(reference.test_accuracy, found.accuracies),
        seconds(store, found),
        _curve(store, found, "train/cost", costs) if whole else None,
        _curve(store, found, "train/batch_accuracy", batches) if whole else None,
    )


def _curve(
    store: Store, found: Found, metric: str, claims: Sequence[tuple[int, float]]
) -> Curve | None:
    """None without claims, or without a run that has them all."""
    if not claims or not found.run_ids:
        return None
    history = store.history(list(found.run_ids.values()), metric)
    table = history.pivot(index="step", columns="run_id", values="value")
    seeds = {run_id: seed for seed, run_id in found.run_ids.items()}
    steps = [step for step, _ in claims]
    table = (
        table.reindex(steps).dropna(axis="columns").rename(columns=seeds).sort_index(axis="columns")
    )
    if table.empty:
        return None
    points = tuple(
        Point(step, judge(claim, ours), ours)
        for (step, claim), ours in zip(claims, table.to_dict("index").values(), strict=True)
    )
    means = {int(seed): float(value) for seed, value in table.mean().items()}
    return Curve(
        metric, points, judge(float(np.mean([claim for _, claim in claims])), means), means
    )
