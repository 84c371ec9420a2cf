"""swaps.md and swaps.png: what each swapped setting adds at full length."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mnist_exp.compare import words
from mnist_exp.compare.statistics import SMALLEST_VERDICT
from mnist_exp.config import bridge
from mnist_exp.explain import sentences
from mnist_exp.outside import templates
from mnist_exp.outside.plot_style import BLUE, GREY
from mnist_exp.outside.plot_ticks import round_ticks
from mnist_exp.outside.printing import markdown as plain
from mnist_exp.outside.printing import plural
from mnist_exp.reproduce.presets import METRIC
from mnist_exp.reproduce.swap_programs import TUTORIALS
from mnist_exp.reproduce.swaps import MARGIN, PAGE, Measured, Swaps
from mnist_exp.reproduce.words import NONE
from mnist_exp.tracking import costs


def markdown(swaps: Swaps, runs: pd.DataFrame, command: str) -> str:
    """Return the page; `runs` are its lines of runs.csv, `command` is what wrote it."""
    blog_steps, notebook_steps = bridge.FULL_LENGTH
    return templates.render(
        f"reproduce/{PAGE}",
        command=command,
        gap=gap(swaps),
        answers=[(own, effects(swaps, base)) for base, (own, _) in TUTORIALS.items()],
        luck=sentences.luck(swaps.effects()),
        processor_time=costs.sentences(runs),
        rows=[_row(one) for one in swaps.measured],
        missing="; ".join(
            f"{one.program.preset.name}, seed {seed} ({plain(reason)})"
            for one in swaps.measured
            for seed, reason in one.runs.missing.items()
        ),
        blog_steps=f"{blog_steps:,}",
        notebook_steps=f"{notebook_steps:,}",
        margin=f"{MARGIN:g}",
        smallest_verdict=SMALLEST_VERDICT,
    )


def gap(swaps: Swaps) -> str:
    """Say how far apart both CNNs are."""
    effect = swaps.gap.effect
    blog, notebook = (one.mean for one in swaps.measured if one.change is None)
    interval = words.interval(effect.interval, METRIC, of_difference=True)
    return (
        f"From the blog's CNN ({words.value(blog, METRIC)}) to the notebook's "
        f"({words.value(notebook, METRIC)}), {METRIC} changes by "
        f"{words.difference(effect.mean, METRIC)}"
        f"{f' (95% interval {interval})' if interval else ''} over "
        f"{plural(len(effect.values), 'seed')}."
    )


def effects(swaps: Swaps, base: str) -> str:
    """Say which swaps of one of the two CNNs matter."""
    found = swaps.effects(base)
    enough = [effect for effect in found if len(effect.values) >= SMALLEST_VERDICT]
    few = [effect.name for effect in found if effect not in enough]
    said = [sentences.effects(enough, MARGIN, METRIC)] if enough else []
    if few:
        said.append(f"Too few seeds for {', '.join(few)}: a verdict needs {SMALLEST_VERDICT}.")
    return " ".join(said)


def _row(one: Measured) -> list[str]:
    seeds = str(len(one.runs.accuracies))
    mean = f"**{words.value(one.mean, METRIC)}**"
    if one.change is None or one.program.difference is None:
        return [one.program.preset.name, NONE, NONE, mean, NONE, NONE, NONE, NONE, seeds]
    effect = one.change.effect
    verdict = "**shown**" if effect.is_shown else sentences.effect(effect)
    if effect.is_within(MARGIN):
        verdict += f", less than {MARGIN:g}"
    noticed = words.difference(effect.noticed, METRIC).removeprefix("+")
    return [
        one.program.preset.name,
        f"`{one.program.difference.key}`",
        effect.change,
        mean,
        f"**{words.difference(effect.mean, METRIC)}**",
        sentences.interval(effect, METRIC),
        "none" if math.isnan(effect.noticed) else noticed,
        verdict,
        seeds,
    ]


def figure(swaps: Swaps) -> Figure:
    """Draw each program's accuracies: a dot for each seed, the mean, and a line at its CNN's."""
    drawn = Figure(figsize=(8, 1.1 + 0.5 * len(swaps.measured)), layout="constrained")
    axes = drawn.subplots()
    for row, one in enumerate(swaps.measured):
        accuracies = np.array([*one.runs.accuracies.values()])
        axes.plot(
            accuracies, np.full(len(accuracies), row + 0.16), "o", ms=5, color=BLUE, alpha=0.6
        )
        axes.plot(
            [one.mean], [row - 0.12], "D", ms=6, color="black" if one.change is None else BLUE
        )
        if one.change is None:
            swapped = len(swaps.effects(one.program.base))
            ends = [row - 0.12, row + swapped + 0.4]
            axes.plot([one.mean] * 2, ends, color=GREY, lw=1, ls="--", zorder=0)
    labels = [one.program.preset.name.replace(" with ", "\nwith ") for one in swaps.measured]
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
        *axes.plot([], [], "D", ms=6, color=BLUE, label="mean with the swapped setting"),
    ]
    drawn.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return drawn
