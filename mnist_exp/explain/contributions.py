"""Compute what each difference between the tutorials' CNNs adds to the metric."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from mnist_exp.compare import groups, statistics
from mnist_exp.compare.margins import Spread, checked_margin, paired, size_shown
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Interval
from mnist_exp.config import bridge
from mnist_exp.errors import UserError
from mnist_exp.tracking.params import decode
from mnist_exp.tracking.runs import Runs, Selection, Store

Point = frozenset[int]  # which differences have the notebook's value
Points = Mapping[Point, float]  # the metric at each

_MARGIN = 0.002  # of accuracies: 20 of 10,000 test images


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one difference adds to the metric.

    The mean over all orders in which differences can be bridged is the Shapley value (Shapley
    1953); two opposite orders are an antithetic sample of them (Mitchell et al., JMLR 23 (2022)
    43).
    """

    difference: bridge.Difference
    forwards: tuple[float, ...]  # one a seed, on the way from the blog's CNN to the notebook's
    backwards: tuple[float, ...]  # one a seed, on the way back
    interval: Interval  # of the mean over seeds, see `intervals`
    disagreement: Interval  # of how much more it adds forwards than backwards

    @property
    def values(self) -> tuple[float, ...]:
        """Return the mean of the two ways for each seed."""
        return tuple((a + b) / 2 for a, b in zip(self.forwards, self.backwards, strict=True))

    @property
    def is_shown(self) -> bool:
        """Return whether there is an effect, by the rule of `compare`'s verdicts."""
        return _is_shown(self.interval, len(self.values))

    @property
    def depends_on_order(self) -> bool:
        """Return whether both ways differ by more than the seeds explain, by the same rule."""
        return _is_shown(self.disagreement, len(self.values))

    @property
    def p(self) -> float:
        """Return p of Student's paired test; NaN where the verdict cannot rest on it."""
        if len(self.values) < SMALLEST_VERDICT or not self.interval.has_width:
            return math.nan
        return float(stats.ttest_1samp(self.values, 0).pvalue)

    @property
    def noticed(self) -> float:
        """Return the size of an effect that so many seeds show in 8 of 10 studies.

        NaN without spread, or with fewer seeds than a verdict needs.
        """
        spread = Spread(
            variance=float(np.var(self.values, ddof=1)) if len(self.values) > 1 else 0.0,
            freedom=len(self.values) - 1,
            gain=1,
        )
        return size_shown(spread, len(self.values)) if not math.isnan(self.p) else math.nan

    def is_within(self, margin: float) -> bool:
        """Return whether the effect is shown to be smaller than the margin."""
        return paired(np.array(self.values), margin).is_equivalent

    @property
    def mean(self) -> float:
        """Return the mean over seeds."""
        return float(np.mean(self.values))


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The gap from the blog's CNN to the notebook's and its parts."""

    study: str
    metric: str
    seeds: tuple[str, ...]  # of which every point was measured
    incomplete: Mapping[str, int]  # other seeds, and how many of their points are missing
    epochs: float  # over which both ends were trained
    margin: float | None  # the smallest effect that matters; None: any
    recorded: Runs  # all of the study
    programs: Mapping[str, str]  # which program each explained run is, by its id
    blog: tuple[float, ...]  # the metric of the blog's CNN, one a seed
    notebook: tuple[float, ...]  # that of the notebook's
    gap: Interval  # of the mean difference
    contributions: tuple[Contribution, ...]

    @property
    def mean_gap(self) -> float:
        """Return the notebook's mean minus the blog's."""
        return float(np.mean(self.notebook) - np.mean(self.blog))


def explain(
    store: Store, study: str, metric: str = "test/accuracy", margin: object = None
) -> Explanation:
    """Explain the gap between both ends of a study of `sweeps=bridge`.

    An effect that is smaller than the margin does not matter; without one, that of an accuracy is
    0.002, and any other effect matters. The beginning of the study's name is enough. Raises
    UserError for an impossible margin, and if there is no such study, or it is no bridge, or has
    no seed with all its points.
    """
    smallest = _smallest_that_matters(margin, metric)
    selection = store.resolved(Selection(study=study))
    study, runs = str(selection.study), store.select(selection)
    differences = _differences(runs, study)
    ids = _points(runs, differences, metric)
    points = {seed: _values(runs, metric, at) for seed, at in ids.items()}
    forwards, backwards = bridge.ways(len(differences))
    wanted = {*forwards, *backwards}
    missing = {seed: len(wanted - set(measured)) for seed, measured in points.items()}
    seeds = tuple(seed for seed in sorted(points, key=groups.seed_order) if not missing[seed])
    if not seeds:
        counts = ", ".join(f"{n} of seed {seed}" for seed, n in sorted(missing.items())[:5])
        raise UserError(
            f"--study {study}: no seed has all {len(wanted)} points with a {metric}; "
            f"missing are {counts or 'all'}\nThe command of the study goes on with them"
        )
    measured = [points[seed] for seed in seeds]
    blog = tuple(values[forwards[0]] for values in measured)
    notebook = tuple(values[forwards[-1]] for values in measured)
    (gap,) = intervals([np.subtract(notebook, blog)])
    return Explanation(
        study=study,
        metric=metric,
        seeds=seeds,
        incomplete={seed: n for seed, n in missing.items() if n},
        blog=blog,
        notebook=notebook,
        gap=gap,
        contributions=_contributions(differences, measured),
        epochs=float(runs.params["bridge.epochs"].iloc[0]),
        margin=smallest,
        recorded=runs,
        programs={
            run_id: _program(point, differences)
            for seed in seeds
            for point, run_id in ids[seed].items()
            if point in wanted
        },
    )


def _smallest_that_matters(margin: object, metric: str) -> float | None:
    shares = statistics.is_share(metric)
    if margin is None:
        return _MARGIN if shares else None
    return checked_margin(margin, metric, shares=shares)


def _values(runs: Runs, metric: str, at: Mapping[Point, str]) -> Points:
    return {point: float(runs.metrics.at[run_id, metric]) for point, run_id in at.items()}


def _program(point: Point, differences: Sequence[bridge.Difference]) -> str:
    """Return `blog's CNN`, `notebook's CNN`, or the blog's with some of the notebook's values."""
    if len(point) == len(differences):
        return "notebook's CNN"
    bridged = ", ".join(differences[i].name for i in sorted(point))
    return f"blog's CNN with the notebook's {bridged}" if point else "blog's CNN"


def _contributions(
    differences: Sequence[bridge.Difference], measured: Sequence[Points]
) -> tuple[Contribution, ...]:
    """Return what each difference adds, given the points of each seed."""
    forwards, backwards = bridge.ways(len(differences))
    ways = []
    for k in range(len(differences)):
        forth = tuple(values[forwards[k + 1]] - values[forwards[k]] for values in measured)
        back = tuple(values[backwards[k]] - values[backwards[k + 1]] for values in measured)
        ways.append((forth, back))
    means = intervals([np.add(forth, back) / 2 for forth, back in ways])
    # A difference of rounding errors alone is none, though all seeds may share it.
    apart = [np.array(forth) - np.array(back) for forth, back in ways]
    gaps = intervals([values.round(12) for values in apart])
    return tuple(
        Contribution(
            difference=difference,
            forwards=forth,
            backwards=back,
            interval=interval,
            disagreement=gap,
        )
        for difference, (forth, back), interval, gap in zip(
            differences, ways, means, gaps, strict=True
        )
    )


def _is_shown(interval: Interval, seeds: int) -> bool:
    return statistics.verdict([interval], seeds, higher_is_better=True).is_difference


def intervals(samples: Sequence[statistics.Values]) -> list[Interval]:
    """Return an interval of each mean that excludes zero just where a verdict needs it.

    A verdict needs that two intervals exclude zero (docs/compare.md says why): from the lower of
    their lower ends to the higher of their higher ends, this interval contains both.
    """
    pairs = zip(
        statistics.intervals(samples), map(statistics.students_interval, samples), strict=True
    )
    return [
        replace(one, low=min(one.low, other.low), high=max(one.high, other.high))
        for one, other in pairs
    ]


def _differences(runs: Runs, study: str) -> tuple[bridge.Difference, ...]:
    """Return the differences that the study's runs bridge."""
    no_bridge = f"--study {study}: is no bridge between the tutorials, its runs have"
    keys = [difference.key for difference in bridge.differences(1, None)]
    if lacking := [key for key in (*keys, "bridge.epochs") if key not in runs.params]:
        raise UserError(f"{no_bridge} no {lacking[0]}")
    recorded = runs.params.iloc[0]
    epochs, limit = str(recorded["bridge.epochs"]), str(recorded.get("data.train_limit", "None"))
    try:
        return bridge.differences(
            float(epochs), None if decode(limit) in (None, "") else int(limit)
        )
    except (ValueError, OverflowError):  # of text that is no number, or one that no run has
        raise UserError(
            f"{no_bridge} bridge.epochs={epochs} and data.train_limit={limit}"
        ) from None


def _points(
    runs: Runs, differences: Sequence[bridge.Difference], metric: str
) -> dict[str, dict[Point, str]]:
    """Return {seed: {point: run id}}; a run with a value of neither tutorial is at no point."""
    points: dict[str, dict[Point, str]] = {}
    for run_id in groups.counted_runs(groups.statuses(runs, metric)):
        recorded = [decode(runs.params.at[run_id, d.key]) for d in differences]
        ends = [(_value(d.blog), _value(d.notebook)) for d in differences]
        if all(value in both for value, both in zip(recorded, ends, strict=True)):
            point = frozenset(i for i, both in enumerate(ends) if recorded[i] == both[1])
            seed = str(runs.info.at[run_id, "seed"])
            points.setdefault(seed, {})[point] = str(run_id)
    return points


def _value(choice: object) -> object:
    """Return the setting's value for a choice of the study, where None is `null`."""
    return None if choice == "null" else choice
