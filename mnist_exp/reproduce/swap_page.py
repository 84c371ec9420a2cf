"""swaps.md and swaps.png: what each swapped setting adds at full length."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mnist_exp.compare import paired_words, words
from mnist_exp.compare.paired_effects import MARGIN
from mnist_exp.compare.statistics import SMALLEST_VERDICT
from mnist_exp.config import bridge
from mnist_exp.outside import printing, templates
from mnist_exp.outside.plot_style import BLUE, GREY
from mnist_exp.outside.plot_ticks import round_ticks
from mnist_exp.reproduce.presets import BLOG, METRIC
from mnist_exp.reproduce.runs import PresetRuns
from mnist_exp.reproduce.swap_programs import TUTORIALS
from mnist_exp.reproduce.swaps import PAGE, Measured, Swaps, interactions
from mnist_exp.reproduce.words import NONE
from mnist_exp.tracking import costs


def markdown(swaps: Swaps, runs: pd.DataFrame, more: Sequence[PresetRuns], command: str) -> str:
    """Return the page.

    runs: the swaps' lines of runs.csv
    more: the runs of each CNN as it is, those with other seeds, too
    command: what wrote the page
    """
    blog_steps, notebook_steps = bridge.FULL_LENGTH
    return templates.render(
        f"reproduce/{PAGE}",
        command=command,
        gap=gap(swaps),
        answers=[answer(swaps, base) for base in TUTORIALS],
        other_seeds=_other_seeds(swaps, more),
        alike=alike(swaps),
        keys={one.program.swap.key for one in swaps.measured if one.program.swap},
        luck=paired_words.luck(swaps.effects()),
        processor_time=costs.sentences(runs),
        rows=[_row(one) for one in swaps.measured],
        missing=[printing.markdown(text) for text in missing(swaps)],
        blog_steps=f"{blog_steps:,}",
        notebook_steps=f"{notebook_steps:,}",
        margin=f"{MARGIN:g}",
        smallest_verdict=SMALLEST_VERDICT,
        has_noticed=any(not math.isnan(effect.noticed) for effect in swaps.effects()),
    )


def gap(swaps: Swaps) -> str:
    """Say how far apart both CNNs are, over the seeds that both have."""
    of_both = swaps.gap
    assert of_both.effect is not None
    notebook = of_both.mean
    blog = notebook - of_both.effect.mean
    return (
        f"From the blog's CNN ({words.value(blog, METRIC)}) to the notebook's "
        f"({words.value(notebook, METRIC)}), {paired_words.change(of_both.effect, METRIC)}."
    )


def answer(swaps: Swaps, base: str) -> str:
    """Say which swaps of one of the two CNNs matter."""
    effects = swaps.effects(base)
    enough = [effect for effect in effects if len(effect.values) >= SMALLEST_VERDICT]
    few = [effect.name for effect in effects if effect not in enough]
    said = [f"In the {TUTORIALS[base][0]}'s CNN:"]
    if enough:
        said.append(paired_words.answer(enough, MARGIN, METRIC))
    if left := _left(swaps, base):
        said.append(f"What is left of the gap: {', '.join(left)}.")
    if few:
        names = printing.listed(few)
        said.append(f"Too few seeds for {names}: a verdict needs {SMALLEST_VERDICT}.")
    return " ".join(said) if effects else f"{said[0]} no run to compare."


def alike(swaps: Swaps) -> str:
    """Say whether the same change adds as much to the blog's CNN as to the notebook's.

    Empty without a difference that was swapped in both with seeds enough.
    """
    parts = [part for part in interactions(swaps) if len(part.values) >= SMALLEST_VERDICT]
    if not parts:
        return ""
    shown = "; ".join(
        f"{part.name} ({part.change}) {paired_words.with_interval(part, METRIC)}, "
        f"{paired_words.verdict(part, MARGIN)}"
        for part in parts
    )
    corrected = paired_words.corrected(parts, "a difference between the two CNNs is still shown of")
    asked = "What the same change adds to the blog's CNN more than to the notebook's"
    return f"{asked}: {shown}. {corrected}"


def _left(swaps: Swaps, base: str) -> list[str]:
    """Return such as `+0.0017 (+0.0009 to +0.0026) with the notebook's dense layer`."""
    return [
        f"{paired_words.with_interval(one.left, METRIC)} with {one.program.swap.name}"
        for one in swaps.measured
        if one.program.base == base and one.program.swap and one.left
        if len(one.left.values) >= SMALLEST_VERDICT
    ]


def _other_seeds(swaps: Swaps, more: Sequence[PresetRuns]) -> list[str]:
    """Say how good the runs that all swaps of a CNN are compared with are among its other runs."""
    as_they_are = [one for one in swaps.measured if one.program.swap is None]
    said = []
    for one, runs in zip(as_they_are, more, strict=True):
        if len(runs.accuracies) > len(one.seeds):
            mean = float(np.mean(list(runs.accuracies.values())))
            way, other = ("lower", "higher") if mean > one.mean else ("higher", "lower")
            off = f"{abs(one.mean - mean):.4f} {way}"
            changes = f"its changes would be {off}, and the gap as much {other}"
            if one.program.base == BLOG:
                changes = f"its changes and the gap would be {off}"
            said.append(
                f"Over {printing.plural(len(one.seeds), 'seed')}, as here, the {one.program.name} "
                f"has {words.value(one.mean, METRIC)}, and over {len(runs.accuracies)} it has "
                f"{words.value(mean, METRIC)}: compared with that, {changes}."
            )
    return said


def missing(swaps: Swaps) -> list[str]:
    """Return which runs are missing, and why."""
    return [
        f"{one.program.name}, seed {seed}: {reason}"
        for one in swaps.measured
        for seed, reason in one.runs.missing.items()
    ]


def _row(one: Measured) -> list[str]:
    effect, swap = one.effect, one.program.swap
    return [
        one.program.name,
        f"`{swap.key}`" if swap else NONE,
        effect.change if effect else NONE,
        f"**{words.value(one.mean, METRIC)}**",
        *(paired_words.cells(effect, MARGIN, METRIC) if effect else [NONE] * 4),
        paired_words.with_interval(one.left, METRIC) if one.left else NONE,
        str(len(one.seeds)),
    ]


def figure(swaps: Swaps) -> Figure:
    """Draw each program's accuracies: a dot for each seed, the mean, and a line at its CNN's."""
    drawn = Figure(figsize=(8, 1.1 + 0.5 * len(swaps.measured)), layout="constrained")
    axes = drawn.subplots()
    for row, one in enumerate(swaps.measured):
        axes.plot(
            one.accuracies, np.full(len(one.seeds), row + 0.16), "o", ms=5, color=BLUE, alpha=0.6
        )
        axes.plot([one.mean], [row - 0.12], "D", ms=6, color=BLUE if one.program.swap else "black")
        if one.program.swap is None:
            last = row + sum(other.program.base == one.program.base for other in swaps.measured) - 1
            axes.plot([one.mean] * 2, [row - 0.12, last + 0.4], color=GREY, lw=1, ls="--", zorder=0)
    labels = [one.program.name.replace("CNN ", "CNN\n") for one in swaps.measured]
    axes.set_yticks(range(len(labels)), labels, fontsize=9)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    round_ticks(axes.xaxis)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.set_xlabel(METRIC)
    handles = [
        *axes.plot([], [], "o", ms=5, color=BLUE, alpha=0.6, label="a seed"),
        *axes.plot([], [], "D", ms=6, color="black", label="mean of the CNN as it is"),
        *axes.plot([], [], color=GREY, lw=1, ls="--", label="the same, to compare with"),
        *axes.plot([], [], "D", ms=6, color=BLUE, label="mean with the swapped setting"),
    ]
    drawn.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=9)
    return drawn
