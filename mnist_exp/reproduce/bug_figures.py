"""Figures of bug.md: the courses of all trainings, and weights as images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mnist_exp.outside.plot_style import BLUE, GREEN, GREY, ORANGE, VERMILLION
from mnist_exp.outside.plot_ticks import plain_number, round_ticks
from mnist_exp.reproduce.bug_cases import PRESET_RATE, STARTS
from mnist_exp.reproduce.bug_training import Trained

_COLORS = {0.0001: GREEN, 0.001: BLUE, 0.01: ORANGE, 0.1: VERMILLION, 1.0: "black"}
_GUESS = np.log(10)
_SIDE = 28  # of an image, in pixels


def courses(trained: Sequence[Trained]) -> Figure:
    """Draw cost and accuracy over the steps: a column for each start, a line for each seed.

    The loss that was meant is dashed, at the tutorial's own rate. A cross at the upper edge is the
    step from which on the cost is NaN.
    """
    starts = [start for start in STARTS if any(one.case.start == start for one in trained)]
    figure = Figure(figsize=(2.5 * len(starts) + 0.6, 5.2), layout="constrained")
    panels = figure.subplots(2, len(starts), squeeze=False)
    for column, start in enumerate(starts):
        here = [one for one in trained if one.case.start == start]
        cost, accuracy = panels[:, column]
        for one in here:
            _course(cost, accuracy, one)
        cost.set_title(start, fontsize=10)
        cost.axhline(_GUESS, color=GREY, lw=0.8, ls=":")
        cost.set_ylim(-0.08, 3.2)
        accuracy.set_ylim(-0.03, 1.0)
        accuracy.set_xlabel("training step", fontsize=9)
        for axes in (cost, accuracy):
            round_ticks(axes.xaxis, whole=True)
            axes.tick_params(labelsize=8)
            axes.grid(alpha=0.3)
            axes.spines[["right", "top"]].set_visible(False)
            if column:
                axes.tick_params(labelleft=False)
    panels[0, 0].set_ylabel("cost of a training image", fontsize=9)
    panels[0, 0].text(0, _GUESS + 0.06, "ln 10: a guess", fontsize=8, color=GREY)
    panels[1, 0].set_ylabel("accuracy on training images", fontsize=9)
    _legend(figure, panels[0, 0], trained)
    return figure


def _course(cost: Axes, accuracy: Axes, one: Trained) -> None:
    case = one.case
    steps, costs, accuracies = one.course.T
    if case.is_meant:
        if case.rate == PRESET_RATE[case.start]:
            for axes, values in ((cost, costs), (accuracy, accuracies)):
                axes.plot(steps, values, color=GREY, lw=1, ls="--", zorder=1)
        return
    color = _COLORS[case.rate]
    for axes, values in ((cost, costs), (accuracy, accuracies)):
        known = np.isfinite(costs)
        axes.plot(steps[known], values[known], color=color, lw=1.2, alpha=0.8)
        if one.broken_at is not None:
            edge = axes.get_xaxis_transform()  # a cross has a step, but no value
            axes.plot([one.broken_at], [0.97], "x", color=color, ms=7, mew=2, transform=edge)


def _legend(figure: Figure, axes: Axes, trained: Sequence[Trained]) -> None:
    rates = sorted({one.case.rate for one in trained})
    lines = [
        *axes.plot([], [], color=GREY, ls="--", lw=1, label="the loss that was meant"),
        *axes.plot([], [], "x", color=GREY, mew=2, ls="", label="NaN from here on"),
    ]
    shown = [
        axes.plot([], [], color=_COLORS[rate], label=f"learning rate {plain_number(rate)}")[0]
        for rate in rates
    ]
    figure.legend(
        handles=[*shown, *lines],
        loc="outside upper center",
        ncols=len(shown) + 2,
        frameon=False,
        fontsize=9,
    )


def weights(wrong: Trained, meant: Trained) -> Figure:
    """Draw the weights of a softmax regression as images, one a class.

    Rows: before training, after it with the wrong loss, and after it with the one that was meant.
    """
    rows = {
        "before\ntraining": wrong.weights[0],
        "the notebook's\nloss": wrong.weights[1],
        "the loss that\nwas meant": meant.weights[1],
    }
    most = max(float(np.abs(values).max()) for values in rows.values())
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    panels = figure.subplots(len(rows), wrong.weights[0].shape[1])
    for row, (name, values) in zip(panels, rows.items(), strict=True):
        for digit, axes in enumerate(row):
            picture = values[:, digit].reshape(_SIDE, _SIDE)
            shown = axes.imshow(picture, cmap="RdBu", vmin=-most, vmax=most)
            axes.set_xticks([])
            axes.set_yticks([])
        row[0].set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")
    for digit, axes in enumerate(panels[0]):
        axes.set_title(str(digit), fontsize=10)
    bar = figure.colorbar(shown, ax=panels, shrink=0.8, pad=0.01)
    round_ticks(bar.ax.yaxis)
    bar.ax.tick_params(labelsize=8)
    bar.set_label("weight of a pixel", fontsize=9)
    return figure
