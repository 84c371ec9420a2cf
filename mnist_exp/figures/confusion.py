"""Which classes are taken for which: a matrix of 2 to 1,000 classes."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from numpy.typing import NDArray

from mnist_exp.figures.figure import Figure
from mnist_exp.outside.plot_letters import written
from mnist_exp.outside.plot_style import BLUE
from mnist_exp.outside.plot_ticks import round_ticks
from mnist_exp.outside.printing import plural
from mnist_exp.outside.short_names import all_shortened, longest, shortened
from mnist_exp.training.confusion import Confusion, confusion_counts, most_frequent

_MOST_COUNTED = 20  # classes whose fields have room for a count
_MOST_NAMED = 60  # classes that have room for their names
_NAME = 22  # columns of text
_INCH = 72  # points
_LISTED = 25  # mistakes beside a matrix without names


def confusion_matrix(
    labels: NDArray[np.int32], predictions: NDArray[np.integer], class_names: Sequence[str]
) -> Figure:
    """Draw counts of test images by label (rows) and prediction (columns), both [N] in 0..K-1.

    The shade of a field is its share of the row. Of many classes, which have no room for counts and
    names, the most frequent mistakes stand beside the matrix.
    """
    counts = confusion_counts(labels, predictions, len(class_names))
    with written(class_names) as names:
        figure = _named(counts, names) if len(names) <= _MOST_NAMED else _with_list(counts, names)
    title = f"{np.trace(counts):,} of {plural(len(labels), 'test image')} right"
    figure.axes[0].set_title(title)
    return figure


def _named(counts: NDArray[np.int64], names: Sequence[str]) -> Figure:
    """Draw a matrix with the names of its classes, and with its counts if they have room."""
    classes, short = len(names), all_shortened(names, _NAME)
    is_counted = classes <= _MOST_COUNTED
    field = 0.5 if is_counted else 0.24  # inches
    side, room = max(2.5, field * classes), 0.085 * longest(short)
    figure = Figure(figsize=(side + room + 0.9, side + room + 0.6), layout="constrained")
    axes = figure.subplots()
    share = _shares(counts)
    if is_counted:
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        _write_counts(axes, counts, share, _INCH * side / classes)
    else:
        figure.set_figwidth(figure.get_figwidth() + 1)
        _draw_shares(axes, share, "equal")
    axes.set(xlabel="prediction", ylabel="label")
    axes.set_yticks(range(classes), short)
    turned: dict[str, Any] = {}
    if longest(short) > 2:
        turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        turned = turned if is_counted else {"rotation": 90}
    axes.set_xticks(range(classes), short, **turned)
    return figure


def _write_counts(
    axes: Axes, counts: NDArray[np.int64], share: NDArray[np.float64], width: float
) -> None:
    """Write the counts into their fields, which are so many points wide."""
    size = min(8, width / (0.7 * len(str(counts.max()))))
    for row, column in np.argwhere(counts):
        color = "white" if share[row, column] > 0.5 else "black"
        text = str(counts[row, column])
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=color)


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each field's share of its row."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _draw_shares(axes: Axes, share: NDArray[np.float64], aspect: Literal["equal", "auto"]) -> None:
    """Draw shares with a scale beside them, on which small ones can be seen."""
    norm = PowerNorm(0.5, vmin=0, vmax=1)
    image = axes.imshow(share, cmap="Blues", norm=norm, interpolation="nearest", aspect=aspect)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.5, label="share of the label's images")
    bar.set_ticks([0, 0.05, 0.2, 0.5, 1], labels=["0", "0.05", "0.2", "0.5", "1"])


def _with_list(counts: NDArray[np.int64], names: Sequence[str]) -> Figure:
    """Draw a matrix with the numbers of its classes, and the most frequent mistakes beside it."""
    figure = Figure(figsize=(17, 9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 1.3))
    _draw_shares(left, _shares(counts), "auto")
    left.set(xlabel="prediction, by number of the class", ylabel="label, by number of the class")
    for axis in (left.xaxis, left.yaxis):
        round_ticks(axis, whole=True)
    _list_mistakes(right, most_frequent(counts, _LISTED), names)
    return figure


def _list_mistakes(axes: Axes, mistakes: Sequence[Confusion], names: Sequence[str]) -> None:
    """Draw a bar for each of the mistakes, the most frequent on top."""
    axes.set_title("The most frequent mistakes" if mistakes else "No mistakes")
    if not mistakes:
        axes.set_axis_off()
        return
    lines = [
        f"{shortened(names[m.label], _NAME)} taken for {shortened(names[m.prediction], _NAME)}"
        for m in mistakes
    ]
    bars = axes.barh(range(len(mistakes)), [m.count for m in mistakes], color=BLUE)
    axes.bar_label(bars, [f"{m.count} of {m.images}" for m in mistakes], padding=3, fontsize=8)
    axes.set_yticks(range(len(mistakes)), lines, fontsize=8)
    axes.set(xlim=(0, 1.3 * mistakes[0].count), ylim=(_LISTED - 0.5, -0.5), xlabel="test images")
    round_ticks(axes.xaxis, whole=True)
    axes.spines[["top", "right"]].set_visible(False)
