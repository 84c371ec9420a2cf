"""What is said of paired effects, in sentences and in the cells of a table."""

import math
from collections.abc import Sequence

from mnist_exp.compare import statistics, words
from mnist_exp.compare.paired_effects import PairedEffect
from mnist_exp.outside.printing import listed, plural


def answer(parts: Sequence[PairedEffect], margin: float | None, metric: str) -> str:
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

    Empty where nothing is shown by a test.
    """
    if not any(part.is_shown for part in tested(parts)):
        return ""
    return (
        "Each difference is tested by itself: one without any effect appears to have one in at "
        "most 1 of 20 studies, if what the seeds change by is normally distributed. "
        f"{corrected(parts, 'an effect is still shown of')}"
    )


def corrected(parts: Sequence[PairedEffect], said: str) -> str:
    """Return a sentence that says of which effects, or of none, something is still `said`."""
    of = tested(parts)
    adjusted = statistics.holm([part.p for part in of])
    left = [part for part, p in zip(of, adjusted, strict=True) if part.is_shown and p <= 0.05]
    names = _names(left) or "none of them"
    same = [part for part in parts if part.is_shown and math.isnan(part.p)]
    others = f" Of {_names(same)}, which all seeds agree about, there is no test." if same else ""
    return f"Corrected for {plural(len(of), 'test')} (Holm), {said} {names}.{others}"


def tested(parts: Sequence[PairedEffect]) -> list[PairedEffect]:
    """Return the effects of which there is a p-value."""
    return [part for part in parts if not math.isnan(part.p)]


def change(part: PairedEffect, metric: str) -> str:
    """Return `test/accuracy changes by +0.0047 (95% interval ...) over 5 seeds`."""
    ends = f" (95% interval {interval(part, metric)})" if part.interval.has_width else ""
    seeds = plural(len(part.values), "seed")
    return f"{metric} changes by {words.difference(part.mean, metric)}{ends} over {seeds}"


def verdict(part: PairedEffect, margin: float | None = None) -> str:
    """Return whether an effect is shown, in the words of a table; `margin` is one to be below."""
    if part.is_shown:
        said = "shown"
    elif len(part.values) >= statistics.SMALLEST_VERDICT:
        said = "not shown"
    else:
        said = str(statistics.Verdict.TOO_FEW)
    is_small = margin is not None and part.is_within(margin)
    return f"{said}, less than {margin:g}" if is_small else said


def cells(part: PairedEffect, margin: float | None, metric: str) -> list[str]:
    """Return the cells of a table in Markdown: mean, interval, size that is noticed, verdict."""
    said = verdict(part, margin)
    return [
        f"**{words.difference(part.mean, metric)}**",
        interval(part, metric),
        "\N{EN DASH}" if math.isnan(part.noticed) else _size(part.noticed, metric),
        said.replace("shown", "**shown**", 1) if part.is_shown else said,
    ]


def interval(part: PairedEffect, metric: str) -> str:
    """Return the 95% interval of an effect, or why there is none."""
    if not part.interval.has_width:
        return str(part.interval.method)
    return words.interval(part.interval, metric, of_difference=True)


def with_interval(part: PairedEffect, metric: str) -> str:
    """Return `+0.0047 (+0.0041 to +0.0053)`."""
    return f"{words.difference(part.mean, metric)} ({interval(part, metric)})"


def _effects(parts: Sequence[PairedEffect], metric: str) -> str:
    return ", ".join(f"{part.name} ({part.change}) {with_interval(part, metric)}" for part in parts)


def _names(parts: Sequence[PairedEffect]) -> str:
    return listed([part.name for part in parts])


def _unknown(parts: Sequence[PairedEffect], metric: str) -> str:
    """Say of which changes no effect is shown, and how large one could be all the same."""

    def farthest(part: PairedEffect) -> float:
        return max(part.interval.low, part.interval.high, key=abs)

    widest = max(parts, key=lambda part: abs(farthest(part)))
    end = farthest(widest)
    whose = f"The 95% interval that goes farthest, of {widest.name}, ends at"
    said = (
        f"No effect is shown of {_names(parts)}; that is not to say that there is none. "
        f"{'Its 95% interval goes as far as' if len(parts) == 1 else whose} "
        f"{words.difference(end, metric)}."
    )
    if sizes := [part.noticed for part in parts if not math.isnan(part.noticed)]:
        ends = dict.fromkeys(_size(size, metric) for size in (min(sizes), max(sizes)))
        depends = ", depending on the difference," if len(ends) > 1 else ""
        said += (
            f" With the spread of these {_seeds(parts)}, an effect of {' to '.join(ends)}{depends} "
            "is still missed in 2 of 10 studies, a smaller one more often."
        )
    return said


def _seeds(parts: Sequence[PairedEffect]) -> str:
    fewest, most = (end(len(part.values) for part in parts) for end in (min, max))
    return plural(most, "seed") if fewest == most else f"{fewest} to {most} seeds"


def _size(number: float, metric: str) -> str:
    return words.difference(abs(number), metric).removeprefix("+")
