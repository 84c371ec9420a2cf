"""The page's figures, each as HTML with inline SVG; drawn from a Comparison, nothing is computed here but positions."""

import base64
import html
import math
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mnist_exp.compare import svg, words
from mnist_exp.compare.comparison import Comparison, Curve, Effect, Images, Row
from mnist_exp.compare.groups import tidy
from mnist_exp.compare.statistics import Difference

ERROR_SCALE = "Log scale of 1 \N{MINUS SIGN} accuracy"
MOST_ROWS = 30  # of a strip plot
_MOST_IMAGES = 12  # of each side
_MARKED_EPOCHS = 30  # curves with more have no marker at each


def legend(comparison: Comparison) -> str:
    """Colour, dash and marker of each group shown; the baseline first."""
    rows = sorted(comparison.shown, key=lambda row: row.color or 0)
    return (
        '<ul class="legend">'
        + "".join(
            f"<li>{svg.swatch(row.color or 0)}<span>{words.label(row.group)}"
            f"{' (baseline)' if row is comparison.baseline else ''}</span></li>"
            for row in rows
        )
        + "</ul>"
    )


def learning_curves(metric: str, curves: Sequence[Curve]) -> str:
    """Median over seeds as a line, lowest to highest seed as a band; empty without a value."""
    values = [float(v) for curve in curves for part in (curve.low, curve.high) for v in part]
    if not values:
        return ""
    is_cost = metric.endswith("cost") and min(values) > 0
    kind = "log" if is_cost else svg.accuracy_kind(values, metric)
    steps = [int(s) for curve in curves for s in curve.step]
    x = svg.Scale(
        min(steps) - 0.02 * (max(steps) - min(steps)), max(steps) + 0.02 * (max(steps) - min(steps))
    )
    if min(steps) == max(steps):
        x = svg.Scale(min(steps) - 1, max(steps) + 1)
    chart = svg.Chart(x, svg.scale_of(values, kind), "epoch")
    ordered = sorted(curves, key=lambda curve: -curve.color)  # the baseline on top
    bands = [_band(chart, curve) for curve in ordered]
    lines = [_line(chart, curve) for curve in ordered]
    scale = {"log": "log scale", "error": ERROR_SCALE.lower()}.get(kind, "")
    picture = chart.draw(
        [*bands, *lines], f"{metric} over epochs of {len(curves)} groups", whole_x=True
    )
    return f"<figure><h3>{html.escape(metric)}<small>{scale}</small></h3>{picture}</figure>"


def _band(chart: svg.Chart, curve: Curve) -> str:
    if curve.runs < 2:
        return ""
    if len(curve.step) == 1:
        (x, low), (_, high) = (
            chart.point(curve.step[0], curve.low[0]),
            chart.point(curve.step[0], curve.high[0]),
        )
        return f'<line class="range s{curve.color}" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
    there = [chart.point(s, v) for s, v in zip(curve.step, curve.high, strict=True)]
    back = [chart.point(s, v) for s, v in zip(curve.step, curve.low, strict=True)][::-1]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in there + back)
    return f'<polygon class="band s{curve.color}" points="{points}"/>'


def _line(chart: svg.Chart, curve: Curve) -> str:
    points = [chart.point(s, v) for s, v in zip(curve.step, curve.middle, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = ""
    if len(points) <= _MARKED_EPOCHS:
        marks = "".join(
            svg.marker(curve.color, x, y, f"{curve.label}, epoch {step}: {value:.6g}")
            for (x, y), step, value in zip(points, curve.step, curve.middle, strict=True)
        )
    dash = svg.DASHES[curve.color]
    return f'<g class="s{curve.color}"><polyline class="line" points="{path}" stroke-dasharray="{dash}"/>{marks}</g>'


def seeds(comparison: Comparison) -> str:
    """A dot for each seed, the mean and its interval below; from the best mean to the worst."""
    rows, metric, scale = (
        _first(comparison.rows, comparison.baseline),
        comparison.metric,
        _scale(comparison),
    )
    lines = []
    for row in rows:
        d = row.description
        dots = _dots(scale, [(v, f"seed {s}: {v:.6g}") for s, v in row.group.values.items()])
        picture = svg.strip(
            [*dots, *_interval(scale, d.mean, d.interval.low, d.interval.high)], scale, 38
        )
        told = f"n = {d.n}, {d.interval.method if d.interval.method != 'none' else 'no interval'}"
        lines.append(_row(row, comparison, told, picture, words.value(d.mean, metric), ""))
    return _rows(lines, svg.strip_axis(scale))


def seeds_scale(comparison: Comparison) -> str:
    """What to know of the axis."""
    return f" {ERROR_SCALE}." if _scale(comparison).kind == "error" else ""


def _scale(comparison: Comparison) -> svg.Scale:
    """On which all values and intervals of the rows shown lie; an accuracy's interval is drawn up to 0 or 1."""
    rows = _first(comparison.rows, comparison.baseline)
    values = [v for row in rows for v in row.group.values.values()]
    for row in rows:
        ends = [
            e
            for e in (row.description.interval.low, row.description.interval.high)
            if not math.isnan(e)
        ]
        values += (
            [min(1.0, max(0.0, e)) for e in ends]
            if comparison.metric.endswith("accuracy")
            else ends
        )
    return svg.scale_of(values, svg.accuracy_kind(values, comparison.metric))


def paired_differences(comparison: Comparison) -> str:
    """A dot for each pair, the mean and its interval below; right of zero is more than the baseline."""
    scale, found = _difference_scale(comparison), _paired(comparison)
    lines = []
    for row, x in found:
        pairs = zip(x.seeds, x.values, strict=True)
        dots = _dots(scale, [(v, f"seed {s}: {v:+.6g}") for s, v in pairs])
        marks = [*dots, *_interval(scale, x.mean, x.interval.low, x.interval.high)]
        told = f"{words.plural(len(x.values), 'pair')}, {x.interval.method if x.interval.method != 'none' else 'no interval'}"
        number = words.difference(x.mean, comparison.metric)
        lines.append(
            _row(row, comparison, told, svg.strip(marks, scale, 38, zero=True), number, x.verdict)
        )
    return _rows(lines, svg.strip_axis(scale)) if lines else ""


def differences_scale(comparison: Comparison) -> str:
    """What to know of the axis."""
    scale = _difference_scale(comparison)
    return (
        f" Log scale beyond \N{PLUS-MINUS SIGN}{scale.unit:.1g}." if scale.kind == "asinh" else ""
    )


def _difference_scale(comparison: Comparison) -> svg.Scale:
    found = [x for _, x in _paired(comparison)]
    ends = [
        e for x in found for e in (*x.values, x.interval.low, x.interval.high) if not math.isnan(e)
    ]
    return svg.difference_scale([x.mean for x in found], ends)


def _paired(comparison: Comparison) -> list[tuple[Row, Difference]]:
    rows = _first(comparison.rows, comparison.baseline)
    return [
        (row, row.difference)
        for row in rows
        if row.difference is not None and row.difference.values
    ]


def _first(rows: Sequence[Row], baseline: Row) -> list[Row]:
    return [row for i, row in enumerate(rows) if i < MOST_ROWS or row is baseline]


def _row(
    row: Row, comparison: Comparison, told: str, picture: str, number: str, verdict: str
) -> str:
    color = "other" if row.color is None else f"s{row.color}"
    name = words.label(row.group) + (" <em>baseline</em>" if row is comparison.baseline else "")
    word = (
        f'<span class="verdict {verdict.split()[0] if verdict else ""}">{verdict}</span>'
        if verdict
        else ""
    )
    return (
        f'<div class="row {color}"><div class="name"><b>{name}</b><small>{told}</small></div>'
        f'{picture}<div class="number">{number}{word}</div></div>'
    )


def _rows(lines: Sequence[str], axis: str) -> str:
    return (
        f'<div class="rows">{"".join(lines)}<div class="row foot"><div class="name"></div>{axis}'
        '<div class="number"></div></div></div>'
    )


def _dots(scale: svg.Scale, values: Sequence[tuple[float, str]], middle: float = 13) -> list[str]:
    """Dots near each other are set apart vertically, in a fixed pattern."""
    dots = []
    for i, (value, title) in enumerate(sorted(values)):
        y = middle + (0, -6, 6, -3, 3)[i % 5]
        at = svg.percent(scale, value)
        dots.append(
            f'<circle class="dot" cx="{at}" cy="{y}" r="4"><title>{html.escape(title)}</title></circle>'
        )
    return dots


def _interval(scale: svg.Scale, mean: float, low: float, high: float, y: int = 31) -> list[str]:
    at = svg.percent(scale, mean)
    marks = [f'<line class="mean" x1="{at}" x2="{at}" y1="{y - 5}" y2="{y + 5}"/>']
    if not math.isnan(low):
        ends = f'x1="{svg.percent(scale, max(low, scale.low))}" x2="{svg.percent(scale, min(high, scale.high))}"'
        marks.insert(0, f'<line class="interval" {ends} y1="{y}" y2="{y}"/>')
    return marks


def effect(found: Effect, metric: str, scale: svg.Scale) -> str:
    """Each counted run at its value of one setting, with the mean of each value."""
    key = html.escape(found.key)
    levels = sorted(set(found.levels), key=lambda level: float(level) if found.numeric else 0)
    if len(levels) <= 12:
        lines = []
        for level in levels:
            values = [v for one, v in zip(found.levels, found.values, strict=True) if one == level]
            mean = sum(values) / len(values)
            dots = _dots(scale, [(v, f"{v:.6g}") for v in values], 10)
            picture = svg.strip([*dots, *_interval(scale, mean, math.nan, math.nan, 25)], scale, 32)
            lines.append(
                f'<div class="row other"><div class="name"><b>{html.escape(tidy(level))}</b>'
                f"<small>{words.plural(len(values), 'run')}</small></div>{picture}"
                f'<div class="number">{words.value(mean, metric)}</div></div>'
            )
        return (
            f'<figure class="effect"><h3>{key}</h3>{_rows(lines, svg.strip_axis(scale))}</figure>'
        )
    x = svg.scale_of(
        [float(level) for level in found.levels], "log" if found.logarithmic else "linear", 0.03
    )
    chart = svg.Chart(x, scale, f"{found.key}{', log scale' if found.logarithmic else ''}")
    marks = []
    for level, value in zip(found.levels, found.values, strict=True):
        left, top = chart.point(float(level), value)
        title = f"<title>{float(level):.4g}: {value:.6g}</title>"
        marks.append(f'<circle class="dot" cx="{left:.1f}" cy="{top:.1f}" r="4.5">{title}</circle>')
    return f'<figure class="effect other"><h3>{key}</h3>{chart.draw(marks, f"{metric} over {found.key}")}</figure>'


def effects(comparison: Comparison) -> str:
    """All settings on the same scale of the metric, the one with the largest range of means first."""
    if not comparison.effects:
        return ""
    values = [v for found in comparison.effects for v in found.values]
    scale = svg.scale_of(values, svg.accuracy_kind(values, comparison.metric))
    ordered = sorted(comparison.effects, key=_range_of_means, reverse=True)
    return f'<div class="grid2">{"".join(effect(found, comparison.metric, scale) for found in ordered)}</div>'


def _range_of_means(found: Effect) -> float:
    if len(set(found.levels)) > 12:  # thirds of its runs, by the setting
        order = np.argsort([float(level) for level in found.levels])
        parts = np.array_split(np.array(found.values)[order], 3)
        means = [float(part.mean()) for part in parts if len(part)]
    else:
        levels, values = np.array(found.levels), np.array(found.values)
        means = [float(values[levels == level].mean()) for level in set(found.levels)]
    return max(means) - min(means)


def confusion(
    labels: NDArray[np.integer], predictions: NDArray[np.integer], classes: int
) -> NDArray[np.int64]:
    """Counts by label (rows) and prediction (columns)."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def confusion_matrices(pair: Images, baseline: Row) -> str:
    """Baseline, group, and the group's counts minus the baseline's."""
    classes = int(max(pair.label.max(), pair.baseline.max(), pair.group.max(), 9)) + 1
    one = confusion(pair.label, pair.baseline, classes)
    other = confusion(pair.label, pair.group, classes)
    errors = [np.where(np.eye(classes, dtype=bool), 0, counts).max() for counts in (one, other)]
    most = max(1, *map(int, errors))
    drawn = [
        (
            f"{baseline.group.label} (baseline)",
            f"{int(np.trace(one)):,} of {len(pair.label):,} right",
            _matrix(one, most),
        ),
        (
            pair.row.group.label,
            f"{int(np.trace(other)):,} of {len(pair.label):,} right",
            _matrix(other, most),
        ),
        ("difference", "group minus baseline; blue is for the better", _matrix(other - one, 0)),
    ]
    return (
        '<div class="grid3">'
        + "".join(
            f"<figure><h3>{html.escape(title)}<small>{html.escape(told)}</small></h3>{picture}</figure>"
            for title, told, picture in drawn
        )
        + "</div>"
    )


def _matrix(counts: NDArray[np.int64], most: int) -> str:
    """`most`: the count of errors with the full shade; 0 for a difference of two matrices."""
    size, left, top = 30, 30, 6
    classes = len(counts)
    largest = max(1, int(np.abs(counts).max()))
    per_label = np.maximum(counts.sum(axis=1), 1)
    parts = []
    for row, column in np.ndindex(counts.shape):
        count = int(counts[row, column])
        x, y = left + column * size, top + row * size
        right = row == column
        if most:
            shade = count / per_label[row] if right else math.sqrt(count / most)
            color = "s1" if right else "s2"
        else:
            shade = math.sqrt(abs(count) / largest)
            color = "s1" if (count > 0) == right else "s2"
        look = (" on-dark" if shade > 0.6 else "") + (
            " longest" if abs(count) > 999 and not most else " long" if abs(count) > 99 else ""
        )
        cell = f'<rect class="cell {color}" x="{x}" y="{y}" width="{size - 1}" height="{size - 1}" fill-opacity="{0.9 * shade:.3f}"/>'
        parts.append(
            f'<rect class="empty" x="{x}" y="{y}" width="{size - 1}" height="{size - 1}"/>{cell if count else ""}'
        )
        if count:
            text = f"{count:+d}".replace("-", "\N{MINUS SIGN}") if not most else str(count)
            parts.append(
                f'<text class="count{look}" x="{x + size / 2 - 0.5}" y="{y + size / 2}" dy=".35em">{text}</text>'
            )
    for i in range(classes):
        parts.append(
            f'<text class="digit" x="{left - 9}" y="{top + i * size + size / 2}" dy=".35em">{i}</text>'
        )
        parts.append(
            f'<text class="digit" x="{left + i * size + size / 2}" y="{top + classes * size + 15}">{i}</text>'
        )
    end = classes * size
    parts.append(f'<text class="digit" x="{left + end / 2}" y="{top + end + 33}">prediction</text>')
    middle = top + end / 2
    parts.append(
        f'<text class="digit" x="9" y="{middle}" transform="rotate(-90 9 {middle})" dy=".3em">label</text>'
    )
    shape = f"0 0 {left + end + 4} {top + end + 40}"
    return f'<svg class="matrix" viewBox="{shape}" role="img" aria-label="confusion matrix">{"".join(parts)}</svg>'


def disagreements(pair: Images, images: NDArray[np.uint8], baseline: Row) -> str:
    """Test images that only one of the two gets right, in the order of the test set. images [N, 28, 28]."""
    one, other = pair.baseline == pair.label, pair.group == pair.label
    sides = [
        (pair.row.group.label, np.flatnonzero(other & ~one), pair.baseline),
        (f"{baseline.group.label} (baseline)", np.flatnonzero(one & ~other), pair.group),
    ]
    parts = []
    for name, found, wrong in sides:
        shown = found[:_MOST_IMAGES]
        first = f", the first {len(shown)} of the test set" if len(found) > len(shown) else ""
        pictures = "".join(
            f'<figure title="test image {i}"><img src="{png(images[i])}" alt="a {pair.label[i]}" width="56" height="56">'
            f"<figcaption>{pair.label[i]}, read as {wrong[i]}</figcaption></figure>"
            for i in shown
        )
        parts.append(
            f"<div><h3>Only {html.escape(name)} is right<small>{len(found):,} images{first}</small></h3>"
            f'<div class="digits">{pictures or "none"}</div></div>'
        )
    return f'<div class="grid2">{"".join(parts)}</div>'


def png(image: NDArray[np.uint8]) -> str:
    """A grey image [H, W] as a data URI, dark on light."""
    height, width = image.shape
    rows = b"".join(b"\0" + (255 - row).astype(np.uint8).tobytes() for row in image)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )
    return "data:image/png;base64," + base64.b64encode(content).decode()
