"""Figures of one run, as matplotlib figures; nothing here writes files or opens windows."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.data import MNIST, Split
from mnist_exp.outside.plot_style import BLUE, GREEN, GREY, ORANGE
from mnist_exp.outside.plot_ticks import round_ticks
from mnist_exp.outside.printing import plural
from mnist_exp.training.results import EpochResult, confusion_counts

_MOST_MARKERS = 30  # epochs; more markers would cover the curve
_BY_STEP = "train, by step"
_CLASSES = MNIST.num_classes
_LEAST_SPAN = 0.01  # of an axis, as a share of its values
_MISTAKES_IN_A_ROW = 8


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
        "train, by epoch": (BLUE, [(r.cost, r.train_accuracy) for r in epochs]),
        "validation": (ORANGE, [(r.val.cost, r.val.accuracy) for r in epochs]),
        "test": (GREEN, [(r.test.cost, r.test.accuracy) for r in epochs]),
    }
    if points:
        steps, costs, accuracies = zip(*points, strict=True)
        for axes, curve in ((left, costs), (right, accuracies)):
            axes.plot(np.divide(steps, unit), curve, color=BLUE, lw=1, alpha=0.5, label=_BY_STEP)
    for label, (color, values) in curves.items():
        costs, accuracies = zip(*values, strict=True)
        for axes, curve in ((left, costs), (right, accuracies)):
            axes.plot(at, curve, marker=marker, ms=3, color=color, label=label)
    if reference is not None and reference.cost:
        printed = reference.cost[: len(epochs)]
        left.plot(at[: len(printed)], printed, color=GREY, ls="--", label="train, tutorial")
    if reference is not None and reference.test_accuracy is not None:
        right.axhline(reference.test_accuracy, color=GREY, ls="--", label="test, tutorial")
    if all(cost > 0 for r in epochs for cost in (r.cost, r.val.cost, r.test.cost)):
        left.set_yscale("log")
    left.set(ylabel="cost per example", title="Cost")
    right.set(ylabel="accuracy", title="Accuracy")
    if len(epochs) > 1:
        _begin_at_epochs(right, [v for _, values in curves.values() for _, v in values])
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


def confusion_matrix(labels: NDArray[np.int32], probabilities: NDArray[np.float32]) -> Figure:
    """Draw counts of test images by label (rows) and prediction (columns).

    The shade of a field is its share of the row.
    """
    counts = confusion_counts(labels, probabilities.argmax(axis=1), _CLASSES)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts):
        color = "white" if share[row, column] > 0.5 else "black"
        text = str(counts[row, column])
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=color)
    title = f"{np.trace(counts):,} of {plural(len(labels), 'test image')} right"
    axes.set(xlabel="prediction", ylabel="label", title=title)
    axes.set(xticks=range(_CLASSES), yticks=range(_CLASSES))
    return figure


def mistakes(test: Split, probabilities: NDArray[np.float32], limit: int = 24) -> Figure:
    """Draw the wrong test predictions with the highest probability, the most confident first."""
    predictions = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predictions != test.labels)
    chosen = wrong[np.argsort(-probabilities[wrong, predictions[wrong]], kind="stable")][:limit]
    rows = max(1, -(-len(chosen) // _MISTAKES_IN_A_ROW))
    figure = Figure(figsize=(1.3 * _MISTAKES_IN_A_ROW, 1.65 * rows + 0.5), layout="constrained")
    if len(wrong):
        figure.suptitle(f"Most confident of {plural(len(wrong), 'mistake')} on the test images")
    else:
        figure.suptitle("No mistakes")
    cells = figure.subplots(rows, _MISTAKES_IN_A_ROW, squeeze=False).flat
    for axes, index in zip(cells, chosen, strict=False):
        digit = predictions[index]
        title = f"{test.labels[index]} read as {digit}\n{probabilities[index, digit]:.1%}"
        draw_digit(axes, test.images[index], title)
    for axes in figure.axes[len(chosen) :]:
        axes.set_axis_off()
    return figure


def random_digit(test: Split, probabilities: NDArray[np.float32], index: int) -> Figure:
    """Draw one test digit with its label and prediction, as the blog post does at its end."""
    figure = Figure(figsize=(3.2, 3.6), layout="constrained")
    digit = int(probabilities[index].argmax())
    answer = f"prediction {digit} ({probabilities[index, digit]:.1%})"
    title = f"test image {index}\nlabel {test.labels[index]}, {answer}"
    draw_digit(figure.subplots(), test.images[index], title)
    return figure


def prediction(
    original: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
    probabilities: NDArray[np.float64],
    title: str,
) -> Figure:
    """Draw a picture, what the network sees of it, and the ten probabilities.

    `original` is an image of MNIST [H, W] or a picture [H, W, 3]; `pixels` are [28, 28].
    """
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    figure.suptitle(title, parse_math=False)  # a file's name may have a dollar
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.2))
    if original.ndim == 2:
        draw_digit(left, original[:, :, None], "the test image")
    else:
        left.imshow(original)
        left.set_title("the picture", fontsize=8)
        left.set_axis_off()
    draw_digit(middle, pixels[:, :, None], "what the network sees, 28x28")
    answer = int(probabilities.argmax())
    colors = [BLUE if digit == answer else GREY for digit in range(_CLASSES)]
    bars = right.barh(range(_CLASSES), probabilities, color=colors)
    shares = [f"{p:.1%}" if p >= 0.0005 else "" for p in probabilities]
    right.bar_label(bars, shares, padding=3, fontsize=8)
    right.set(yticks=range(_CLASSES), xlim=(0, 1.18), xticks=(0, 0.5, 1), xlabel="probability")
    right.invert_yaxis()
    right.spines[["top", "right"]].set_visible(False)
    return figure


def draw_digit(axes: Axes, image: NDArray[np.uint8], title: str) -> None:
    """Draw one image [28, 28, 1], dark on light."""
    axes.imshow(image[:, :, 0], cmap="Greys", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title, fontsize=8)
    axes.set_axis_off()
