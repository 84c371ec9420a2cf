from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mnist_exp import data, figures
from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.training.results import EpochResult, Evaluation, StepPoint, confusion_counts
from tests.support.results import an_epoch


def epochs(count: int) -> list[EpochResult]:
    return [
        an_epoch(
            n,
            step=n * 5,
            cost=1 / n,
            train_accuracy=1 - 0.5 / n,
            val=Evaluation(1.1 / n, 0.9),
            test=Evaluation(1.2 / n, 0.8),
            batch_accuracies=((n * 5 - 5, 0.5),),
        )
        for n in range(1, count + 1)
    ]


@pytest.fixture
def probabilities(small_mnist: data.Dataset) -> np.ndarray:
    """Right for all but the images 3 and 5, which are wrong with 0.6 and 0.9."""
    scores = np.eye(10, dtype=np.float32)[small_mnist.test.labels]
    for index, sure in ((3, 0.6), (5, 0.9)):
        label = small_mnist.test.labels[index]
        scores[index] = 0
        scores[index, [label, (label + 1) % 10]] = 1 - sure, sure
    return scores


def texts(figure: Figure) -> list[str]:
    return [
        text.get_text()
        for axes in figure.axes
        for text in [axes.title, *axes.texts]
        if text.get_text()
    ]


def test_learning_curves_show_run_and_tutorial(tmp_path: Path) -> None:
    figure = figures.learning_curves(
        epochs(3), ReferenceConfig(source="x", test_accuracy=0.9, cost=[0.9, 0.5, 0.4, 0.3])
    )
    cost, accuracy = figure.axes
    assert cost.get_yscale() == "log"
    lines = {line.get_label(): line for line in cost.get_lines()}
    np.testing.assert_allclose(np.asarray(lines["train, by epoch"].get_ydata()), [1, 1 / 2, 1 / 3])
    np.testing.assert_allclose(np.asarray(lines["test"].get_ydata()), [1.2, 1.2 / 2, 1.2 / 3])
    np.testing.assert_allclose(np.asarray(lines["train, tutorial"].get_ydata()), [0.9, 0.5, 0.4])
    lines = {line.get_label(): line for line in accuracy.get_lines()}
    np.testing.assert_allclose(np.asarray(lines["validation"].get_ydata()), [0.9] * 3)
    assert "test, tutorial" in lines
    figure.savefig(tmp_path / "x.png")


def test_learning_curves_of_less_than_one_epoch_are_curves_over_steps() -> None:
    """Half of the tutorials take less than one epoch, and their results are single points."""
    points = tuple(StepPoint(10 * n, 2 / n, 1 - 1 / n) for n in range(1, 101))
    figure = figures.learning_curves([an_epoch(step=1000, step_points=points)], None)
    for axes, values in zip(figure.axes, ("cost", "accuracy"), strict=True):
        lines = {line.get_label(): line for line in axes.get_lines()}
        curve = lines["train, by step"]
        assert list(np.asarray(curve.get_xdata())) == list(range(10, 1001, 10))
        assert list(np.asarray(curve.get_ydata())) == [getattr(p, values) for p in points]
        assert list(np.asarray(lines["test"].get_xdata())) == [1000]
        assert axes.get_xlabel() == "training step"


def test_learning_curves_of_epochs_have_both_on_one_axis() -> None:
    """The last epoch of a run that ended within one is where its steps are."""
    lengths = ((1, 40, (20, 40)), (2, 60, (60,)))
    run = [
        an_epoch(number, step=step, step_points=tuple(StepPoint(at, 1.0, 0.5) for at in points))
        for number, step, points in lengths
    ]
    axes, _ = figures.learning_curves(run, None).axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(np.asarray(lines["train, by step"].get_xdata())) == [0.5, 1, 1.5]
    assert list(np.asarray(lines["test"].get_xdata())) == [1, 1.5]
    assert axes.get_xlabel() == "epoch"


def test_the_first_steps_do_not_squeeze_the_accuracies_of_the_epochs() -> None:
    points = (StepPoint(1, 2.0, 0.1), StepPoint(5, 0.2, 0.97))
    run = [replace(result, train_accuracy=0.95, step_points=points) for result in epochs(2)]
    low, high = figures.learning_curves(run, None).axes[1].get_ylim()
    assert 0.75 < low < 0.8  # of the test images
    assert 0.97 < high < 1


def test_rounding_errors_are_no_learning_curve() -> None:
    """The buggy loss stays at ln 10; its last digits are not magnified to the whole height."""
    costs = [2.3025851, 2.3025853]
    points = tuple(StepPoint(n + 1, cost, 0.1) for n, cost in enumerate(costs))
    figure = figures.learning_curves(
        [
            an_epoch(
                step=2,
                cost=2.3025852,
                val=Evaluation(2.3025852, 0.1),
                test=Evaluation(2.3025852, 0.1),
                step_points=points,
            )
        ],
        None,
    )
    low, high = figure.axes[0].get_ylim()
    assert high - low > 0.02


def test_learning_curves_of_a_cost_that_is_not_positive(tmp_path: Path) -> None:
    nan = Evaluation(float("nan"), 0.1)
    figure = figures.learning_curves([an_epoch(cost=float("nan"), val=nan, test=nan)], None)
    figure.savefig(tmp_path / "x.png")
    assert figure.axes[0].get_yscale() == "linear"


def test_confusion_matrix_counts(small_mnist: data.Dataset, probabilities: np.ndarray) -> None:
    figure = figures.confusion_matrix(small_mnist.test.labels, probabilities)
    assert figure.axes[0].get_title() == "298 of 300 test images right"
    assert sum(int(text.get_text()) for text in figure.axes[0].texts) == 300


def test_confusion_counts_have_labels_in_rows_and_predictions_in_columns() -> None:
    counts = confusion_counts(np.array([0, 0, 2]), np.array([1, 1, 2]), 3)
    assert counts.tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_mistakes_are_the_most_confident_first(
    small_mnist: data.Dataset, probabilities: np.ndarray
) -> None:
    figure = figures.mistakes(small_mnist.test, probabilities)
    first, second = texts(figure)[:2]
    label = small_mnist.test.labels[5]
    assert first == f"{label} read as {(label + 1) % 10}\n90.0%"
    assert second.endswith("60.0%")
    assert len(texts(figure)) == 2


def test_no_mistakes(small_mnist: data.Dataset) -> None:
    figure = figures.mistakes(
        small_mnist.test, np.eye(10, dtype=np.float32)[small_mnist.test.labels]
    )
    assert texts(figure) == []


def test_random_digit_shows_label_and_prediction(
    small_mnist: data.Dataset, probabilities: np.ndarray
) -> None:
    label = small_mnist.test.labels[5]
    (title,) = texts(figures.random_digit(small_mnist.test, probabilities, 5))
    assert title == f"test image 5\nlabel {label}, prediction {(label + 1) % 10} (90.0%)"


def test_batch_accuracy_beside_the_notebooks(tmp_path: Path) -> None:
    figure = figures.batch_accuracy(
        epochs(2), ReferenceConfig(source="x", batch_accuracy=[0.1, 0.8])
    )
    ours, theirs = figure.axes[0].get_lines()
    assert list(np.asarray(ours.get_xdata())) == [0, 5]
    assert list(np.asarray(theirs.get_xdata())) == [0, 100]
