"""Figures with two axes: learning curves, and the effect of each setting of a study."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mnist_exp.compare import svg, words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.curves import Curve
from mnist_exp.compare.effects import MOST_LEVELS, Effect
from mnist_exp.compare.labels import all_tidy
from mnist_exp.compare.scales import Scale, ScaleKind, accuracy_kind, scale_of
from mnist_exp.compare.strips import ERROR_SCALE, StripRow, Strips, dots, mean_mark
from mnist_exp.outside.printing import plural
from mnist_exp.tracking.metric_names import STEP_CURVES

_MARKED = 30  # epochs; curves with more have no marker at each
_SCALE_NOTES = {ScaleKind.LOG: "log scale", ScaleKind.ERROR: ERROR_SCALE.lower()}
_HEIGHT = 32  # of a level's row, in pixels
_DOTS_AT, _MEAN_AT = 10, 25  # pixels from the top of a row


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A picture with a title and a note beside it."""

    title: str
    note: str
    picture: Markup


def learning_curves(comparison: Comparison) -> list[Drawing]:
    """Return a drawing for each metric with curves."""
    usual = "step" if comparison.is_foreign else "epoch"  # MLflow records a number, not of what
    return [
        _curves(metric, curves, "training step" if metric in STEP_CURVES else usual)
        for metric, curves in comparison.curves.items()
    ]


def _curves(metric: str, curves: Sequence[Curve], unit: str) -> Drawing:
    """Draw the median over runs as a line, from the lowest to the highest run as a band."""
    values = [float(v) for curve in curves for part in (curve.low, curve.high) for v in part]
    is_log = metric.endswith("cost") and min(values) > 0
    kind = ScaleKind.LOG if is_log else accuracy_kind(values, metric)
    steps = [int(step) for curve in curves for step in curve.step]
    room = 0.02 * (max(steps) - min(steps)) or 1
    chart = svg.Chart(
        x=Scale(low=min(steps) - room, high=max(steps) + room),
        y=scale_of(values, kind),
        x_label=unit,
    )
    ordered = sorted(curves, key=lambda curve: -curve.color)  # the baseline on top
    bands = [_band(chart, curve) for curve in ordered if curve.runs > 1]
    lines = [_line(chart, curve, unit) for curve in ordered]
    description = f"{metric} over {unit}s of {plural(len(curves), 'group')}"
    picture = chart.draw([*bands, *lines], description, whole_x=True)
    return Drawing(title=metric, note=_SCALE_NOTES.get(kind, ""), picture=picture)


def _band(chart: svg.Chart, curve: Curve) -> Markup:
    named = {"data_group": curve.label}
    if len(curve.step) == 1:
        x, low = chart.point(curve.step[0], curve.low[0])
        _, high = chart.point(curve.step[0], curve.high[0])
        ends = (f"{low:.2f}", f"{high:.2f}")
        stroke = svg.line(f"range s{curve.color}", x=(f"{x:.2f}", f"{x:.2f}"), y=ends)
        return svg.element("g", stroke, **named)
    high_points = [chart.point(s, v) for s, v in zip(curve.step, curve.high, strict=True)]
    low_points = [chart.point(s, v) for s, v in zip(curve.step, curve.low, strict=True)]
    points = _path(high_points + low_points[::-1])
    return svg.element("polygon", class_=f"band s{curve.color}", points=points, **named)


def _line(chart: svg.Chart, curve: Curve, unit: str) -> Markup:
    points = [chart.point(s, v) for s, v in zip(curve.step, curve.middle, strict=True)]
    marks = []
    if len(points) <= _MARKED:
        marks = [svg.marker(curve.color, f"{x:.2f}", f"{y:.2f}") for x, y in points]
    line = svg.element(
        "polyline",
        class_="line",
        points=_path(points),
        stroke_dasharray=svg.DASHES[curve.color],
        data_titles="\n".join(_titles(curve, unit)),
    )
    return svg.element("g", line, *marks, class_=f"s{curve.color}", data_group=curve.label)


def _titles(curve: Curve, unit: str) -> list[str]:
    """Return what the page shows at each point of a curve."""
    values = zip(curve.step, curve.middle, curve.low, curve.high, strict=True)
    if curve.runs == 1:
        return [f"{unit} {step}: {middle:.6g}" for step, middle, _, _ in values]
    return [
        f"{unit} {step}: {middle:.6g} ({low:.6g} to {high:.6g})"
        for step, middle, low, high in values
    ]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def effects(comparison: Comparison) -> list[tuple[str, Strips | Markup]]:
    """Return each setting with a row for each of its values, or a chart where there are many.

    All are on the same scale of the metric, and the largest range of means comes first.
    """
    values = [value for effect in comparison.effects for value in effect.values]
    scale = scale_of(values, accuracy_kind(values, comparison.metric))
    ordered = sorted(comparison.effects, key=lambda effect: effect.range_of_means, reverse=True)
    return [(effect.key, _effect(effect, comparison, scale)) for effect in ordered]


def _effect(effect: Effect, comparison: Comparison, scale: Scale) -> Strips | Markup:
    levels = list(dict.fromkeys(effect.levels))
    titles = _run_titles(effect, comparison)
    if len(levels) > MOST_LEVELS:
        return _effect_chart(effect, titles, comparison.metric, scale)
    if effect.numeric:
        levels.sort(key=float)
    runs = list(zip(effect.levels, effect.values, titles, strict=True))
    rows, shown = [], all_tidy(levels)
    for level in levels:
        titled = [(value, title) for level_of_run, value, title in runs if level_of_run == level]
        rows.append(_level(shown[level], titled, comparison.metric, scale))
    return Strips(rows=tuple(rows), axis=svg.strip_axis(scale))


def _run_titles(effect: Effect, comparison: Comparison) -> list[str]:
    """Return for each run its group, seed and value."""
    groups = {run_id: row.group.label for row in comparison.rows for run_id in row.group.run_ids}
    seeds = comparison.runs.info["seed"]
    return [
        f"{groups[run_id]}, seed {seeds[run_id]}: {value:.6g}"
        for run_id, value in zip(effect.run_ids, effect.values, strict=True)
    ]


def _level(name: str, values: Sequence[tuple[float, str]], metric: str, scale: Scale) -> StripRow:
    """Return a dot for each run at one value of the setting, and their mean."""
    mean = sum(value for value, _ in values) / len(values)
    marks = [*dots(scale, values, middle=_DOTS_AT), *mean_mark(scale, mean, None, middle=_MEAN_AT)]
    return StripRow(
        color="other",
        name=name,
        note=plural(len(values), "run"),
        picture=svg.strip(marks, scale, _HEIGHT),
        number=words.value(mean, metric),
    )


def _effect_chart(effect: Effect, titles: Sequence[str], metric: str, scale: Scale) -> Markup:
    """Return a dot for each run over the values of the setting."""
    kind = ScaleKind.LOG if effect.logarithmic else ScaleKind.LINEAR
    levels = [float(level) for level in effect.levels]
    chart = svg.Chart(
        x=scale_of(levels, kind, pad=0.03),
        y=scale,
        x_label=f"{effect.key}{', log scale' if effect.logarithmic else ''}",
    )
    marks = []
    for level, value, title in zip(levels, effect.values, titles, strict=True):
        x, y = chart.point(level, value)
        marks.append(svg.dot(f"{x:.2f}", f"{y:.2f}", f"{level:.4g}: {title}", radius=4.5))
    return chart.draw(marks, f"{metric} over {effect.key}")
