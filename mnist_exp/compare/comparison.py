"""All numbers of a comparison: groups, statistics, curves, test images, warnings. Nothing here writes or draws."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mnist_exp.compare import groups as grouping
from mnist_exp.compare import statistics
from mnist_exp.compare.groups import Group
from mnist_exp.compare.statistics import Agreement, Description, Difference
from mnist_exp.data import NUM_CLASSES
from mnist_exp.errors import UserError
from mnist_exp.outside.foreign_files import read_npz
from mnist_exp.outside.printing import plural
from mnist_exp.tracking.environment import read_hardware, read_packages
from mnist_exp.tracking.runs import (
    PREDICTIONS_BYTES,
    Predictions,
    Runs,
    Selection,
    Store,
    swept_keys,
)

SHOWN = 7  # groups beside the baseline that have curves and test images: as many as colours can tell apart
_MINIMISED = ("cost", "seconds", "epoch", "loss", "error")
_MOST_LEVELS = 12  # of a setting that are drawn one by one


@dataclass(frozen=True)
class Row:
    """One group's line of the table. `difference` and `agreement` are None of the baseline."""

    group: Group
    description: Description
    difference: Difference | None = None
    agreement: Agreement | None = None
    color: int | None = None  # 0 is the baseline; None: not among the groups shown


@dataclass(frozen=True)
class Curve:
    """One metric of one group per epoch: median, lowest and highest over its runs."""

    color: int
    label: str
    runs: int
    step: NDArray[np.int64]
    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Images:
    """Majority predictions [N] of the baseline and of a group over their seeds, on the same test images."""

    row: Row
    baseline_seeds: int
    group_seeds: int
    label: NDArray[np.integer]
    baseline: NDArray[np.integer]
    group: NDArray[np.integer]


@dataclass(frozen=True)
class Effect:
    """A setting that a study varies, and the metric of every counted run. `levels` are texts, one a run."""

    key: str
    levels: tuple[str, ...]
    values: tuple[float, ...]
    numeric: bool
    logarithmic: bool


@dataclass(frozen=True)
class Comparison:
    """`rows` from the best mean to the worst; `statuses` of all runs, counted or not."""

    title: str
    metric: str
    higher_is_better: bool
    runs: Runs
    statuses: pd.Series
    rows: tuple[Row, ...]
    empty: tuple[Group, ...]  # groups without a run that counts
    curves: dict[str, tuple[Curve, ...]] = field(default_factory=dict)
    images: tuple[Images, ...] = ()
    effects: tuple[Effect, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def baseline(self) -> Row:
        return next(row for row in self.rows if row.difference is None)

    @property
    def others(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.difference is not None)

    @property
    def shown(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.color is not None)


def compare(
    store: Store,
    selection: Selection,
    *,
    metric: str = "test/accuracy",
    group_by: Sequence[str] = (),
    baseline: str | None = None,
    higher_is_better: bool | None = None,
) -> Comparison:
    """Raises UserError where there is nothing to compare, or a name that the runs do not have."""
    runs = store.select(selection)
    if metric not in runs.metrics:
        from mnist_exp.errors import did_you_mean

        raise UserError(
            f"--metric {metric}: no selected run has it{did_you_mean(metric, runs.metrics)}\n"
            f"Metrics: {', '.join(m for m in sorted(runs.metrics) if not m.startswith('system/')) or 'none'}"
        )
    said = grouping.statuses(runs, metric)
    all_groups = grouping.make_groups(runs, said, metric, group_by)
    found = [group for group in all_groups if group.n]
    if not found:
        counts = ", ".join(f"{count} {status}" for status, count in said.value_counts().items())
        raise UserError(f"none of the {len(said)} runs selected by {selection} counts: {counts}")
    first = grouping.find_baseline(runs, all_groups, baseline)
    better = _is_maximised(metric) if higher_is_better is None else higher_is_better
    rows = _rows(found, found.index(all_groups[first]), better)
    shown = [row for row in rows if row.color is not None]
    images, notes = _images(store, runs, shown)
    rows = _with_agreement(rows, images)
    by_label = {row.group.label: row for row in rows}
    return Comparison(
        str(selection),
        metric,
        better,
        runs,
        said,
        tuple(rows),
        tuple(group for group in all_groups if not group.n),
        {name: _curves(store, shown, name) for name in _curve_metrics(runs, metric)},
        tuple(replace(pair, row=by_label[pair.row.group.label]) for pair in images),
        _effects(runs, said, metric),
        (*notes, *_warnings(store, runs, said, rows, shown)),
    )


def _is_maximised(metric: str) -> bool:
    return not any(word in metric.rpartition("/")[2] for word in _MINIMISED)


def _rows(found: Sequence[Group], first: int, higher_is_better: bool) -> list[Row]:
    described = statistics.describe([np.array(list(group.values.values())) for group in found])
    others = [i for i in range(len(found)) if i != first]
    paired = statistics.differences(
        dict(found[first].values), [dict(found[i].values) for i in others], higher_is_better
    )
    difference = dict(zip(others, paired, strict=True))
    order = sorted(
        range(len(found)), key=lambda i: described[i].mean * (-1 if higher_is_better else 1)
    )
    shown = [i for i in order if i != first][:SHOWN]
    color = {first: 0, **{i: rank + 1 for rank, i in enumerate(shown)}}
    return [Row(found[i], described[i], difference.get(i), None, color.get(i)) for i in order]


def _with_agreement(rows: Sequence[Row], images: Sequence[Images]) -> list[Row]:
    """McNemar's test for each group whose predictions were read, Holm-adjusted over those."""
    tests = [statistics.agreement(pair.label, pair.baseline, pair.group) for pair in images]
    adjusted = statistics.holm([test.p for test in tests])
    found = {
        pair.row.group.label: replace(test, p_holm=p)
        for pair, test, p in zip(images, tests, adjusted, strict=True)
    }
    return [replace(row, agreement=found.get(row.group.label)) for row in rows]


def _images(store: Store, runs: Runs, shown: Sequence[Row]) -> tuple[list[Images], list[str]]:
    """(the baseline with each other group shown that saw the same test images, warnings)."""
    notes: list[str] = []
    votes = {}
    lacking = 0
    for row in shown:
        read = [(run, _predictions(store, runs, run)) for run in row.group.run_ids]
        there = [p for _, p in read if p is not None]
        alike = [p for p in there if np.array_equal(p.label, there[0].label)]
        lacking += len(read) - len(there)
        if len(alike) < len(there):
            notes.append(
                f"{row.group.label}: its runs were tested on different images, so they are not compared on them"
            )
        elif alike:
            votes[row.group.label] = (
                alike[0].label,
                statistics.majority(
                    np.stack([p.prediction for p in alike]),
                    np.stack([p.probability for p in alike]),
                ),
                len(alike),
            )
    if lacking:
        total = sum(len(row.group.run_ids) for row in shown)
        notes.append(
            f"{lacking} of {plural(total, 'run')} have no predictions/test.npz that can be read"
        )
    first = next(row for row in shown if row.color == 0)
    pairs = []
    for row in shown:
        if row is first or row.group.label not in votes or first.group.label not in votes:
            continue
        (labels, one, n_one), (other_labels, other, n_other) = (
            votes[first.group.label],
            votes[row.group.label],
        )
        if np.array_equal(labels, other_labels):
            pairs.append(Images(row, n_one, n_other, labels, one, other))
        else:
            notes.append(f"{row.group.label} was tested on other images than {first.group.label}")
    return pairs, notes


def _predictions(store: Store, runs: Runs, run_id: str) -> Predictions | None:
    content = store.artifact(runs, run_id, "predictions/test.npz")
    if content is None:
        return None
    arrays = {"label": ("iu", 1), "prediction": ("iu", 1), "probability": ("f", 2)}
    try:
        read = read_npz(content, arrays, PREDICTIONS_BYTES)
    except ValueError:
        return None
    label, prediction, probability = (read[name] for name in arrays)
    fits = (
        label.shape == prediction.shape == probability.shape[:1]
        and probability.shape[1] == NUM_CLASSES
    )
    digits = all(((values >= 0) & (values < NUM_CLASSES)).all() for values in (label, prediction))
    return (
        Predictions(label, prediction, probability)
        if fits and digits and np.isfinite(probability).all()
        else None
    )


def _curve_metrics(runs: Runs, metric: str) -> list[str]:
    """Cost and accuracy, and the metric compared where it is neither."""
    wanted = ["train/cost", "test/accuracy" if metric == "train/cost" else metric]
    if metric not in ("train/cost", "test/accuracy", "val/accuracy", "train/accuracy"):
        wanted.insert(1, "test/accuracy")
    return [
        name
        for name in dict.fromkeys(wanted)
        if name in runs.metrics and not name.startswith("best/")
    ]


def _curves(store: Store, shown: Sequence[Row], metric: str) -> tuple[Curve, ...]:
    history = store.history([run for row in shown for run in row.group.run_ids], metric)
    curves = []
    for row in shown:
        of_group = history[history["run_id"].isin(row.group.run_ids)].groupby("step")["value"]
        if len(of_group):
            table = of_group.agg(["median", "min", "max"]).sort_index()
            curves.append(
                Curve(
                    row.color or 0,
                    row.group.label,
                    len(row.group.run_ids),
                    table.index.to_numpy(),
                    table["median"].to_numpy(),
                    table["min"].to_numpy(),
                    table["max"].to_numpy(),
                )
            )
    return tuple(curves)


def _effects(runs: Runs, said: pd.Series, metric: str) -> tuple[Effect, ...]:
    """Only where a study varies several settings; each over all counted runs, whatever the others were."""
    counted = said[said == "counted"].index
    effects = []
    for key in swept_keys(runs):
        if key not in runs.params:
            continue
        levels = grouping.column(runs, key).loc[counted]
        if levels.nunique() < 2:
            continue
        numbers = pd.to_numeric(levels, errors="coerce")
        numeric = bool(np.isfinite(numbers).all()) and not levels.isin(["True", "False"]).any()
        many = levels.nunique() > _MOST_LEVELS
        if many and not numeric:
            continue
        logarithmic = (
            numeric and bool((numbers > 0).all()) and float(numbers.max() / numbers.min()) >= 20
        )
        effects.append(
            Effect(
                key,
                tuple(levels),
                tuple(map(float, runs.metrics.loc[counted, metric])),
                numeric,
                logarithmic,
            )
        )
    return tuple(effects) if len(effects) > 1 else ()


def _warnings(
    store: Store, runs: Runs, said: pd.Series, rows: Sequence[Row], shown: Sequence[Row]
) -> list[str]:
    """What differs between the runs although it is no setting: data, code, packages, machine."""
    counted = said[said == "counted"].index
    lines = []
    for tag, what in (("data.digest", "data"), ("git.commit", "code (git commit)")):
        if tag in runs.tags and runs.tags.loc[counted, tag].nunique() > 1:
            lines.append(f"{what} differs: {_counts(runs.tags.loc[counted, tag].str.slice(0, 12))}")
    if "git.dirty" in runs.tags and (
        dirty := int((runs.tags.loc[counted, "git.dirty"] == "true").sum())
    ):
        lines.append(f"{plural(dirty, 'run')} had changes in the code that were not committed")
    read = [run for row in shown for run in row.group.run_ids]
    for path, parse in (("env/packages.txt", read_packages), ("env/hardware.json", read_hardware)):
        contents = {run: store.artifact(runs, run, path) for run in read}
        parsed = {c: parse(c) for c in set(contents.values()) if c is not None}
        table = pd.DataFrame.from_dict(
            {run: parsed[c] for run, c in contents.items() if c is not None}, orient="index"
        ).fillna("none")
        changed = [name for name in table if table[name].nunique() > 1]
        lines += [f"{name} differs: {_counts(table[name])}" for name in changed[:10]]
        if len(changed) > 10:
            lines.append(f"{len(changed) - 10} more entries of {path} differ")
    pooled = [row for row in rows if row.group.configs > 1]
    if pooled:
        lines.append(
            f"{plural(len(pooled), 'group')} of several configs each: a seed's value is the mean of its runs, "
            "and what else differs between the groups is not held fixed"
        )
    return lines


def _counts(values: pd.Series) -> str:
    counts = values.value_counts()
    shown = ", ".join(
        f"{str(value)[:60]} ({plural(int(count), 'run')})"
        for value, count in counts.head(4).items()
    )
    return shown + (f" and {len(counts) - 4} more" if len(counts) > 4 else "")
