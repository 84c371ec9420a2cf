"""Figures of one run, as matplotlib figures; nothing here writes files or opens windows."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnist_exp.config import ReferenceConfig
from mnist_exp.data import NUM_CLASSES, Split
from mnist_exp.results import EpochResult

# Okabe and Ito's palette, which colour-blind readers can tell apart.
_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#E69F00", "#009E73", "#666666"


def learning_curves(epochs: Sequence[EpochResult], reference: ReferenceConfig | None) -> Figure:
    """Cost (log scale) and accuracy over epochs, the tutorial's own costs and test accuracy beside them."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    x = [result.epoch for result in epochs]
    marker = "o" if len(epochs) <= 30 else None
    curves = {
        "train": (_BLUE, [(r.cost, r.train_accuracy) for r in epochs]),
        "validation": (_ORANGE, [(r.val.cost, r.val.accuracy) for r in epochs]),
        "test": (_GREEN, [(r.test.cost, r.test.accuracy) for r in epochs]),
    }
    for split, (color, values) in curves.items():
        costs, accuracies = zip(*values, strict=True)
        for axes, y in ((left, costs), (right, accuracies)):
            axes.plot(x, y, marker=marker, ms=3, color=color, label=f"{split}, this run")
    if reference is not None and reference.cost:
        said = reference.cost[: len(epochs)]
        left.plot(x[: len(said)], said, color=_GREY, linestyle="--", label="train, tutorial")
    if reference is not None and reference.test_accuracy is not None:
        right.axhline(reference.test_accuracy, color=_GREY, linestyle="--", label="test, tutorial")
    if all(r.cost > 0 and r.val.cost > 0 and r.test.cost > 0 for r in epochs):
        left.set_yscale("log")
    left.set(xlabel="epoch", ylabel="cost per example", title="Cost")
    right.set(xlabel="epoch", ylabel="accuracy", title="Accuracy")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    return figure


def batch_accuracy(epochs: Sequence[EpochResult], reference: ReferenceConfig | None) -> Figure:
    """Accuracy of single training batches over steps, as the notebook prints it, beside its printed values."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    points = [point for result in epochs for point in result.batch_accuracies]
    axes.plot(*zip(*points, strict=True), ".", ms=4, color=_BLUE, label="this run")
    if reference is not None and reference.batch_accuracy:
        steps = [i * reference.batch_accuracy_every for i in range(len(reference.batch_accuracy))]
        axes.plot(steps, reference.batch_accuracy, "x", ms=5, color=_ORANGE, label="tutorial")
    axes.set(
        xlabel="training step",
        ylabel="accuracy",
        title="Accuracy of the next training batch, dropout off",
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def confusion_matrix(labels: NDArray[np.int32], probabilities: NDArray[np.float32]) -> Figure:
    """Counts of test images by label (rows) and prediction (columns); shade is the share of the row."""
    predictions = probabilities.argmax(axis=1)
    counts = np.zeros((NUM_CLASSES, NUM_CLASSES), int)
    np.add.at(counts, (labels, predictions), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        if counts[row, column]:
            color = "white" if share[row, column] > 0.5 else "black"
            axes.text(
                column,
                row,
                str(counts[row, column]),
                ha="center",
                va="center",
                fontsize=8,
                color=color,
            )
    right = int(np.trace(counts))
    axes.set(
        xlabel="prediction",
        ylabel="label",
        title=f"{right:,} of {len(labels):,} test images right",
        xticks=range(NUM_CLASSES),
        yticks=range(NUM_CLASSES),
    )
    return figure


def mistakes(test: Split, probabilities: NDArray[np.float32], limit: int = 24) -> Figure:
    """The wrong test predictions with the highest probability, the most confident first."""
    predictions = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predictions != test.labels)
    chosen = wrong[np.argsort(-probabilities[wrong, predictions[wrong]], kind="stable")][:limit]
    columns = 8
    rows = max(1, -(-len(chosen) // columns))
    figure = Figure(figsize=(1.3 * columns, 1.65 * rows + 0.5), layout="constrained")
    figure.suptitle(
        f"Most confident of {len(wrong):,} mistakes on the test images"
        if len(wrong)
        else "No mistakes"
    )
    for axes, index in zip(
        figure.subplots(rows, columns, squeeze=False).flat, chosen, strict=False
    ):
        said = predictions[index]
        draw_digit(
            axes,
            test.images[index],
            f"{test.labels[index]} read as {said}\n{probabilities[index, said]:.1%}",
        )
    for axes in figure.axes[len(chosen) :]:
        axes.set_axis_off()
    return figure


def random_digit(test: Split, probabilities: NDArray[np.float32], index: int) -> Figure:
    """The blog post's last step: one test digit with its label and prediction."""
    figure = Figure(figsize=(3.2, 3.6), layout="constrained")
    said = int(probabilities[index].argmax())
    title = f"test image {index}\nlabel {test.labels[index]}, prediction {said} ({probabilities[index, said]:.1%})"
    draw_digit(figure.subplots(), test.images[index], title)
    return figure


def prediction(
    original: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
    probabilities: NDArray[np.float64],
    title: str,
) -> Figure:
    """A picture [H, W] of MNIST or [H, W, 3], what the network sees of it [28, 28], and the ten probabilities."""
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
    said = int(probabilities.argmax())
    colors = [_BLUE if digit == said else _GREY for digit in range(NUM_CLASSES)]
    bars = right.barh(range(NUM_CLASSES), probabilities, color=colors)
    right.bar_label(
        bars, [f"{p:.1%}" if p >= 0.0005 else "" for p in probabilities], padding=3, fontsize=8
    )
    right.set(yticks=range(NUM_CLASSES), xlim=(0, 1.18), xticks=(0, 0.5, 1), xlabel="probability")
    right.invert_yaxis()
    right.spines[["top", "right"]].set_visible(False)
    return figure


def draw_digit(axes: Axes, image: NDArray[np.uint8], title: str) -> None:
    """One image [28, 28, 1], dark on light."""
    axes.imshow(image[:, :, 0], cmap="Greys", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title, fontsize=8)
    axes.set_axis_off()
