"""explain.png: from the blog's CNN to the notebook's, one bar for each difference."""

from itertools import accumulate

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mnist_exp.compare import words
from mnist_exp.explain.contributions import Contribution, Explanation
from mnist_exp.outside.plot_style import BLUE, GREY, VERMILLION
from mnist_exp.outside.plot_ticks import round_ticks
from mnist_exp.outside.printing import plural

_NOT_SHOWN = "#BBBBBB"
_BAR, _INTERVAL, _DOTS = 0.0, 0.24, 0.38  # how far below a row's middle each is drawn


def waterfall(explanation: Explanation) -> Figure:
    """Draw what each difference adds, from where the last ended, between the two CNNs.

    The axis begins at the blog's CNN: what is added along the way is no program's accuracy, and may
    lead beyond 1. Below a bar are its 95% interval and a dot for each seed; a difference of which
    no effect is shown is grey.
    """
    parts, metric = explanation.contributions, explanation.metric
    levels = list(accumulate((part.mean for part in parts), initial=0.0))
    figure = Figure(figsize=(9, 1.3 + 0.5 * (len(parts) + 2)), layout="constrained")
    axes = figure.subplots()
    numbers = [words.value(float(np.mean(explanation.blog)), metric)]
    _end(axes, 0, levels[0])
    for row, (level, part) in enumerate(zip(levels, parts, strict=False), start=1):
        _part(axes, row, level, part)
        axes.plot([level] * 2, [row - 1, row], color=GREY, lw=0.8, zorder=1)
        numbers.append(words.difference(part.mean, metric))
    last = len(parts) + 1
    axes.plot([levels[-1]] * 2, [last - 1, last], color=GREY, lw=0.8, zorder=1)
    _end(axes, last, levels[-1])
    numbers.append(words.value(float(np.mean(explanation.notebook)), metric))
    changes = [f"{part.name}\n{part.change}" for part in parts]
    axes.set_yticks(range(last + 1), ["blog's CNN", *changes, "notebook's CNN"], fontsize=9)
    axes.set_ylim(last + 0.5, -0.5)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(last + 1), numbers, fontsize=9)
    for side in (axes, right):
        side.tick_params(axis="y", length=0)
    right.spines["right"].set_visible(False)
    round_ticks(axes.xaxis)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["left", "right", "top"]].set_visible(False)
    seeds = plural(len(explanation.seeds), "seed")
    axes.set_xlabel(f"added to the {metric} of the blog's CNN, mean over {seeds}")
    axes.use_sticky_edges = False  # bars that end at the edge would look cut off
    axes.margins(x=0.03)
    _legend(figure, axes)
    return figure


def _end(axes: Axes, row: int, level: float) -> None:
    """Draw the value of one of the two CNNs."""
    axes.plot([level], [row], "D", ms=7, color="black", zorder=3)


def _part(axes: Axes, row: int, start: float, part: Contribution) -> None:
    """Draw what a difference adds to where the one before it ended."""
    color = _NOT_SHOWN if not part.is_shown else BLUE if part.mean >= 0 else VERMILLION
    axes.barh(row + _BAR, part.mean, 0.3, left=start, color=color, zorder=2)
    axes.plot([start + part.mean] * 2, [row - 0.2, row + 0.2], color="black", lw=1.5, zorder=3)
    if part.interval.has_width:
        ends = [start + part.interval.low, start + part.interval.high]
        axes.plot(ends, [row + _INTERVAL] * 2, "|-", color="black", lw=1, ms=5, zorder=3)
    dots = start + np.array(part.values)
    axes.plot(dots, np.full(len(dots), row + _DOTS), "o", ms=3.5, color=GREY, alpha=0.8, mew=0)


def _legend(figure: Figure, axes: Axes) -> None:
    """Name the colours and the marks above the picture."""
    handles = [
        axes.barh([np.nan], [np.nan], color=BLUE, label="adds"),
        axes.barh([np.nan], [np.nan], color=VERMILLION, label="takes away"),
        axes.barh([np.nan], [np.nan], color=_NOT_SHOWN, label="no effect shown"),
        *axes.plot([], [], "|-", color="black", lw=1, ms=5, label="95% interval of the effect"),
        *axes.plot([], [], "o", ms=3.5, color=GREY, label="a seed"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=5, frameon=False, fontsize=9)
