"""explain.html: a waterfall from the blog's CNN to the notebook's, which needs no network."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from mnist_exp.compare import svg, words
from mnist_exp.compare.scales import Scale, scale_of
from mnist_exp.compare.statistics import Interval
from mnist_exp.compare.strips import StripRow, Strips
from mnist_exp.explain.contributions import Explanation
from mnist_exp.explain.report import paragraph
from mnist_exp.outside import templates
from mnist_exp.outside.printing import plural

_HEIGHT = 30  # of a row, in pixels


@dataclass(frozen=True, kw_only=True)
class Step:
    """One row of the waterfall."""

    name: str
    note: str
    start: float  # the metric before the step
    end: float  # and after it
    interval: Interval | None  # of the step; None for the ends of the way
    number: str


def render(explanation: Explanation) -> str:
    """Return the page."""
    return templates.render(
        "explain/explain.html",
        title=f"{explanation.metric}: {explanation.study}",
        study=explanation.study,
        metric=explanation.metric,
        seeds=plural(len(explanation.seeds), "seed"),
        summary=paragraph(explanation),
        waterfall=_waterfall(_steps(explanation)),
    )


def _steps(explanation: Explanation) -> list[Step]:
    """Return the blog's value, each difference from where the last ended, the notebook's value."""
    metric, level = explanation.metric, float(np.mean(explanation.blog))
    steps = [_end("blog's CNN", level, metric)]
    for part in explanation.contributions:
        steps.append(
            Step(
                name=part.difference.name,
                note=f"{part.difference.blog} \N{RIGHTWARDS ARROW} {part.difference.notebook}",
                start=level,
                end=level + part.mean,
                interval=part.interval,
                number=words.difference(part.mean, metric),
            )
        )
        level += part.mean
    return [*steps, _end("notebook's CNN", level, metric)]


def _end(name: str, level: float, metric: str) -> Step:
    number = words.value(level, metric)
    return Step(name=name, note="", start=level, end=level, interval=None, number=number)


def _waterfall(steps: list[Step]) -> Strips:
    ends = [end for step in steps for end in (step.start, step.end)]
    shifts = [(step.start, step.interval) for step in steps if step.interval is not None]
    ends += [start + end for start, interval in shifts for end in (interval.low, interval.high)]
    scale = scale_of([end for end in ends if np.isfinite(end)])
    rows = [
        StripRow(
            color="s0" if step.interval is None else "s1" if step.end >= step.start else "s2",
            name=step.name,
            note=step.note,
            picture=svg.strip(_marks(scale, step), scale, _HEIGHT),
            number=step.number,
        )
        for step in steps
    ]
    return Strips(rows=tuple(rows), axis=svg.strip_axis(scale))


def _marks(scale: Scale, step: Step) -> list[Markup]:
    """Return a bar from where the step starts, a stroke where it ends, its interval below."""
    low, high = sorted((step.start, step.end))
    width = 100 * (scale.at(high) - scale.at(low))
    left, end = svg.percent(scale, low), svg.percent(scale, step.end)
    marks = [
        svg.element("rect", class_="bar", x=left, y=6, width=f"{width:.2f}%", height=12),
        svg.line("mean", x=(end, end), y=(3, 21)),
    ]
    if step.interval is not None and step.interval.exists:
        ends = (step.start + step.interval.low, step.start + step.interval.high)
        x = (svg.percent(scale, ends[0]), svg.percent(scale, ends[1]))
        marks.append(svg.line("interval", x=x, y=(25, 25)))
    return marks
