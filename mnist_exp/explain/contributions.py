"""Compute what each difference between the tutorials' CNNs adds to the metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mnist_exp.compare import groups, statistics
from mnist_exp.compare.labels import tidy
from mnist_exp.compare.margins import checked_margin
from mnist_exp.compare.metrics import chosen_metric, metrics_of
from mnist_exp.compare.paired_effects import MARGIN, PairedEffect
from mnist_exp.config import bridge
from mnist_exp.errors import UserError
from mnist_exp.tracking.params import decode
from mnist_exp.tracking.runs import Runs, Selection, Store

Point = frozenset[int]  # which differences have the notebook's value
Points = Mapping[Point, float]  # the metric at each

_NO_BRIDGE = "study {}: is no bridge between the tutorials, its runs have"
_HOW = "\n`python -m mnist_exp -m sweeps=bridge` makes one; `compare` takes any study"


@dataclass(frozen=True, kw_only=True)
class Contribution(PairedEffect):
    """What one difference adds to the metric; the mean of both ways is the effect.

    The mean over all orders in which differences can be bridged is the Shapley value (Shapley
    1953); two opposite orders are an antithetic sample of them (Mitchell et al., JMLR 23 (2022)
    43).
    """

    key: str  # the setting or group
    forwards: tuple[float, ...]  # one a seed, on the way from the blog's CNN to the notebook's
    backwards: tuple[float, ...]  # one a seed, on the way back

    @cached_property
    def disagreement(self) -> PairedEffect:
        """Return how much more it adds forwards than backwards."""
        # A difference of rounding errors alone is none, though all seeds may share it.
        apart = np.subtract(self.forwards, self.backwards).round(12)
        return PairedEffect(
            name=self.name, before="backwards", after="forwards", values=tuple(map(float, apart))
        )


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
    contributions: tuple[Contribution, ...]

    @cached_property
    def gap(self) -> PairedEffect:
        """Return what the notebook's CNN has more than the blog's."""
        values = np.subtract(self.notebook, self.blog)
        return PairedEffect(
            name="gap",
            before="blog's CNN",
            after="notebook's CNN",
            values=tuple(map(float, values)),
        )


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
    metric = chosen_metric(metrics_of(runs), metric)
    ids = _points(runs, differences, metric)
    points = {seed: _values(runs, metric, at) for seed, at in ids.items()}
    forwards, backwards = bridge.ways(len(differences))
    wanted = {*forwards, *backwards}
    missing = {seed: len(wanted - set(measured)) for seed, measured in points.items()}
    seeds = tuple(seed for seed in sorted(points, key=groups.seed_order) if not missing[seed])
    if not points and len(groups.counted_runs(groups.statuses(runs, metric))):
        raise UserError(f"{_NO_BRIDGE.format(study)} other settings{_HOW}")
    if not seeds:
        counts = ", ".join(f"{n} of seed {seed}" for seed, n in sorted(missing.items())[:5])
        raise UserError(
            f"study {study}: no seed has all {len(wanted)} points with a {metric}; "
            f"missing are {counts or 'all'}\nThe command of the study goes on with them"
        )
    measured = [points[seed] for seed in seeds]
    blog = tuple(values[forwards[0]] for values in measured)
    notebook = tuple(values[forwards[-1]] for values in measured)
    return Explanation(
        study=study,
        metric=metric,
        seeds=seeds,
        incomplete={seed: n for seed, n in missing.items() if n},
        blog=blog,
        notebook=notebook,
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
        return MARGIN if shares else None
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
    return tuple(
        Contribution(
            name=difference.name,
            key=difference.key,
            before=tidy(str(difference.blog)),
            after=tidy(str(difference.notebook)),
            values=tuple((a + b) / 2 for a, b in zip(forth, back, strict=True)),
            forwards=forth,
            backwards=back,
        )
        for difference, (forth, back) in zip(differences, ways, strict=True)
    )


def _differences(runs: Runs, study: str) -> tuple[bridge.Difference, ...]:
    """Return the differences that the study's runs bridge."""
    keys = [difference.key for difference in bridge.differences(1, None)]
    recorded = runs.params.apply(lambda texts: texts.dropna().iloc[0], axis=0)
    if lacking := [key for key in (*keys, "bridge.epochs") if key not in recorded]:
        raise UserError(f"{_NO_BRIDGE.format(study)} no {lacking[0]}{_HOW}")
    epochs, limit = str(recorded["bridge.epochs"]), str(recorded.get("data.train_limit", "None"))
    try:
        return bridge.differences(
            float(epochs), None if decode(limit) in (None, "") else int(limit)
        )
    except (ValueError, OverflowError):  # of text that is no number, or one that no run has
        raise UserError(
            f"{_NO_BRIDGE.format(study)} bridge.epochs={epochs} and data.train_limit={limit}{_HOW}"
        ) from None


def _points(
    runs: Runs, differences: Sequence[bridge.Difference], metric: str
) -> dict[str, dict[Point, str]]:
    """Return {seed: {point: run id}}; a run with a value of neither tutorial is at no point."""
    points: dict[str, dict[Point, str]] = {}
    for run_id in groups.counted_runs(groups.statuses(runs, metric)):
        texts = runs.params.loc[run_id, [d.key for d in differences]]
        if texts.isna().any():  # a setting that its network does not have
            continue
        recorded = list(map(decode, texts))
        ends = [(_value(d.blog), _value(d.notebook)) for d in differences]
        if all(value in both for value, both in zip(recorded, ends, strict=True)):
            point = frozenset(i for i, both in enumerate(ends) if recorded[i] == both[1])
            seed = str(runs.info.at[run_id, "seed"])
            points.setdefault(seed, {})[point] = str(run_id)
    return points


def _value(choice: object) -> object:
    """Return the setting's value for a choice of the study, where None is `null`."""
    return None if choice == "null" else choice
