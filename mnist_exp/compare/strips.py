"""Figures of one row a group: a dot for each seed or pair, the mean and its interval below."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from mnist_exp.compare import svg, words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.differences import Difference
from mnist_exp.compare.rows import Row
from mnist_exp.compare.scales import Scale, ScaleKind, Span, difference_scale, plain, value_scale
from mnist_exp.compare.statistics import Interval, Verdict
from mnist_exp.outside.printing import plural

ERROR_SCALE = "Log scale of 1 \N{MINUS SIGN} accuracy"
MOST_ROWS = 30
_MOST_DOTS = 500  # of a row
_HEIGHT = 38  # of a row, in pixels
_DOTS_AT, _INTERVAL_AT = 13, 31  # pixels from the top of a row
SHIFTS = (0, -6, 6, -3, 3)  # of dots one after the other, so that equal ones can be told apart


@dataclass(frozen=True, kw_only=True)
class StripRow:
    """One row: a name with a note, the strip, a number."""

    color: str  # a CSS class
    name: str
    note: str
    picture: Markup
    number: str
    is_group: bool = False  # of runs: its name hides it in all figures of the page
    is_baseline: bool = False
    verdict: str = ""

    @property
    def verdict_class(self) -> str:
        """Return the CSS class of the verdict's colour."""
        return verdict_class(self.verdict)


@dataclass(frozen=True, kw_only=True)
class Strips:
    """Rows on the same scale."""

    rows: tuple[StripRow, ...]
    axis: Markup
    scale_note: str = ""  # what to know of the scale, as a sentence


def verdict_class(verdict: str) -> str:
    """Return the CSS class of a verdict's colour, or of `baseline` in its place."""
    kind = verdict.partition(" within ")[0]  # of equivalence, without its margin
    return kind if kind in (Verdict.BETTER, Verdict.WORSE, Verdict.EQUIVALENT, "baseline") else "no"


def seeds(comparison: Comparison) -> Strips:
    """Return a dot for each seed of a group, with the mean; from the best mean to the worst."""
    rows = _drawn(comparison)
    spans = [_span(row.group.values.values(), row.description.interval) for row in rows]
    scale = value_scale(spans, comparison.metric)
    drawn = []
    for row in rows:
        described = row.description
        values = [(v, f"{row.group.named(key)}: {v:.6g}") for key, v in row.group.values.items()]
        marks = [*dots(scale, values), *mean_mark(scale, described.mean, described.interval)]
        drawn.append(
            StripRow(
                color=_color_class(row),
                name=row.group.label,
                is_group=True,
                note=f"n = {described.n}, {_method(described.interval)}" + _count_note(described.n),
                picture=svg.strip(marks, scale, _HEIGHT),
                number=words.value(described.mean, comparison.metric),
                is_baseline=row.is_baseline,
            )
        )
    return Strips(rows=tuple(drawn), axis=svg.strip_axis(scale), scale_note=_scale_note(scale))


def differences(comparison: Comparison) -> Strips | None:
    """Return a dot for each pair, with the mean; right of zero is more than the baseline.

    Groups that are not paired have no dots. None if nothing is compared.
    """
    compared = [
        (row, row.difference)
        for row in _drawn(comparison)
        if row.difference is not None and row.difference.is_compared
    ]
    if not compared:
        return None
    scale = difference_scale(
        [difference.mean for _, difference in compared],
        [
            _span([*difference.values, difference.mean], difference.interval)
            for _, difference in compared
        ],
    )
    drawn = []
    for row, difference in compared:
        pairs = zip(difference.seeds, difference.values, strict=True)
        values = [(v, f"seed {seed}: {v:+.6g}") for seed, v in pairs]
        mean = mean_mark(scale, difference.mean, difference.interval, sign="+")
        marks = [*dots(scale, values), *mean]
        drawn.append(
            StripRow(
                color=_color_class(row),
                name=row.group.label,
                is_group=True,
                note=f"{_compared(difference)}, {_method(difference.interval)}"
                + _count_note(len(values)),
                picture=svg.strip(marks, scale, _HEIGHT, zero=True),
                number=words.difference(difference.mean, comparison.metric),
                verdict=words.verdict(difference.verdict, comparison),
            )
        )
    return Strips(rows=tuple(drawn), axis=svg.strip_axis(scale), scale_note=_scale_note(scale))


def _compared(difference: Difference) -> str:
    """Return `5 pairs`, or `5 and 4 runs` of the group and the baseline if they are not paired."""
    if difference.is_paired:
        return plural(len(difference.values), "pair")
    return f"{difference.sizes[0]} and {plural(difference.sizes[1], 'run')}"


def _drawn(comparison: Comparison) -> list[Row]:
    """Return the rows with the best means, and the baseline."""
    return [row for i, row in enumerate(comparison.rows) if i < MOST_ROWS or row.is_baseline]


def _span(values: Iterable[float], interval: Interval) -> Span:
    """Return the smallest and the largest of the values and of the interval's ends."""
    ends = [*values, *(end for end in (interval.low, interval.high) if not math.isnan(end))]
    return min(ends), max(ends)


def _scale_note(scale: Scale) -> str:
    """Return what to know of the scale, as a sentence; nothing of a linear one."""
    if scale.cut is not None:
        ends = " to ".join(f"{end:.3g}".replace("-", "\N{MINUS SIGN}") for end in scale.cut)
        return f"The axis is broken: it leaves out {ends}."
    if scale.kind is ScaleKind.ASINH:
        near = plain(float(f"{scale.unit:.1g}"))
        return (
            f"The axis is linear within \N{PLUS-MINUS SIGN}{near} and logarithmic "
            "beyond, so that small and large differences are both seen: its ticks are not evenly "
            "far apart in value."
        )
    return f"{ERROR_SCALE}." if scale.kind is ScaleKind.ERROR else ""


def _method(interval: Interval) -> str:
    return interval.method if interval.exists else "no interval"


def _color_class(row: Row) -> str:
    return "other" if row.color is None else f"s{row.color}"


def dots(
    scale: Scale, values: Iterable[tuple[float, str]], *, middle: float = _DOTS_AT
) -> list[Markup]:
    """Return a dot for each (value, title); dots near each other are set apart vertically.

    Of very many values, the smallest, the largest, and as many as can be seen between them.
    """
    ordered = sorted(values)
    if len(ordered) > _MOST_DOTS:
        ordered = [ordered[i] for i in np.linspace(0, len(ordered) - 1, _MOST_DOTS).astype(int)]
    return [
        svg.dot(svg.percent(scale, value), middle + SHIFTS[i % len(SHIFTS)], title)
        for i, (value, title) in enumerate(ordered)
    ]


def _count_note(count: int) -> str:
    """Return what to add to a row's note if not all of its values are drawn."""
    return f", {_MOST_DOTS} drawn" if count > _MOST_DOTS else ""


def mean_mark(
    scale: Scale,
    mean: float,
    interval: Interval | None,
    *,
    middle: float = _INTERVAL_AT,
    sign: str = "-",
) -> list[Markup]:
    """Return a stroke for the mean with its numbers, and a line for its interval if there is one.

    With the `sign` `+` numbers above zero have one, too.
    """
    x = svg.percent(scale, mean)
    title = f"mean: {mean:{sign}.6g}"
    marks = []
    if interval is not None and interval.exists:
        title += f" (95% interval {interval.low:{sign}.6g} to {interval.high:{sign}.6g})"
        low = svg.percent(scale, max(interval.low, scale.low))
        high = svg.percent(scale, min(interval.high, scale.high))
        marks.append(svg.line("interval", x=(low, high), y=(middle, middle)))
    return [*marks, svg.line("mean", x=(x, x), y=(middle - 5, middle + 5), title=title)]
