"""Test images with what a run takes them for, and a picture that a model was asked about."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mnist_exp.data import Form, Split
from mnist_exp.figures.figure import Figure
from mnist_exp.outside.images import as_seen, draw
from mnist_exp.outside.plot_letters import drawable, written
from mnist_exp.outside.plot_style import BLUE, GREY
from mnist_exp.outside.printing import plural
from mnist_exp.outside.short_names import all_shortened, longest, shortened

_MOST_MISTAKES = 24
_WIDTH = 10.4  # inches of the figure of mistakes
_NARROWEST, _WIDEST, _TALLEST = 1.3, 3.4, 2.6  # inches of an image in it
_COLUMN, _LINE = 0.075, 0.16  # inches of a column and of a line of text in the titles' size
_MOST_BARS = 15  # of classes; of more, only the most probable have a bar
_NAME = 26  # columns of text beside a bar


def mistakes(
    test: Split, probabilities: NDArray[np.float32], form: Form, limit: int = _MOST_MISTAKES
) -> Figure:
    """Draw the wrong test predictions with the highest probability, the most confident first.

    `probabilities` are those of the test images: [N, K].
    """
    predictions = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predictions != test.labels)
    chosen = wrong[np.argsort(-probabilities[wrong, predictions[wrong]], kind="stable")][:limit]
    shown = {*test.labels[chosen], *predictions[chosen]}
    with written(form.class_names) as names:
        size = _cell([names[i] for i in shown], form)
        titles = [
            f"{_taken(names[test.labels[i]], names[predictions[i]], size[0])}\n"
            f"{probabilities[i, predictions[i]]:.1%}"
            for i in chosen
        ]
        figure, cells = _grid(titles, size)
        for axes, title, i in zip(cells, titles, chosen, strict=False):
            draw(axes, as_seen(test.images[i], ink=form.is_digits), title)
        count = plural(len(wrong), "mistake")
        figure.suptitle(
            f"Most confident of {count} on the test images" if titles else "No mistakes"
        )
    return figure


def _cell(names: Sequence[str], form: Form) -> tuple[float, float]:
    """Return the width and height of an image in inches, with room above for names like these."""
    height, width, _ = form.image_shape
    room = _COLUMN * min(longest(names) + 10, 24)
    inches = float(np.clip(1.15 * width / height, max(room, _NARROWEST), _WIDEST))
    return inches, min(0.9 * inches * height / width, _TALLEST)


def _taken(label: str, prediction: str, inches: float) -> str:
    """Return `4 taken for 9`, on two lines if one of so many inches is too short."""
    columns = int(inches / _COLUMN)
    line = f"{label} taken for {prediction}"
    if longest([line]) <= columns:
        return line
    return f"{shortened(label, columns)}\ntaken for {shortened(prediction, columns - 10)}"


def _grid(titles: Sequence[str], size: tuple[float, float]) -> tuple[Figure, Iterator[Axes]]:
    """Return a figure with a cell for each title, and its cells."""
    width, height = size
    in_a_row = max(1, int(_WIDTH / width + 0.01))
    rows = max(1, -(-len(titles) // in_a_row))
    lines = 1 + max((title.count("\n") for title in titles), default=0)
    inches = rows * (height + lines * _LINE + 0.15) + 0.5
    figure = Figure(figsize=(_WIDTH, inches), layout="constrained")
    cells = figure.subplots(rows, in_a_row, squeeze=False).flat
    for axes in cells:
        axes.set_axis_off()
    return figure, iter(figure.axes)


def random_image(test: Split, probabilities: NDArray[np.float32], form: Form, index: int) -> Figure:
    """Draw one test image with its label and prediction, as the blog post does at its end.

    `probabilities` are those of the test images: [N, K].
    """
    answer = int(probabilities[index].argmax())
    height, width, _ = form.image_shape
    inches = float(np.clip(3.2 * height / width, 0.6, 6))
    figure = Figure(figsize=(3.2, inches + 0.4), layout="constrained")
    with written(form.class_names) as names:
        label, said = (shortened(names[i], 32) for i in (int(test.labels[index]), answer))
        said = f"prediction {said} ({probabilities[index, answer]:.1%})"
        line = f"label {label}, {said}"
        title = line if longest([line]) <= 40 else f"label {label}\n{said}"
        picture = as_seen(test.images[index], ink=form.is_digits)
        draw(figure.subplots(), picture, f"test image {index}\n{title}")
    return figure


def prediction(
    original: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    title: str,
    form: Form,
) -> Figure:
    """Draw a picture, what the network sees of it, and the probabilities of the classes.

    `original` is a picture as people see it, [H, W] or [H, W, 3]; `pixels` is an image of this
    form, and `probabilities` are [K]. Of many classes the most probable are shown.
    """
    height, width, _ = form.image_shape
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    shown_title = drawable(title)
    with written(form.class_names, shown_title) as names:
        figure.suptitle(shown_title)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.2))
        draw(left, original, "the picture")
        seen = as_seen(pixels, ink=form.is_digits)
        draw(middle, seen, f"what the network sees, {width}x{height}")
        _bars(right, probabilities, all_shortened(names, _NAME))
    return figure


def _bars(axes: Axes, probabilities: NDArray[np.floating], names: Sequence[str]) -> None:
    """Draw a bar for the probability of each class, or of the most probable ones in their order."""
    answer, classes = int(probabilities.argmax()), range(len(names))
    if len(names) > _MOST_BARS:
        classes = np.argsort(-probabilities, kind="stable")[:_MOST_BARS].tolist()
    shown = [float(probabilities[i]) for i in classes]
    colors = [BLUE if i == answer else GREY for i in classes]
    bars = axes.barh(range(len(shown)), shown, color=colors)
    axes.bar_label(bars, [f"{p:.1%}" if p >= 0.0005 else "" for p in shown], padding=3, fontsize=8)
    axes.set_yticks(range(len(shown)), [names[i] for i in classes])
    axes.set(xlim=(0, 1.18), xticks=(0, 0.5, 1), xlabel="probability")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
