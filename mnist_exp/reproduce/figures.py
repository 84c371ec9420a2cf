"""Figures of a reproduction, as matplotlib figures; nothing here writes files or opens windows."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.typing import NDArray

from mnist_exp.outside.plot_style import BLUE, GREY, VERMILLION
from mnist_exp.outside.plot_ticks import round_ticks
from mnist_exp.outside.printing import plural
from mnist_exp.reproduce.results import Curve, Result

if TYPE_CHECKING:
    from mnist_exp.reproduce.bug_numbers import Bug

_IMAGE = 1e-4  # the share of one test image
_LEGEND = {"frameon": False, "fontsize": 9}
_ONE_MORE_RUN = "95% interval of one more run"
_SPREAD = np.array([0, 0.16, -0.16, 0.08, -0.08])  # heights of dots that would cover each other
_COST_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
_WRONG = "the notebook's: \N{MINUS SIGN}sum(y log y), its own entropy"
_MEANT = "the one that was meant: \N{MINUS SIGN}log y of the label"
_ACCURACY_TICKS = [0.1, 0.5, 0.7, 0.8, 0.9, 0.94, 0.98, 1.0]


def claims(results: Sequence[Result]) -> Figure:
    """Draw each preset on an axis of its own.

    An axis shows the seeds, their mean, the interval of one more run, and the claim.
    All have the same scale, so that a shorter interval is one of a smaller spread.
    """
    shown = [result for result in results if result.assessment.description.n]
    figure = Figure(figsize=(8, 0.9 + 1.05 * len(shown)), layout="constrained")
    spans = [
        _claim(axes, result)
        for axes, result in zip(
            figure.subplots(len(shown), 1, squeeze=False).flat, shown, strict=True
        )
    ]
    half = 0.54 * max([10 * _IMAGE, *(high - low for low, high in spans)])
    for axes, (low, high) in zip(figure.axes, spans, strict=True):
        axes.set_xlim((low + high) / 2 - half, (low + high) / 2 + half)
    handles = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    lines, labels = list(handles.values()), list(handles)
    figure.legend(lines, labels, loc="outside upper center", ncols=4, **_LEGEND)
    figure.supxlabel("test accuracy; the same scale in each row", fontsize=10)
    return figure


def _claim(axes: Axes, result: Result) -> tuple[float, float]:
    """Draw one preset; return the lowest and the highest accuracy that is shown."""
    assessment, values = result.assessment, sorted(result.runs.accuracies.values())
    description = assessment.description
    shown = list(values)
    heights = 0.42 + _SPREAD[np.arange(len(values)) % len(_SPREAD)]
    axes.plot(values, heights, "o", ms=5, color=BLUE, alpha=0.75, label="a seed")
    if result.is_test and assessment.prediction.has_width:
        ends = [assessment.prediction.low, assessment.prediction.high]
        axes.plot(ends, [-0.35, -0.35], "|-", color=BLUE, lw=1.5, ms=9, label=_ONE_MORE_RUN)
        shown += ends
    axes.plot([description.mean], [-0.35], "D", ms=6, color=BLUE, label="mean")
    if assessment.claim is not None and result.is_test:
        axes.axvline(assessment.claim, color=VERMILLION, lw=2, ls="--", label="claim")
        shown.append(assessment.claim)
    axes.set_ylim(-0.85, 0.95)
    round_ticks(axes.xaxis)
    axes.yaxis.set_major_locator(NullLocator())
    axes.set_title(result.name, loc="left", fontsize=10)
    said = assessment.verdict if result.is_test else "no test of the claim"
    seeds = plural(description.n, "seed")
    axes.set_title(f"{said}, {seeds}", loc="right", fontsize=9, color=GREY)
    axes.tick_params(labelsize=9)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["left", "right", "top"]].set_visible(False)
    return min(shown), max(shown)


def cost(curve: Curve) -> Figure:
    """Draw the costs that a tutorial printed in the band of our seeds.

    The lower half shows the same, divided by our mean, with each seed as a thin line.
    """
    figure = Figure(figsize=(8, 5.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    steps = [point.step for point in curve.points]
    mean = _means(curve)
    for axes, unit in ((top, np.ones(len(steps))), (bottom, mean)):
        _band(axes, curve, unit)
        if all(point.assessment.prediction.has_width for point in curve.points):
            predictions = [point.assessment.prediction for point in curve.points]
            for ends, label in (
                ([interval.low for interval in predictions], _ONE_MORE_RUN),
                ([interval.high for interval in predictions], None),
            ):
                positive = np.where(np.array(ends) > 0, ends, np.nan)
                axes.plot(steps, positive / unit, color=BLUE, lw=1, ls=":", label=label)
        axes.plot(steps, mean / unit, color=BLUE, lw=1.5, label="our mean")
        _printed(axes, curve, unit, "printed in the blog post")
        axes.grid(alpha=0.3)
        axes.spines[["right", "top"]].set_visible(False)
    for values in _by_seed(curve):
        (seed,) = bottom.plot(steps, values / mean, color=BLUE, lw=0.8, zorder=1, gid="seed")
    top.set_yscale("log")
    top.set(ylabel="cost per image, log scale")
    _set_ticks(top, _COST_TICKS)
    handles, labels = top.get_legend_handles_labels()
    top.legend([*handles, seed], [*labels, "each seed, divided by our mean"], **_LEGEND)
    bottom.set(xlabel="epoch", ylabel="divided by our mean")
    bottom.set_xticks(steps)
    round_ticks(bottom.yaxis)
    return figure


def batch_accuracy(curve: Curve) -> Figure:
    """Draw the accuracies of single batches that a tutorial printed in the band of our seeds."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    unit = np.ones(len(curve.points))
    _band(axes, curve, unit)
    axes.plot([p.step for p in curve.points], _means(curve), color=BLUE, lw=1.5, label="our mean")
    _printed(axes, curve, unit, "printed in the notebook")
    # The root of the errors: one wrong image of 50 and 45 wrong ones can both be read off.
    axes.set_yscale(
        "function",
        functions=(
            lambda accuracy: -np.sqrt(np.maximum(1 - accuracy, 0)),
            lambda root: 1 - np.square(root),
        ),
    )
    _set_ticks(axes, _ACCURACY_TICKS)
    axes.set_ylim(min(0.05, *(point.low for point in curve.points)), 1.0)
    for artist in axes.lines:
        artist.set_clip_on(False)  # marks at 1 are whole
    axes.set(
        xlabel="training step",
        ylabel="accuracy of the next batch of 50\n(the scale is stretched towards 1)",
    )
    round_ticks(axes.xaxis, whole=True)
    axes.grid(alpha=0.3)
    axes.spines[["right", "top"]].set_visible(False)
    axes.legend(loc="lower right", **_LEGEND)
    return figure


def bug(analysis: "Bug") -> Figure:
    """Draw both losses of one image while one logit moves away from the start, and both trainings.

    The notebook's loss is at its maximum there, the one that was meant is on a slope. So the cost
    of the one stays where it is, and that of the other falls.
    """
    figure = Figure(figsize=(8, 4), layout="constrained")
    loss, training = figure.subplots(1, 2)
    logit, start = analysis.logit, analysis.loss_at_start
    loss.plot(logit, analysis.entropy, color=VERMILLION, lw=2, label=_WRONG)
    loss.plot(logit, analysis.cross_entropy, color=BLUE, lw=2, ls="--", label=_MEANT)
    loss.plot([0], [start], "o", ms=8, color="black", zorder=3)
    line = {"arrowstyle": "-", "color": GREY}
    text = f"start: {start:.4f} = ln 10"
    loss.annotate(text, (0, start), (0.35, start + 1.1), fontsize=9, arrowprops=line)
    loss.set(xlabel="logit of one class, the other nine at 0", ylabel="loss of one image")
    training.plot(*analysis.literal.course.T[:2], color=VERMILLION, lw=2)
    assert analysis.meant is not None  # see `has_curves`
    training.plot(*analysis.meant.course.T[:2], color=BLUE, lw=2, ls="--")
    round_ticks(training.xaxis, whole=True)
    training.set(xlabel="training step", ylabel="cost of the training batches")
    for axes in (loss, training):
        axes.set_ylim(0, None)
        axes.grid(alpha=0.3)
        axes.spines[["right", "top"]].set_visible(False)
    figure.legend(*loss.get_legend_handles_labels(), loc="outside upper center", ncols=2, **_LEGEND)
    return figure


def two_losses(analysis: "Bug") -> Figure:
    """Draw cost and accuracy over the steps of two trainings that differ in the loss alone."""
    figure = Figure(figsize=(9.6, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert analysis.meant is not None  # see `has_curves`
    wrong, meant = analysis.literal.course, analysis.meant.course
    for column, axes in ((1, left), (2, right)):
        axes.plot(wrong[:, 0], wrong[:, column], color=VERMILLION, lw=1.5, label=_WRONG)
        axes.plot(meant[:, 0], meant[:, column], color=BLUE, lw=1.5, label=_MEANT)
        axes.set_xlabel("training step")
        axes.set_ylim(0, None)
        round_ticks(axes.xaxis, whole=True)
        round_ticks(axes.yaxis)
        axes.grid(alpha=0.3)
        axes.spines[["right", "top"]].set_visible(False)
    middle, start = wrong[-1, 0] / 2, analysis.loss_at_start
    note = {"color": GREY, "fontsize": 9, "ha": "center"}
    left.text(middle, start - 0.06, f"{start:.4f} = ln 10: a guess", va="top", **note)
    right.text(middle, 0.16, "1 in 10: a guess", **note)
    left.set(ylabel="cost of a training image")
    right.set(ylabel="accuracy on training images", ylim=(0, 1))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2, **_LEGEND)
    return figure


def _by_seed(curve: Curve) -> list[NDArray[np.float64]]:
    return [np.array([point.values[seed] for point in curve.points]) for seed in curve.means]


def _means(curve: Curve) -> NDArray[np.float64]:
    return np.array([np.mean(list(point.values.values())) for point in curve.points])


def _band(axes: Axes, curve: Curve, unit: NDArray[np.float64]) -> None:
    steps = [point.step for point in curve.points]
    low, high = (np.array([getattr(p, end) for p in curve.points]) for end in ("low", "high"))
    label = f"our {plural(len(curve.means), 'seed')}, lowest to highest"
    axes.fill_between(steps, low / unit, high / unit, color=BLUE, alpha=0.25, lw=0, label=label)


def _printed(axes: Axes, curve: Curve, unit: NDArray[np.float64], label: str) -> None:
    steps = [point.step for point in curve.points]
    claimed = np.array([point.claim for point in curve.points])
    axes.plot(steps, claimed / unit, "x", ms=7, mew=2, color=VERMILLION, label=label)


def _set_ticks(axes: Axes, ticks: Iterable[float]) -> None:
    axes.yaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in ticks]))
    axes.yaxis.set_minor_locator(NullLocator())
