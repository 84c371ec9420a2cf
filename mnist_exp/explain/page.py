"""explain.html: a waterfall from the blog's CNN to the notebook's, which needs no network."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from markupsafe import Markup

from mnist_exp.compare import paired_words, svg, words
from mnist_exp.compare.glossary import TERMS
from mnist_exp.compare.scales import Scale, scale_of
from mnist_exp.compare.strips import StripRow, Strips, dots
from mnist_exp.explain import sentences
from mnist_exp.explain.contributions import Contribution, Explanation
from mnist_exp.outside import templates
from mnist_exp.outside.printing import plural

_HEIGHT = 50  # of a row, in pixels
_BAR_AT, _INTERVAL_AT, _DOTS_AT = 10, 24, 38  # from the top of a row


def render(explanation: Explanation) -> str:
    """Return the page."""
    return templates.render(
        "explain/explain.html",
        title=f"{explanation.metric}: {explanation.study}",
        study=explanation.study,
        metric=explanation.metric,
        seeds=plural(len(explanation.seeds), "seed"),
        summary=sentences.paragraph(explanation),
        luck=paired_words.luck(explanation.contributions),
        order=sentences.order_matters(explanation),
        caveats=sentences.caveats(explanation),
        waterfall=_waterfall(explanation),
        contributions=explanation.contributions,
        sentences=sentences,
        paired_words=paired_words,
        words=words,
        glossary=TERMS,
    )


def _waterfall(explanation: Explanation) -> Strips:
    """Draw what each difference adds, from where the last ended; the axis begins at the blog's."""
    metric, parts = explanation.metric, explanation.contributions
    levels = list(accumulate((part.mean for part in parts), initial=0.0))
    reached = [
        level + end
        for level, part in zip(levels, parts, strict=False)
        for end in (part.interval.low, part.interval.high, *part.values)
    ]
    scale = scale_of([end for end in (*levels, *reached) if np.isfinite(end)])
    rows = [_end("blog's CNN", levels[0], explanation.blog, metric, scale)]
    for (start, end), part in zip(pairwise(levels), parts, strict=True):
        marks = [*_marks(scale, start, end), *_evidence(scale, start, part, explanation.seeds)]
        color = "s1" if end >= start else "s2"
        rows.append(
            StripRow(
                color=color if part.is_shown else "other",
                name=part.name,
                note=part.change,
                picture=svg.strip(marks, scale, _HEIGHT),
                number=words.difference(part.mean, metric),
                verdict="" if part.is_shown else paired_words.verdict(part),
            )
        )
    rows.append(_end("notebook's CNN", levels[-1], explanation.notebook, metric, scale))
    return Strips(rows=tuple(rows), axis=svg.strip_axis(scale))


def _end(name: str, level: float, values: Sequence[float], metric: str, scale: Scale) -> StripRow:
    """Return the row of one of the two CNNs."""
    picture = svg.strip(_marks(scale, level, level), scale, _BAR_AT * 2)
    number = words.value(float(np.mean(values)), metric)
    return StripRow(color="s0", name=name, note="", picture=picture, number=number)


def _marks(scale: Scale, start: float, end: float) -> list[Markup]:
    """Return a bar from where a step starts, and a stroke where it ends."""
    low, high = sorted((start, end))
    width = f"{100 * (scale.at(high) - scale.at(low)):.2f}%"
    x = svg.percent(scale, end)
    top = _BAR_AT - 6
    return [
        svg.element("rect", class_="bar", x=svg.percent(scale, low), y=top, width=width, height=12),
        svg.line("mean", x=(x, x), y=(_BAR_AT - 9, _BAR_AT + 9)),
    ]


def _evidence(scale: Scale, start: float, part: Contribution, seeds: Sequence[str]) -> list[Markup]:
    """Return the step's interval, and below it a dot for where it ends with each seed."""
    pairs = zip(seeds, part.values, strict=True)
    marks = dots(
        scale, [(start + v, f"seed {seed}: {v:+.6g}") for seed, v in pairs], middle=_DOTS_AT
    )
    if part.interval.exists:
        ends = (start + part.interval.low, start + part.interval.high)
        left, right = (svg.percent(scale, end) for end in ends)
        marks.insert(0, svg.line("interval", x=(left, right), y=(_INTERVAL_AT, _INTERVAL_AT)))
    return marks
