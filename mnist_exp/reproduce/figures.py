"""Figures of a reproduction, as matplotlib figures; nothing here writes files or opens windows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from mnist_exp.reproduce.results import Curve, Result

if TYPE_CHECKING:
    from mnist_exp.reproduce.bug import Bug

# Okabe and Ito's palette, which colour-blind readers can tell apart.
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#666666"
_IMAGE = 1e-4  # the share of one test image
_LEGEND = {"frameon": False, "fontsize": 9}


def claims(results: Sequence[Result]) -> Figure:
    """Each preset on an axis of its own: seeds, mean, the interval of one more run, and the tutorial's number."""
    shown = [result for result in results if result.verdict.description is not None]
    figure = Figure(figsize=(8, 0.9 + 1.05 * len(shown)), layout="constrained")
    for axes, result in zip(figure.subplots(len(shown), 1, squeeze=False).flat, shown, strict=True):
        _claim(axes, result)
    handles = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside upper center", ncols=4, **_LEGEND
    )
    figure.supxlabel("test accuracy", fontsize=10)
    return figure


def _claim(axes: Axes, result: Result) -> None:
    verdict, values = result.verdict, sorted(result.found.accuracies.values())
    described = verdict.description
    assert described is not None
    spread = np.array([0, 0.16, -0.16, 0.08, -0.08])[
        np.arange(len(values)) % 5
    ]  # dots that would cover each other
    axes.plot(values, 0.42 + spread, "o", ms=5, color=_BLUE, alpha=0.75, label="a seed")
    if verdict.prediction.method == "t":
        ends = [verdict.prediction.low, verdict.prediction.high]
        axes.plot(
            ends,
            [-0.35, -0.35],
            "|-",
            color=_BLUE,
            lw=1.5,
            ms=9,
            label="95% interval of one more run",
        )
    axes.plot([described.mean], [-0.35], "D", ms=6, color=_BLUE, label="mean")
    if verdict.claim is not None:
        axes.axvline(verdict.claim, color=_ORANGE, lw=2, ls="--", label="tutorial")
    ends = [*values, *([verdict.claim] if verdict.claim is not None else [])]
    ends += (
        [verdict.prediction.low, verdict.prediction.high]
        if verdict.prediction.method == "t"
        else []
    )
    room = max(0.08 * (max(ends) - min(ends)), 5 * _IMAGE)
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_ylim(-0.85, 0.95)
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_locator(NullLocator())
    axes.set_title(result.name, loc="left", fontsize=10)
    axes.set_title(f"{verdict.word}, n = {described.n}", loc="right", fontsize=9, color=_GREY)
    axes.tick_params(labelsize=9)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["left", "right", "top"]].set_visible(False)


def cost(curve: Curve) -> Figure:
    """The costs that a tutorial printed, in the band of our seeds; below, both relative to our mean."""
    figure = Figure(figsize=(8, 5.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    x = [point.step for point in curve.points]
    mean = np.array([_mean(curve, i) for i in range(len(x))])
    for axes, unit in ((top, np.ones(len(x))), (bottom, mean)):
        low, high = (
            np.array([getattr(p, end) for p in curve.points]) / unit for end in ("low", "high")
        )
        axes.fill_between(
            x,
            low,
            high,
            color=_BLUE,
            alpha=0.25,
            lw=0,
            label=f"our {len(curve.means)} seeds, lowest to highest",
        )
        if all(point.verdict.prediction.method == "t" for point in curve.points):
            for side in ("low", "high"):
                ends = np.array([getattr(p.verdict.prediction, side) for p in curve.points])
                told = "95% interval of one more run" if side == "low" else None
                axes.plot(
                    x,
                    np.where(ends > 0, ends, np.nan) / unit,
                    color=_BLUE,
                    lw=1,
                    ls=":",
                    label=told,
                )
        axes.plot(x, mean / unit, color=_BLUE, lw=1.5, label="our mean")
        said = np.array([point.claim for point in curve.points]) / unit
        axes.plot(x, said, "x", ms=7, mew=2, color=_ORANGE, label="printed in the blog post")
        axes.grid(alpha=0.3)
        axes.spines[["right", "top"]].set_visible(False)
    top.set_yscale("log")
    top.set(ylabel="cost per image, log scale")
    top.yaxis.set_major_locator(FixedLocator([0.01, 0.02, 0.05, 0.1, 0.2, 0.5]))
    top.yaxis.set_major_formatter(FixedFormatter(["0.01", "0.02", "0.05", "0.1", "0.2", "0.5"]))
    top.yaxis.set_minor_locator(NullLocator())
    top.legend(**_LEGEND)
    bottom.set(xlabel="epoch", ylabel="divided by our mean")
    bottom.set_xticks(x)
    return figure


def batch_accuracy(curve: Curve) -> Figure:
    """The accuracies of single batches that a tutorial printed, in the band of our seeds."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    x = [point.step for point in curve.points]
    low, high = [p.low for p in curve.points], [p.high for p in curve.points]
    axes.fill_between(
        x,
        low,
        high,
        color=_BLUE,
        alpha=0.25,
        lw=0,
        label=f"our {len(curve.means)} seeds, lowest to highest",
    )
    axes.plot(x, [_mean(curve, i) for i in range(len(x))], color=_BLUE, lw=1.5, label="our mean")
    axes.plot(
        x,
        [p.claim for p in curve.points],
        "x",
        ms=7,
        mew=2,
        color=_ORANGE,
        label="printed in the notebook",
    )
    # The root of the errors: one wrong image of 50 and 45 wrong ones can both be read off.
    axes.set_yscale(
        "function", functions=(lambda a: -np.sqrt(np.maximum(1 - a, 0)), lambda r: 1 - np.square(r))
    )
    ticks = [0.1, 0.5, 0.7, 0.8, 0.9, 0.94, 0.98, 1.0]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in ticks]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(min(0.05, *low), 1.0)
    for artist in axes.lines:
        artist.set_clip_on(False)  # marks at 1 are whole
    axes.set(xlabel="training step", ylabel="accuracy of the next batch of 50")
    axes.grid(alpha=0.3)
    axes.spines[["right", "top"]].set_visible(False)
    axes.legend(loc="lower right", **_LEGEND)
    return figure


def bug(found: "Bug") -> Figure:
    """Both losses of one image while one logit moves from the start: one is at its top there, the other on a slope."""
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.plot(
        found.logit,
        found.entropy,
        color=_ORANGE,
        lw=2,
        label="the notebook's: \N{MINUS SIGN}sum(y log y), its own entropy",
    )
    axes.plot(
        found.logit,
        found.cross_entropy,
        color=_BLUE,
        lw=2,
        ls="--",
        label="the one that was meant: \N{MINUS SIGN}log y of the label",
    )
    axes.plot([0], [found.loss_at_start], "o", ms=8, color="black", zorder=3)
    axes.annotate(
        f"start: {found.loss_at_start:.4f} = ln 10",
        (0, found.loss_at_start),
        (0.35, found.loss_at_start + 1.1),
        fontsize=9,
        arrowprops={"arrowstyle": "-", "color": _GREY},
    )
    axes.set_ylim(0, None)
    axes.set(xlabel="logit of one class, the other nine at 0", ylabel="loss of one image")
    axes.grid(alpha=0.3)
    axes.spines[["right", "top"]].set_visible(False)
    axes.legend(**_LEGEND)
    return figure


def _mean(curve: Curve, i: int) -> float:
    return float(np.mean(list(curve.points[i].values.values())))
