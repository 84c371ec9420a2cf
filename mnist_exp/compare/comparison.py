"""All numbers of a comparison: groups, statistics, curves, test images, warnings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from mnist_exp.compare import groups as grouping
from mnist_exp.compare import provenance, scored_images
from mnist_exp.compare.baseline import find_baseline
from mnist_exp.compare.columns import with_used_settings
from mnist_exp.compare.curves import Curve, learning_curves
from mnist_exp.compare.directions import direction_notes, is_maximised
from mnist_exp.compare.effects import Effect, setting_effects
from mnist_exp.compare.frames import curve_notes, to_runs
from mnist_exp.compare.groups import Group, counted_runs
from mnist_exp.compare.labels import common_ending
from mnist_exp.compare.margins import checked_margin
from mnist_exp.compare.metrics import chosen_metric, has_shares, metrics_of, mixed_kinds
from mnist_exp.compare.parents import joined, unselected_parents, with_parents_settings
from mnist_exp.compare.predictions import paired_predictions
from mnist_exp.compare.question import Question
from mnist_exp.compare.rows import Row, make_rows, with_margin, with_predictions
from mnist_exp.compare.seeds import with_seeds
from mnist_exp.compare.settings_that_tell import without_names
from mnist_exp.compare.source import Source, TableOnly
from mnist_exp.errors import UserError
from mnist_exp.tracking.runs import Runs, Selection, Store

_ANYTHING = Question()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was compared, and everything that a table, a file or a page shows of it."""

    title: str  # the selection of runs, in words
    uri: str  # of the store
    metric: str
    higher_is_better: bool
    runs: Runs
    statuses: pd.Series  # of every run: that it counts, or why not
    rows: tuple[Row, ...]  # from the best mean to the worst
    empty: tuple[Group, ...]  # groups without a run that counts
    curves: Mapping[str, tuple[Curve, ...]]  # by metric
    effects: tuple[Effect, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()  # how the runs were read, as sentences
    ending: str = ""  # of the names of all groups, left out of their labels
    margin: float | None = None  # the smallest difference that matters, if it was given

    @property
    def baseline(self) -> Row:
        """Return the row of the group that the others are compared with."""
        return next(row for row in self.rows if row.is_baseline)

    @property
    def is_table(self) -> bool:
        """Return whether the runs are the rows of a table, not of an MLflow store."""
        return not self.uri

    @cached_property  # each cell of the page's table asks
    def has_shares(self) -> bool:
        """Return whether the values are shares of images or examples, between 0 and 1."""
        values = [value for row in self.rows for value in row.group.values.values()]
        known = pd.Series(values, dtype=float)
        return has_shares(self.metric, known, in_percent=self.runs.in_percent)

    @property
    def is_foreign(self) -> bool:
        """Return whether other programs made the runs, which may be of anything but images."""
        return len(self.runs.info) > 0 and "config_hash" not in self.runs.tags

    @property
    def others(self) -> tuple[Row, ...]:
        """Return the rows of all groups but the baseline."""
        return tuple(row for row in self.rows if not row.is_baseline)

    @property
    def shown(self) -> tuple[Row, ...]:
        """Return the rows of the groups that have a colour: curves and test images are theirs."""
        return tuple(row for row in self.rows if row.color is not None)

    def against(self, margin: float | str) -> "Comparison":
        """Return it with tests of equivalence within the margin, and with the seeds needed.

        Raises UserError if the margin is no possible difference of the metric.
        """
        size = checked_margin(margin, self.metric, shares=self.has_shares)
        return replace(self, margin=size, rows=tuple(with_margin(self.rows, size)))


def compare(store: Store, selection: Selection, question: Question = _ANYTHING) -> Comparison:
    """Compare groups of the selected runs with a baseline.

    Raises UserError if there is nothing to compare, or for a name that the runs do not have.
    """
    selection = store.resolved(selection)
    return compare_selected(store, store.select(selection), str(selection), question)


def compare_selected(
    store: Store, runs: Runs, title: str, question: Question = _ANYTHING
) -> Comparison:
    """Compare groups of runs that were read from the store, as `compare` does.

    `title` says which runs they are.
    """
    runs = with_used_settings(runs)
    runs = with_parents_settings(runs, _parents_elsewhere(store, runs))
    metric = chosen_metric(metrics_of(runs), question.metric)
    return _compared(runs, replace(question, metric=metric), title, store)


def _parents_elsewhere(store: Store, runs: Runs) -> Runs | None:
    """Return the parents that a filter has left out, or ids have not named; None if none is there.

    This project's own runs have all their settings themselves.
    """
    if "config_hash" in runs.tags:
        return None
    above, lacking = [], unselected_parents(runs)
    while lacking and (found := store.those_of(lacking)):  # without those that were deleted
        above.append(found)
        seen = runs.info.index.union(pd.concat([each.info for each in above]).index)
        lacking = [parent for parent in unselected_parents(found) if parent not in seen]
    return joined(above) if above else None


def compare_table(table: pd.DataFrame, title: str, question: Question = _ANYTHING) -> Comparison:
    """Compare groups of the rows of a table, each of which is a run: see `frames.to_runs`.

    Raises UserError as `compare` does, and for a table that is none of runs.
    """
    runs, metric = to_runs(table, question.metric, title)
    found = _compared(runs, replace(question, metric=metric), title, TableOnly())
    return replace(found, warnings=(*curve_notes(table), *found.warnings))


def _compared(runs: Runs, question: Question, title: str, source: Source) -> Comparison:
    """Return the comparison of runs, whoever made them; the question names the metric."""
    metric = str(question.metric)
    runs, notes = with_seeds(runs, question.seed)
    if not question.group_by:
        runs, left_out = without_names(runs, of_table=isinstance(source, TableOnly))
        notes += left_out
    statuses = grouping.statuses(runs, metric)
    _require_counted(statuses, title)
    sorted_runs = _sorted_runs(runs, statuses, question)
    counted = [group for group in sorted_runs.groups if group.n]
    better = question.higher_is_better
    if better is None:
        better = is_maximised(metric)
        notes += direction_notes(metric)
    rows = make_rows(
        counted,
        counted.index(sorted_runs.base),
        higher_is_better=better,
        shares=has_shares(metric, runs.metrics[metric], in_percent=runs.in_percent),
        on_others=sorted_runs.on_others,
    )
    shown = [row for row in rows if row.color is not None]
    pairs, unread = paired_predictions(source, runs, sorted_runs.base, [row.group for row in shown])
    statuses = sorted_runs.statuses
    counted_values = runs.metrics.loc[grouping.counted_runs(statuses), metric]
    mixed = mixed_kinds(metric, counted_values, in_percent=runs.in_percent)
    told = provenance.warnings(source, runs, statuses, rows)
    comparison = Comparison(
        title=title,
        uri=source.uri,
        metric=metric,
        higher_is_better=better,
        runs=runs,
        statuses=statuses,
        rows=tuple(with_predictions(rows, pairs)),
        empty=tuple(group for group in sorted_runs.groups if not group.n),
        ending=sorted_runs.ending,
        curves=learning_curves(source, runs, shown, metric),
        effects=setting_effects(runs, statuses, metric),
        notes=tuple(notes),
        warnings=(*mixed, *sorted_runs.notes, *unread, *told),
    )
    return comparison if question.margin is None else comparison.against(question.margin)


def _require_counted(statuses: pd.Series, title: str) -> None:
    """Raise UserError if no run counts."""
    if not counted_runs(statuses).size:
        counts = statuses.value_counts().items()
        listed = ", ".join(f"{count} {kind}" for kind, count in counts)
        raise UserError(f"no run selected by {title} counts: {listed}")


@dataclass(frozen=True, kw_only=True)
class _SortedRuns:
    """The groups and their baseline, where runs that were scored on other images do not count."""

    statuses: pd.Series
    groups: list[Group]
    base: Group
    on_others: set[str]  # the labels of groups that were scored on other images as a whole
    ending: str  # of all groups' names, left out of their labels
    notes: list[str]


def _sorted_runs(runs: Runs, statuses: pd.Series, question: Question) -> _SortedRuns:
    """Sort the runs into groups, and choose the baseline and the images that are compared.

    These are the images of the described baseline, or else those of most groups. Raises UserError
    for a name that the runs do not have.
    """
    metric, baseline = str(question.metric), question.baseline
    groups = grouping.make_groups(runs, statuses, metric, question.group_by)
    images = scored_images.scored_images(runs, metric)
    described = [] if baseline is None else [groups[find_baseline(runs, groups, baseline)]]
    chosen = scored_images.most_used(images, described or groups)
    compared = scored_images.without_others(statuses, images, groups, chosen)
    if not compared.equals(statuses):
        statuses = compared
        groups = grouping.make_groups(runs, statuses, metric, question.group_by)
    ending = common_ending([group.label for group in groups])
    groups = [replace(group, label=group.label.removesuffix(ending)) for group in groups]
    on_others = {group.label for group in groups if scored_images.on_others(images, group, chosen)}
    same = [group for group in groups if group.label not in on_others]
    base = same[find_baseline(runs, same, baseline)]
    notes = [f"{label}: scored on other images than {base.label}" for label in sorted(on_others)]
    return _SortedRuns(
        statuses=statuses,
        groups=groups,
        base=base,
        on_others=on_others,
        ending=ending,
        notes=[*notes, *scored_images.notes(runs, statuses, images, chosen)],
    )
