"""Curves of one run: its cost and accuracy, and the accuracy of single batches."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.figures.figure import Figure
from mnist_exp.outside.plot_style import BLUE, GREEN, GREY, ORANGE
from mnist_exp.outside.plot_ticks import round_ticks
from mnist_exp.training.results import EpochResult

_MOST_MARKERS = 30  # epochs; more markers would cover the curve
_BY_STEP = "train, by step"
_LEAST_SPAN = 0.01  # of an axis, as a share of its values


def learning_curves(epochs: Sequence[EpochResult], reference: ReferenceConfig | None) -> Figure:
    """Draw cost (log scale) and accuracy over the run, beside what the tutorial reports.

    The run's length is in epochs, or in steps if one epoch is all: its results are single dots, but
    its step curve is a curve.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    name, unit = ("epoch", epochs[0].step) if len(epochs) > 1 else ("training step", 1)
    marker = "o" if len(epochs) <= _MOST_MARKERS else None
    at = [result.step / unit for result in epochs]
    points = [point for result in epochs for point in result.step_points]
    curves = {
        "train, by epoch": (BLUE, at, [(r.cost, r.train_accuracy) for r in epochs]),
        "validation": (ORANGE, at, [(r.val.cost, r.val.accuracy) for r in epochs]),
        "test": (
            GREEN,
            [x for x, r in zip(at, epochs, strict=True) if r.test is not None],
            [(r.test.cost, r.test.accuracy) for r in epochs if r.test is not None],
        ),
    }
    if points:
        steps, costs, accuracies = zip(*points, strict=True)
        for axes, curve in ((left, costs), (right, accuracies)):
            axes.plot(np.divide(steps, unit), curve, color=BLUE, lw=1, alpha=0.5, label=_BY_STEP)
    for label, (color, places, values) in curves.items():
        costs, accuracies = zip(*values, strict=True)
        for axes, curve in ((left, costs), (right, accuracies)):
            axes.plot(places, curve, marker=marker, ms=3, color=color, label=label)
    if reference is not None and reference.cost:
        printed = reference.cost[: len(epochs)]
        left.plot(at[: len(printed)], printed, color=GREY, ls="--", label="train, tutorial")
    if reference is not None and reference.test_accuracy is not None:
        right.axhline(reference.test_accuracy, color=GREY, ls="--", label="test, tutorial")
    if all(cost > 0 for _, _, values in curves.values() for cost, _ in values):
        left.set_yscale("log")
    left.set(ylabel="cost per example", title="Cost")
    right.set(ylabel="accuracy", title="Accuracy")
    if len(epochs) > 1:
        _begin_at_epochs(right, [v for *_, values in curves.values() for _, v in values])
    for axes in (left, right):
        axes.set_xlabel(name)
        _finish(axes)
    return figure


def _begin_at_epochs(axes: Axes, accuracies: Sequence[float]) -> None:
    """Leave out of an axis what lies below the epochs: the first steps would squeeze the rest."""
    low, high = min(accuracies), axes.dataLim.y1
    if low < high:
        axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def _finish(axes: Axes) -> None:
    """Give curves round ticks, a grid and a legend, and do not magnify rounding errors."""
    low, high = axes.get_ylim()
    if high - low < _LEAST_SPAN * high:
        axes.set_ylim(low - _LEAST_SPAN * high, high + _LEAST_SPAN * high)
    round_ticks(axes.xaxis, whole=True)
    round_ticks(axes.yaxis)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)


def batch_accuracy(epochs: Sequence[EpochResult], reference: ReferenceConfig | None) -> Figure:
    """Draw the accuracy of single training batches over steps, with the values of the notebook."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    points = [point for result in epochs for point in result.batch_accuracies]
    axes.plot(*zip(*points, strict=True), ".", ms=4, color=BLUE, label="this run")
    if reference is not None and reference.batch_accuracy:
        steps = [i * reference.batch_accuracy_every for i in range(len(reference.batch_accuracy))]
        axes.plot(steps, reference.batch_accuracy, "x", ms=5, color=ORANGE, label="tutorial")
    title = "Accuracy of the next training batch, dropout off"
    axes.set(xlabel="training step", ylabel="accuracy", title=title)
    _finish(axes)
    return figure
