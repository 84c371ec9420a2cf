"""Which figures of curves and settings the page has, and their order."""

from collections.abc import Mapping

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.compare import charts
from mnist_exp.compare.comparison import Comparison, compare
from mnist_exp.compare.strips import Strips
from mnist_exp.tracking.runs import Selection, Store


def compared() -> Comparison:
    return compare(Store(), Selection(study="x"))


def test_values_that_are_no_numbers_stand_in_the_order_of_their_runs(fake_runs: FakeRuns) -> None:
    """A page that is written again is the same: the order of a set of texts is not."""
    losses = [f"loss{letter}" for letter in "qwertzuiop"]
    for number, loss in enumerate(losses):
        settings = {"loss": loss, "optimizer.learning_rate": f"0.{9 - number}"}
        keys = "loss optimizer.learning_rate"
        fake_runs.add(0, number / 10, settings=settings, tags=trial("x", number, keys))
    figures = dict(charts.effects(compared()))
    by_loss, by_rate = figures["loss"], figures["optimizer.learning_rate"]
    assert isinstance(by_loss, Strips)
    assert isinstance(by_rate, Strips)
    assert [row.name for row in by_loss.rows] == losses
    assert [row.name for row in by_rate.rows] == [f"0.{digit}" for digit in range(10)]


def test_values_that_four_digits_do_not_tell_apart_are_two_rows_with_two_names(
    fake_runs: FakeRuns,
) -> None:
    for number, rate in enumerate(("0.123411", "0.123414", "0.009999999776482582")):
        settings = {"optimizer.learning_rate": rate, "init": f"i{number % 2}"}
        tags = trial("x", number, "init optimizer.learning_rate")
        fake_runs.add(0, number / 3, settings=settings, tags=tags)
    strips = dict(charts.effects(compared()))["optimizer.learning_rate"]
    assert isinstance(strips, Strips)
    assert [row.name for row in strips.rows] == ["0.01", "0.123411", "0.123414"]


def test_many_numbers_are_one_chart(fake_runs: FakeRuns) -> None:
    for number in range(14):
        settings = {"optimizer.learning_rate": str(10**-number), "init": f"i{number % 2}"}
        tags = trial("x", number, "init optimizer.learning_rate")
        fake_runs.add(0, number / 14, settings=settings, tags=tags)
    (first, chart), (second, strips) = charts.effects(compared())
    assert (first, second) == ("optimizer.learning_rate", "init")  # the larger range of means
    assert "optimizer.learning_rate, log scale" in str(chart)
    assert isinstance(strips, Strips)


def test_curves_only_of_runs_of_several_epochs(fake_runs: FakeRuns) -> None:
    fake_runs.add(0, [0.9], costs=[0.5], tags=trial("x", 0, "seed"))
    assert charts.learning_curves(compared()) == []
    fake_runs.add(1, [0.8, 0.9], costs=[0.5, 0.2], tags=trial("x", 1, "seed"))
    drawn = [(curve.title, curve.note) for curve in charts.learning_curves(compared())]
    assert drawn == [("train/cost", "log scale"), ("test/accuracy", "")]


def add_steps(fake_runs: FakeRuns, run_id: str, points: Mapping[int, float]) -> None:
    for name in ("train/step_cost", "train/step_accuracy"):
        for step, value in points.items():
            fake_runs.client.log_metric(run_id, name, value, step=step)


def test_runs_of_one_epoch_have_their_curves_by_step(fake_runs: FakeRuns) -> None:
    for seed in range(2):
        run_id = fake_runs.add(seed, 0.9, costs=[0.5], tags=trial("x", seed, "seed"))
        add_steps(fake_runs, run_id, {10: 0.5 + 0.2 * seed, 20: 0.1})
    drawn = charts.learning_curves(compared())
    assert [curve.title for curve in drawn] == ["train/step_cost", "train/step_accuracy"]
    assert ">training step</text>" in drawn[0].picture
    assert '"training step 10: 0.6 (0.5 to 0.7)\n' in drawn[0].picture
    assert "epoch" not in drawn[0].picture


def test_no_curve_by_step_if_a_run_of_an_earlier_version_has_none(fake_runs: FakeRuns) -> None:
    for seed in range(2):
        run_id = fake_runs.add(seed, [0.8, 0.9], costs=[0.5, 0.4], tags=trial("x", seed, "seed"))
        if seed:
            add_steps(fake_runs, run_id, {10: 0.5, 20: 0.1})
    titles = [curve.title for curve in charts.learning_curves(compared())]
    assert titles == ["train/cost", "test/accuracy"]


def test_points_that_few_runs_of_a_group_have_are_left_out(fake_runs: FakeRuns) -> None:
    """A run that was made longer has the points of its first length, too."""
    for seed in range(3):
        run_id = fake_runs.add(seed, [0.8, 0.9], tags=trial("x", seed, "seed"))
        add_steps(fake_runs, run_id, {10: 0.5, 20: 0.4} | ({5: 99.0} if seed == 2 else {}))
    (curve,) = compared().curves["train/step_cost"]
    assert curve.step.tolist() == [10, 20]
