from dataclasses import replace
from pathlib import Path

import numpy as np

from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.figures import curves
from mnist_exp.training.results import EpochResult, Evaluation, StepPoint
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


def test_learning_curves_show_run_and_tutorial(tmp_path: Path) -> None:
    figure = curves.learning_curves(
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
    figure = curves.learning_curves([an_epoch(step=1000, step_points=points)], None)
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
    axes, _ = curves.learning_curves(run, None).axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(np.asarray(lines["train, by step"].get_xdata())) == [0.5, 1, 1.5]
    assert list(np.asarray(lines["test"].get_xdata())) == [1, 1.5]
    assert axes.get_xlabel() == "epoch"


def test_the_first_steps_do_not_squeeze_the_accuracies_of_the_epochs() -> None:
    points = (StepPoint(1, 2.0, 0.1), StepPoint(5, 0.2, 0.97))
    run = [replace(result, train_accuracy=0.95, step_points=points) for result in epochs(2)]
    low, high = curves.learning_curves(run, None).axes[1].get_ylim()
    assert 0.75 < low < 0.8  # of the test images
    assert 0.97 < high < 1


def test_rounding_errors_are_no_learning_curve() -> None:
    """The buggy loss stays at ln 10; its last digits are not magnified to the whole height."""
    costs = [2.3025851, 2.3025853]
    points = tuple(StepPoint(n + 1, cost, 0.1) for n, cost in enumerate(costs))
    figure = curves.learning_curves(
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
    figure = curves.learning_curves([an_epoch(cost=float("nan"), val=nan, test=nan)], None)
    figure.savefig(tmp_path / "x.png")
    assert figure.axes[0].get_yscale() == "linear"


def test_batch_accuracy_beside_the_notebooks(tmp_path: Path) -> None:
    figure = curves.batch_accuracy(
        epochs(2), ReferenceConfig(source="x", batch_accuracy=[0.1, 0.8])
    )
    ours, theirs = figure.axes[0].get_lines()
    assert list(np.asarray(ours.get_xdata())) == [0, 5]
    assert list(np.asarray(theirs.get_xdata())) == [0, 100]
