"""Confusion matrices of 2 to 1,000 classes: what is written on them can be read."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mnist_exp import data
from mnist_exp.figures.confusion import confusion_matrix
from mnist_exp.outside import plot_style
from tests.support.made_data import names


def drawn(classes: int, mistakes: int = 3, class_names: tuple[str, ...] = ()) -> Figure:
    """The matrix of ten images a class, of which the first have that many mistakes."""
    labels = np.repeat(np.arange(classes, dtype=np.int32), 10)
    predictions = labels.copy()
    predictions[:mistakes] = (labels[:mistakes] + 1) % classes
    with plot_style.plain():
        return confusion_matrix(labels, predictions, class_names or names(classes))


def test_counts(small_mnist: data.Dataset) -> None:
    labels = small_mnist.test.labels
    predictions = labels.copy()
    predictions[[3, 5]] = (labels[[3, 5]] + 1) % 10
    axes = confusion_matrix(labels, predictions, data.MNIST.class_names).axes[0]
    assert axes.get_title() == "298 of 300 test images right"
    assert sum(int(text.get_text()) for text in axes.texts) == 300
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == list("0123456789")


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("classes", [2, 10, 26, 60, 61, 1000])
@pytest.mark.filterwarnings("error")  # such as a letter without a font
def test_labels_neither_overlap_nor_leave_the_figure(classes: int) -> None:
    figure = drawn(classes)
    figure.draw_without_rendering()
    for axes in figure.axes:
        for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
            low, high = sorted(axis.get_view_interval())
            inside = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            ticks = [t.label1 for t in inside if t.label1.get_text() and t.label1.get_visible()]
            found = [tick.get_window_extent().get_points() for tick in ticks]
            boxes = np.array(found).reshape(-1, 2, 2)
            assert boxes.min(initial=0) > -2
            assert (boxes[:, 1] < np.array(figure.bbox.max) + 2).all()
            middles = np.sort(boxes.mean(axis=1)[:, side])
            sizes = boxes[:, 1, side] - boxes[:, 0, side]
            if not any(tick.get_rotation() % 90 for tick in ticks):
                assert np.diff(middles).min(initial=np.inf) >= 0.95 * sizes.min(initial=np.inf)


def test_fields_without_room_have_no_counts() -> None:
    assert len(drawn(20).axes[0].texts) == 21
    assert not drawn(26).axes[0].texts


def test_the_most_frequent_mistakes_of_many_classes_are_listed() -> None:
    matrix, mistakes, _ = drawn(300).axes
    assert len(matrix.get_yticklabels()) < 12
    assert [tick.get_text() for tick in mistakes.get_yticklabels()] == [
        "T-shirt/top taken for no $x$ crack"
    ]
    assert mistakes.texts[0].get_text() == "3 of 10"
    _, none, _ = drawn(300, mistakes=0).axes
    assert none.get_title() == "No mistakes"


def test_a_dollar_is_no_formula_and_long_names_are_told_apart() -> None:
    alike = tuple(f"the same long beginning {i} and the same end" for i in range(3))
    axes = drawn(4, class_names=("$a$", *alike)).axes[0]
    ticks = axes.get_yticklabels()
    assert not any(tick.get_parse_math() for tick in ticks)
    texts = [tick.get_text() for tick in ticks]
    assert texts[0] == "$a$"
    assert len(set(texts)) == 4
    assert all(len(text) <= 22 for text in texts)
