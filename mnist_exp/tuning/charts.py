"""The figures of a study's page: history, value against each parameter, courses, Pareto front."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from mnist_exp.compare import svg, words
from mnist_exp.compare.labels import all_tidy
from mnist_exp.compare.scales import Scale, ScaleKind, accuracy_kind, scale_of
from mnist_exp.compare.strips import SHIFTS, StripRow, Strips
from mnist_exp.outside.printing import plural
from mnist_exp.tuning.importance import Importance
from mnist_exp.tuning.trials import State, Study, Trial

_MOST_LEVELS = 12  # of a parameter that are shown as rows
_FEW_LEVELS = 4  # whole numbers that are rows, too; more are an axis
_LOGARITHMIC = 20  # times the smallest value is the largest: the axis is logarithmic
_ROW, _MIDDLE = 30, 15  # height of a row and the middle of its marks, in pixels


class Point(NamedTuple):
    """A trial and where it is drawn: None for one that has no value."""

    trial: Trial
    value: float | None


def points(study: Study, objective: int) -> list[Point]:
    """Return the trials that ended, the best one last, so that it is drawn on top.

    A pruned trial stands at the last value that it reported.
    """
    complete = {trial.number for trial in study.complete}
    drawn = list[Point]()
    for trial in study.trials:
        if trial.number in complete:
            drawn.append(Point(trial, trial.values[objective]))
        elif trial.state is State.PRUNED and trial.last_report is not None:
            drawn.append(Point(trial, trial.last_report[1]))
        elif trial.state in (State.FAILED, State.PRUNED, State.COMPLETE):
            drawn.append(Point(trial, None))
    return sorted(drawn, key=lambda point: point.trial.number in study.winners)


def value_scale(values: Iterable[float | None], name: str) -> Scale:
    """Return a scale of an objective's values: logarithmic where they reach over several powers."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    kind = accuracy_kind(finite, name)
    if kind is ScaleKind.LINEAR and finite and 0 < min(finite) * _LOGARITHMIC <= max(finite):
        kind = ScaleKind.LOG
    return scale_of(finite, kind)


def history(study: Study, drawn: Sequence[Point]) -> Markup:
    """Return each trial's value over its number, and the best so far as a line of steps."""
    scale = value_scale([point.value for point in drawn], study.objectives[0])
    last = max(point.trial.number for point in drawn)
    chart = svg.Chart(x=_room(0, last), y=scale, x_label="trial")
    best, path = None, ""
    for trial in study.complete:
        value = trial.values[0]
        if best is None or (value > best if study.maximised[0] else value < best):
            best = value
            x, y = chart.point(trial.number, value)
            path += f"H{x:.2f}V{y:.2f}" if path else f"M{x:.2f},{y:.2f}"
    line = f"{path}H{chart.point(last, scale.low)[0]:.2f}"
    steps = [svg.element("path", class_="line s2", d=line)] if path else []
    marks = [_placed(chart, study, point, point.trial.number) for point in drawn]
    described = f"{study.objectives[0]} of {plural(len(drawn), 'trial')}, with the best so far"
    return chart.draw([*steps, *marks], described, whole_x=True)


def against(
    study: Study, drawn: Sequence[Point], parameter: str, objective: int, scale: Scale
) -> Strips | Markup:
    """Return the values over a parameter that is a number, or a row for each of few values."""
    with_it = [point for point in drawn if parameter in point.trial.params]
    values = [point.trial.params[parameter] for point in with_it]
    is_choice = any(isinstance(x, bool) or not isinstance(x, int | float) for x in values)
    is_few = all(isinstance(x, int) for x in values) and len(set(map(repr, values))) <= _FEW_LEVELS
    if is_choice or is_few:
        return _rows(study, drawn, parameter, objective, scale)
    is_log = parameter in study.logarithmic
    numbers = [_number(point.trial, parameter) for point in with_it]
    chart = svg.Chart(
        x=scale_of(numbers, ScaleKind.LOG if is_log else ScaleKind.LINEAR, pad=0.04),
        y=scale,
        x_label=f"{parameter}{', log scale' if is_log else ''}",
    )
    marks = [
        _placed(chart, study, point, number) for point, number in zip(with_it, numbers, strict=True)
    ]
    return chart.draw(marks, f"{study.objectives[objective]} over {parameter}")


def _number(trial: Trial, parameter: str) -> float:
    return float(str(trial.params[parameter]))


def _rows(
    study: Study, drawn: Sequence[Point], parameter: str, objective: int, scale: Scale
) -> Strips:
    """Return a row for each value of a parameter, with all trials that have it."""
    groups: dict[str, list[Point]] = {}
    for point in drawn:
        params = point.trial.params
        if params:
            level = str(params[parameter]) if parameter in params else "not set"
            groups.setdefault(level, []).append(point)
    rows, shown = [], all_tidy(groups)
    for level in sorted(groups, key=_order)[:_MOST_LEVELS]:
        values = [
            point.value
            for point in groups[level]
            if point.value is not None and point.trial.state is State.COMPLETE
        ]
        mean = sum(values) / len(values) if values else math.nan
        rows.append(
            StripRow(
                color="other",
                name=shown[level],
                note=plural(len(groups[level]), "trial"),
                picture=svg.strip(_strip_marks(study, groups[level], scale, mean), scale, _ROW),
                number=words.value(mean, study.objectives[objective]) if values else "",
            )
        )
    hidden = len(groups) - len(rows)
    note = f"and {plural(hidden, 'more value')}" if hidden > 0 else ""
    return Strips(rows=tuple(rows), axis=svg.strip_axis(scale), scale_note=note)


def _order(level: str) -> tuple[bool, float, str]:
    """Return what sorts numbers by size, before other values in the order of their text."""
    try:
        return False, float(level), level
    except ValueError:
        return True, 0.0, level


def _strip_marks(study: Study, group: Sequence[Point], scale: Scale, mean: float) -> list[Markup]:
    """Return the marks of a row; those of trials without a value stand at its left end."""
    marks = []
    if not math.isnan(mean):
        x = svg.percent(scale, mean)
        marks.append(svg.line("mean", x=(x, x), y=(_MIDDLE - 11, _MIDDLE + 11)))
    for i, point in enumerate(group):
        x = "0%" if point.value is None else svg.percent(scale, point.value)
        marks.append(_mark(study, point, x, f"{_MIDDLE + SHIFTS[i % len(SHIFTS)]}"))
    return marks


def courses(study: Study) -> Markup | None:
    """Return what each trial reported after each step, or None if none reported twice."""
    reported = [trial for trial in study.trials if trial.course]
    if all(len(trial.course) == 1 for trial in reported):
        return None
    values = [value for trial in study.trials for value in trial.course.values()]
    steps = [step for trial in study.trials for step in trial.course]
    chart = svg.Chart(
        x=_room(min(steps), max(steps)), y=value_scale(values, study.objectives[0]), x_label="epoch"
    )
    content = []
    for trial in sorted(reported, key=lambda trial: trial.number in study.winners):
        finite = [(s, v) for s, v in sorted(trial.course.items()) if math.isfinite(v)]
        places = [chart.point(step, value) for step, value in finite]
        if places:
            kind = "best" if trial.number in study.winners else trial.state
            path = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
            line = svg.element("polyline", class_=f"course {kind}", points=path)
            end = _mark(study, Point(trial, finite[-1][1]), *(f"{at:.2f}" for at in places[-1]))
            content += [line, end]
    described = f"{study.objectives[0]} after each epoch of {plural(len(reported), 'trial')}"
    return chart.draw(content, described, whole_x=True)


def pareto(study: Study, drawn: Sequence[Point], second: int) -> Markup:
    """Return the first objective over another one, the front as a line of steps."""
    name = study.objectives[second]
    with_both = [point for point in drawn if len(point.trial.values) > second]
    others = [point.trial.values[second] for point in with_both]
    first = [point.trial.values[0] for point in with_both]
    x_scale = value_scale(others, name)
    is_log = x_scale.kind is ScaleKind.LOG
    chart = svg.Chart(
        x=x_scale,
        y=value_scale(first, study.objectives[0]),
        x_label=f"{name}{', log scale' if is_log else ''}",
    )
    marks = [
        _placed(chart, study, point, other) for point, other in zip(with_both, others, strict=True)
    ]
    return chart.draw(marks, f"{study.objectives[0]} over {name} of {plural(len(marks), 'trial')}")


def importance_bars(found: Sequence[Importance]) -> Strips:
    """Return a bar for each parameter, from 0 to its share in percent, with its range below."""
    scale = Scale(low=0, high=100)
    rows = []
    for one in found:
        low, share, high = (
            100 * min(max(value, 0.0), 1.0) for value in (one.low, one.share, one.high)
        )
        bar = svg.element("rect", class_="bar", x="0%", y=5, width=f"{share:.2f}%", height=12)
        span = svg.line("interval", x=(f"{low:.2f}%", f"{high:.2f}%"), y=(24, 24))
        rows.append(
            StripRow(
                color="s1" if one.is_shown else "other",
                name=one.parameter,
                note="" if one.is_shown else "not shown to matter",
                picture=svg.strip([bar, span], scale, _ROW),
                number=f"{share:.0f}% ({low:.0f} to {high:.0f}%)",
            )
        )
    return Strips(rows=tuple(rows), axis=svg.strip_axis(scale))


def key_marks() -> list[tuple[Markup, str]]:
    """Return each mark of the figures with its meaning."""
    meanings = {
        "best": "best trial",
        State.COMPLETE: "complete",
        State.PRUNED: "pruned: ended early, drawn at its last value",
        State.FAILED: "without a value: failed, or it breaks a constraint",
    }
    return [
        (
            svg.element(
                "svg", _shape(kind, "9", "9", ""), class_="key", width=18, height=18,
                aria_hidden="true",
            ),
            text,
        )
        for kind, text in meanings.items()
    ]  # fmt: skip


def _room(low: float, high: float) -> Scale:
    """Return a linear scale of whole numbers whose first and last are not on its ends."""
    room = 0.02 * (high - low) or 1
    return Scale(low=low - room, high=high + room)


def _placed(chart: svg.Chart, study: Study, point: Point, x: float) -> Markup:
    """Return a trial's mark on a chart; that of one without a value stands on the x axis."""
    left, top = chart.point(x, chart.y.low if point.value is None else point.value)
    return _mark(study, point, f"{left:.2f}", f"{top:.2f}")


def _mark(study: Study, point: Point, x: str, y: str) -> Markup:
    """Return a trial's mark, whose title says which trial it is and its value."""
    trial, value = point
    if trial.number in study.winners:
        kind = "best"
    else:
        kind = State.FAILED if value is None else trial.state
    shown = "no value" if value is None else f"{value:.6g}"
    return _shape(kind, x, y, f"trial {trial.number}, {trial.state}: {shown}")


def _shape(kind: str, x: str, y: str, title: str) -> Markup:
    """Return a mark; kinds differ in shape and not in colour alone."""
    if kind == State.FAILED:
        cross = svg.element("path", d="M-4,-4L4,4M-4,4L4,-4")
        content = [svg.element("title", title), cross]
        return svg.element("svg", *content, class_="trial failed", x=x, y=y, overflow="visible")
    radius = 6 if kind == "best" else 4
    return svg.element(
        "circle", svg.element("title", title), class_=f"trial {kind}", cx=x, cy=y, r=radius
    )
