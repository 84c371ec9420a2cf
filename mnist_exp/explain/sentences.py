"""An explanation in plain words: what matters, what does not, and what the runs leave open."""

import math
from collections.abc import Sequence

import numpy as np

from mnist_exp.compare import statistics, words
from mnist_exp.compare.paired_effects import PairedEffect
from mnist_exp.explain.contributions import Contribution, Explanation
from mnist_exp.outside.printing import listed, plural


def paragraph(explanation: Explanation) -> str:
    """Return the answer: the gap, its parts, and how large a part could have been missed."""
    if len(explanation.seeds) < statistics.SMALLEST_VERDICT:
        count = statistics.SMALLEST_VERDICT
        return f"{_gap(explanation)} To say which differences matter takes {count} seeds or more."
    said = effects(explanation.contributions, explanation.margin, explanation.metric)
    return f"{_gap(explanation)} {said}"


def effects(parts: Sequence[PairedEffect], margin: float | None, metric: str) -> str:
    """Say which changes matter, which do not, and how large an effect could have been missed.

    Each has three seeds or more.
    """
    ranked = sorted(parts, key=lambda part: -abs(part.mean))
    small = [part for part in ranked if margin is not None and part.is_within(margin)]
    shown = [part for part in ranked if part.is_shown and part not in small]
    slight = [part for part in small if part.is_shown]
    none = [part for part in small if not part.is_shown]
    unmoved = [part for part in ranked if part.interval.is_degenerate and not part.mean]
    unknown = [part for part in ranked if part not in (*shown, *small, *unmoved)]
    said = []
    if shown:
        said.append(f"An effect is shown of {_effects(shown, metric)}.")
    if slight:
        said.append(
            f"An effect that is smaller than {margin:g} is shown of {_effects(slight, metric)}."
        )
    if none:
        said.append(
            f"Of {_names(none)} no effect is shown, and tests at 5% rule out one of {margin:g} or "
            "more."
        )
    if unmoved:
        said.append(f"With {_names(unmoved)} nothing changes, to the last digit.")
    return " ".join([*said, *([_unknown(unknown, metric)] if unknown else [])])


def luck(parts: Sequence[PairedEffect]) -> str:
    """Say how often an effect is shown that is none, and what is left after a correction.

    Empty where nothing is shown.
    """
    shown = [part for part in parts if part.is_shown]
    if not shown:
        return ""
    adjusted = statistics.holm([part.p for part in parts])
    left = [part for part, p in zip(parts, adjusted, strict=True) if part.is_shown and p <= 0.05]
    if len(left) == len(shown):
        rest = "all that is shown stays shown"
    else:
        rest = (
            f"{_names(left) or 'nothing'} of what is shown {'stay' if len(left) > 1 else 'stays'}"
        )
    return (
        "Each difference is tested by itself, so that one without any effect is shown to have one "
        f"in up to 1 of 20 studies. Corrected for {len(parts)} tests (Holm), {rest}."
    )


def order_matters(explanation: Explanation) -> str:
    """Say about which differences the two ways disagree."""
    apart = sorted(explanation.contributions, key=lambda part: -abs(np.subtract(*ways(part))))
    disagreed = [part for part in apart if part.depends_on_order]
    if not disagreed:
        way = _both_ways(apart[0], explanation.metric)
        most = f"farthest apart about the {apart[0].name}: {way}."
        if len(explanation.seeds) < statistics.SMALLEST_VERDICT:
            return f"The two orders are {most}"
        return f"No disagreement of the two orders is shown. They are {most}"
    several = "; ".join(
        f"{part.name}, {_both_ways(part, explanation.metric)}" for part in disagreed
    )
    what = "these add" if len(disagreed) > 1 else "it adds"
    return (
        f"The two orders disagree, each tested at 5%, about {several}. What {what} depends on the "
        "other settings, and orders that were not measured may give other numbers."
    )


def ways(part: Contribution) -> tuple[float, float]:
    """Return the means over seeds of both ways."""
    return float(np.mean(part.forwards)), float(np.mean(part.backwards))


def effect(part: PairedEffect) -> str:
    """Return whether an effect is shown, in the words of a table."""
    if part.is_shown:
        return "shown"
    is_decided = len(part.values) >= statistics.SMALLEST_VERDICT
    return "not shown" if is_decided else str(statistics.Verdict.TOO_FEW)


def interval(part: PairedEffect, metric: str) -> str:
    """Return the 95% interval of an effect, or why there is none."""
    if not part.interval.has_width:
        return str(part.interval.method)
    return words.interval(part.interval, metric, of_difference=True)


def _gap(explanation: Explanation) -> str:
    metric = explanation.metric
    blog, notebook = (float(np.mean(end)) for end in (explanation.blog, explanation.notebook))
    interval = words.interval(explanation.gap, metric, of_difference=True)
    return (
        f"From the blog's CNN ({words.value(blog, metric)}) to the notebook's "
        f"({words.value(notebook, metric)}), each trained for {epochs(explanation)}, "
        f"{metric} changes by {words.difference(explanation.mean_gap, metric)}"
        f"{f' (95% interval {interval})' if interval else ''} over "
        f"{plural(len(explanation.seeds), 'seed')}."
    )


def epochs(explanation: Explanation) -> str:
    """Return how long both ends were trained, such as `3 epochs`."""
    number = explanation.epochs
    return "1 epoch" if number == 1 else f"{number:g} epochs"


def _effects(parts: Sequence[PairedEffect], metric: str) -> str:
    return ", ".join(
        f"{part.name} ({part.change}) {words.difference(part.mean, metric)} "
        f"({words.interval(part.interval, metric, of_difference=True)})"
        for part in parts
    )


def _names(parts: Sequence[PairedEffect]) -> str:
    return listed([part.name for part in parts])


def _unknown(parts: Sequence[PairedEffect], metric: str) -> str:
    """Say of which changes no effect is shown, and how large one could be all the same."""

    def farthest(part: PairedEffect) -> float:
        return max(abs(part.interval.low), abs(part.interval.high))

    widest = max(parts, key=farthest)
    said = (
        f"No effect is shown of {_names(parts)}; that is not to say that there is none. By the 95% "
        f"intervals it may be as large as {_size(farthest(widest), metric)} ({widest.name})."
    )
    if sizes := [part.noticed for part in parts if not math.isnan(part.noticed)]:
        ends = dict.fromkeys(_size(size, metric) for size in (min(sizes), max(sizes)))
        said += (
            f" With the spread of these {plural(len(widest.values), 'seed')}, an effect of "
            f"{' to '.join(ends)}, depending on the difference, is still missed in 2 of 10 "
            "studies, a smaller one more often."
        )
    return said


def _size(number: float, metric: str) -> str:
    return words.difference(abs(number), metric).removeprefix("+")


def _both_ways(part: Contribution, metric: str) -> str:
    forwards, backwards = (words.difference(way, metric) for way in ways(part))
    return f"{forwards} on the way forwards and {backwards} on the way backwards"
