"""explain.html: a waterfall from the blog's CNN to the notebook's, which needs no network."""

from itertools import accumulate, pairwise

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


def render(explanation: Explanation) -> str:
    """Return the page."""
    return templates.render(
        "explain/explain.html",
        title=f"{explanation.metric}: {explanation.study}",
        study=explanation.study,
        metric=explanation.metric,
        seeds=plural(len(explanation.seeds), "seed"),
        summary=paragraph(explanation),
        waterfall=_waterfall(explanation),
    )


def _waterfall(explanation: Explanation) -> Strips:
    """Draw the blog's value, each difference from where the last ended, the notebook's value."""
    metric, parts = explanation.metric, explanation.contributions
    levels = list(
        accumulate((part.mean for part in parts), initial=float(np.mean(explanation.blog)))
    )
    intervals = [
        (level + end)
        for level, part in zip(levels, parts, strict=False)
        for end in (part.interval.low, part.interval.high)
    ]
    scale = scale_of([end for end in (*levels, *intervals) if np.isfinite(end)])
    rows = [_end("blog's CNN", levels[0], metric, scale)]
    for (start, end), part in zip(pairwise(levels), parts, strict=True):
        difference = part.difference
        rows.append(
            StripRow(
                color="s1" if end >= start else "s2",
                name=difference.name,
                note=f"{difference.blog} \N{RIGHTWARDS ARROW} {difference.notebook}",
                picture=svg.strip(_marks(scale, start, end, part.interval), scale, _HEIGHT),
                number=words.difference(part.mean, metric),
            )
        )
    rows.append(_end("notebook's CNN", levels[-1], metric, scale))
    return Strips(rows=tuple(rows), axis=svg.strip_axis(scale))


def _end(name: str, level: float, metric: str, scale: Scale) -> StripRow:
    """Return the row of one of the two CNNs."""
    picture = svg.strip(_marks(scale, level, level, None), scale, _HEIGHT)
    number = words.value(level, metric)
    return StripRow(color="s0", name=name, note="", picture=picture, number=number)


def _marks(scale: Scale, start: float, end: float, interval: Interval | None) -> list[Markup]:
    """Return a bar from where a step starts, a stroke where it ends, its interval below."""
    low, high = sorted((start, end))
    width = f"{100 * (scale.at(high) - scale.at(low)):.2f}%"
    x = svg.percent(scale, end)
    marks = [
        svg.element("rect", class_="bar", x=svg.percent(scale, low), y=6, width=width, height=12),
        svg.line("mean", x=(x, x), y=(3, 21)),
    ]
    if interval is not None and interval.exists:
        ends = (start + interval.low, start + interval.high)
        left, right = (svg.percent(scale, end) for end in ends)
        marks.append(svg.line("interval", x=(left, right), y=(25, 25)))
    return marks
