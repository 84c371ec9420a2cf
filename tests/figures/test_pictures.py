"""Pictures of test images, of any shape, with what a run takes them for."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mnist_exp import data
from mnist_exp.data import MNIST
from mnist_exp.figures import pictures
from mnist_exp.outside import plot_style
from mnist_exp.outside.images import as_seen
from tests.support.made_data import ODD_NAMES, made, probabilities


@pytest.fixture
def scores(small_mnist: data.Dataset) -> np.ndarray:
    """Right for all but the images 3 and 5, which are wrong with 0.6 and 0.9."""
    scores = np.eye(10, dtype=np.float32)[small_mnist.test.labels]
    for index, sure in ((3, 0.6), (5, 0.9)):
        label = small_mnist.test.labels[index]
        scores[index] = 0
        scores[index, [label, (label + 1) % 10]] = 1 - sure, sure
    return scores


def texts(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def test_mistakes_are_the_most_confident_first(
    small_mnist: data.Dataset, scores: np.ndarray
) -> None:
    figure = pictures.mistakes(small_mnist.test, scores, MNIST)
    first, second = texts(figure)
    label = small_mnist.test.labels[5]
    assert first == f"{label} taken for {(label + 1) % 10}\n90.0%"
    assert second.endswith("60.0%")
    assert len(figure.axes) == 8  # in a row


def test_no_mistakes(small_mnist: data.Dataset) -> None:
    right = np.eye(10, dtype=np.float32)[small_mnist.test.labels]
    figure = pictures.mistakes(small_mnist.test, right, MNIST)
    assert texts(figure) == []
    assert figure.get_suptitle() == "No mistakes"


def test_random_image_shows_label_and_prediction(
    small_mnist: data.Dataset, scores: np.ndarray
) -> None:
    label = small_mnist.test.labels[5]
    figure = pictures.random_image(small_mnist.test, scores, MNIST, 5)
    assert texts(figure) == [f"test image 5\nlabel {label}, prediction {(label + 1) % 10} (90.0%)"]
    (shown,) = figure.axes[0].images
    assert np.array_equal(np.asarray(shown.get_array()), 255 - small_mnist.test.images[5, :, :, 0])


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("shape", [(28, 28, 1), (20, 20, 3), (16, 160, 1), (160, 16, 3)])
@pytest.mark.filterwarnings("error")
def test_images_of_other_data_are_as_they_are(shape: tuple[int, int, int], tmp_path: Path) -> None:
    form, split = made(shape, ODD_NAMES)
    scores = probabilities(split, form.num_classes, wrong=range(7))
    with plot_style.plain():
        figure = pictures.mistakes(split, scores, form)
        one = pictures.random_image(split, scores, form, 1)
        asked = pictures.prediction(
            as_seen(split.images[0], ink=False), split.images[0], scores[0], "a $b$ 狐.png", form
        )
        for number, made_figure in enumerate((figure, one, asked)):
            made_figure.savefig(tmp_path / f"{number}.png", dpi=120)
    picture = split.images[1] if shape[2] == 3 else split.images[1, :, :, 0]
    assert np.array_equal(np.asarray(one.axes[0].images[0].get_array()), picture)
    assert texts(one)[0].startswith("test image 1\nlabel no $x$ crack\nprediction a <b>")
    first = texts(figure)[0].replace("\n", " ")  # on one line if there is room
    assert first == "T-shirt/top taken for no $x$ crack 60.0%"
    boxes = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    rows = [box for box in boxes if abs(box.y0 - boxes[0].y0) < 2]
    assert all(left.x1 < right.x0 for left, right in pairwise(rows))
    assert min(box.x0 for box in boxes) > -2
    assert max(box.x1 for box in boxes) < figure.bbox.x1 + 2
    assert texts(asked)[1] == f"what the network sees, {shape[1]}x{shape[0]}"


def test_of_many_classes_the_most_probable_are_shown() -> None:
    form, split = made((8, 8, 3), [f"class {i}" for i in range(300)], 1)
    scores = np.linspace(0.001, 0.1, 300)
    image = split.images[0]
    figure = pictures.prediction(image, image, scores, "x", form)
    shown = [tick.get_text() for tick in figure.axes[2].get_yticklabels()]
    assert shown == [f"class {i}" for i in range(299, 284, -1)]
