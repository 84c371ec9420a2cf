"""What the page says about known results, and that its numbers can be computed from the CSV."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Metric
from scipy import special, stats

from benchmarks.fake_runs import FakeRuns
from mnist_exp import data
from mnist_exp.config.tree import compose
from mnist_exp.reproduce import figures, page, results, runs, terminal
from mnist_exp.reproduce.bug import analyse
from mnist_exp.reproduce.bug_numbers import Bug, Ending
from mnist_exp.reproduce.claims import Verdict
from mnist_exp.reproduce.page import Provenance
from mnist_exp.reproduce.pattern import Pattern
from mnist_exp.reproduce.presets import BUGGY, SOFTMAX
from mnist_exp.reproduce.table import table
from mnist_exp.tracking.code_digest import code_digest
from mnist_exp.tracking.runs import Store
from mnist_exp.training.loop import fit
from mnist_exp.training.program import build_program

PROVENANCE = Provenance(
    code_digest="digest", commits=("c" * 40,), machine="a processor, 2 cores", trials=5
)
WHERE = "made here."
BLOG = [0.9874, 0.9891, 0.9880, 0.9902, 0.9885]


@pytest.fixture
def measured(workdir: Path) -> results.Reproduction:
    """Five runs of the blog's CNN near its numbers, three of the notebook's far from them."""
    store = FakeRuns(workdir)
    blog, notebook, softmax = (
        runs.preset(name) for name in ("blog_cnn3x3", "notebook_cnn5x5", "notebook_softmax")
    )
    for seed, accuracy in enumerate(BLOG):
        costs = [cost * (0.96 + 0.02 * seed) for cost in blog.reference.cost]
        store.add(seed, accuracy, costs=costs, tags=tags(blog))
    for seed in range(3):
        run_id = store.add(seed, 0.97 + seed / 1000, tags=tags(notebook))
        # The log we have ends before the run does.
        points = [Metric("train/batch_accuracy", 0.9 + 0.01 * seed, 0, 100 * i) for i in range(31)]
        store.client.log_batch(run_id, metrics=points)
    preset_runs = [runs.find(Store(), preset, range(5)) for preset in (softmax, blog, notebook)]
    measured = tuple(results.measure(Store(), each) for each in preset_runs)
    return results.Reproduction(results=measured, bug=None, seeds=5, quick=False)


def tags(preset: runs.Preset) -> dict[str, str]:
    return {"config_hash": preset.settings.config.hash(), "code_digest": code_digest()}


def test_the_page(measured: results.Reproduction) -> None:
    text = page.markdown(measured, WHERE, ["claims", "blog_costs"])
    assert (
        "Not contradicted: blog_cnn3x3; contradicted: notebook_cnn5x5; "
        "not decided: notebook_softmax." in text
    )
    assert "| `blog_cnn3x3` | 0.9872 | **0.9886** (" in text
    assert (
        "**not contradicted**: the claim is 0.14 percentage points (1.3 standard deviations) below "
        "the mean, and below all 5 seeds" in text
    )
    assert "| `notebook_cnn5x5` | about 0.992 | **0.9710** (" in text
    assert (
        "**contradicted**: the claim is 2.10 percentage points (21.0 standard deviations) above "
        "the mean, and above all 3 seeds" in text
    )
    assert "| `notebook_softmax` | (0.9176)\N{SUPERSCRIPT ONE} |" in text
    assert "| not measured |" in text
    assert "(the notebook reports no number)" in text
    assert "about 95 of 100 such intervals contain the accuracy of the next run" in text
    assert "- `blog_cnn3x3`: 8 of 10 studies with 5 seeds would notice a mean that is 0.00" in text
    assert "images, where our mean run gets 114 wrong." in text
    assert "2 in 6 lie above or below all of 5 seeds." in text
    assert "| 1 | 0.342477704 | 0.342478 | 0.328779 to 0.356177 |" in text
    assert "The mean of the 30 printed values is 0.9347; ours is 0.9100 over 3 seeds" in text
    assert "- `notebook_cnn5x5`, seed 3: no run" in text
    assert "(claims.png)" in text
    assert "(bug.png)" not in text
    assert "- **Where**: made here.\n" in text
    assert "eproduced" not in text
    assert "nan" not in text
    assert "\n\n\n" not in text


def test_the_page_says_where_the_blogs_costs_lie_beside_ours(
    measured: results.Reproduction,
) -> None:
    text = page.markdown(measured, WHERE, [])
    assert (
        "Of the 15 costs that the blog post prints, 15 lie in the 95% interval of one more run, "
        "and 15 between the lowest and the highest of our 5 seeds." in text
    )
    blog = measured.results[1]
    cost = blog.cost
    assert cost is not None
    assert cost.pattern is not None
    assert cost.pattern.of_seeds[0] == pytest.approx(4.43, abs=0.01)

    def with_pattern(pattern: Pattern) -> str:
        changed = dataclasses.replace(cost, pattern=pattern)
        result = dataclasses.replace(blog, cost=changed)
        return page.markdown(dataclasses.replace(measured, results=(result,)), WHERE, [])

    crosses = Pattern(
        stretches=((-1, 1, 5), (1, 6, 15)),
        statistic=1.69,
        of_seeds={0: 1.98, 1: 0.24, 2: 1.8, 3: 0.08, 4: 0.32},
    )
    text = with_pattern(crosses)
    assert (
        "blog's costs lie below our mean in epochs 1 to 5 and above it in epochs 6 to 15." in text
    )
    assert "The blog's has 1.69; ours have 1.98, 0.24, 1.80, 0.08, 0.32." in text
    assert "At least as large is that of our seeds 0 and 2, so that p = 3/6 = 0.5." in text
    assert "So no difference is shown." in text
    assert "With 5 seeds, p cannot be below 0.17, so that this test could not have shown" in text
    zigzag = tuple(((-1) ** i, i + 1, i + 1) for i in range(15))
    many = dataclasses.replace(crosses, stretches=zigzag, of_seeds=dict.fromkeys(range(30), 0.1))
    text = with_pattern(many)
    assert "The blog's costs change the side of our mean 14 times." in text
    assert "None of ours is as large, so that p = 1/31 = 0.032. So the pattern is hardly" in text
    assert "p cannot be below" not in text


def test_where_the_runs_were_made(measured: results.Reproduction) -> None:
    text = page.provenance_text(PROVENANCE, measured.results)
    assert text.startswith("8 runs, code digest digest, commit cccccccccccc; a processor, 2 cores.")
    assert "5 of them ran as trials of a sweep, which shared the machine, and took longer" in text
    all_trials = dataclasses.replace(PROVENANCE, trials=8)
    assert "cores. All ran as trials" in page.provenance_text(all_trials, measured.results)
    none = dataclasses.replace(PROVENANCE, trials=0)
    assert page.provenance_text(none, measured.results).endswith("2 cores.")


def test_the_terminal_says_the_same(
    measured: results.Reproduction, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show(measured, Path("folder"))
    text = " ".join(capsys.readouterr().out.split())
    assert "preset n mean claim one more run " in text
    assert "blog_cnn3x3 5 0.9886 0.9872 0.98" in text
    assert "blog_cnn3x3: not contradicted: the claim is 0.14 percentage points" in text
    assert "\N{SUPERSCRIPT ONE} the notebook's own graph with the loss corrected, run once" in text
    assert "blog_cnn3x3: 8 of 10 studies with 5 seeds would notice a mean that is 0.00" in text
    assert "not counted: notebook_cnn5x5, seed 3: no run" in text


def test_every_number_follows_from_the_csv(measured: results.Reproduction) -> None:
    lines = table(measured)
    assert len(lines) == 5 * (1 + 15 + 1) + 3 * (1 + 30 + 1) + 8
    timed = lines["quantity"] == "training seconds"
    for _, group in lines[~timed].groupby(["preset", "quantity", "step"], dropna=False):
        values, first = group["value"].to_numpy(float), group.iloc[0]
        assert first["n"] == len(values)
        assert first["mean"] == pytest.approx(values.mean())
        assert first["sd"] == pytest.approx(stats.tstd(values), abs=1e-15)
        if first["quantity"] == "train/batch_accuracy":  # of 50 images: no interval, no verdict
            assert first[["one_more_low", "noticed_below", "verdict"]].isna().all()
            continue
        shares = "accuracy" in first["quantity"]
        x = special.logit(values) if shares else values
        spread = stats.tstd(x) * np.sqrt(1 + 1 / len(x))
        low, high = stats.t.interval(0.95, len(x) - 1, loc=x.mean(), scale=spread)
        if shares:
            low, high = special.expit([low, high])
        assert (first["one_more_low"], first["one_more_high"]) == pytest.approx((low, high))
        points = 100 * (first["claim"] - values.mean()) if shares else math.nan
        assert first["points_above_mean"] == pytest.approx(points, abs=1e-10, nan_ok=True)
        assert 0 < first["noticed_above"] <= first["noticed_below"]
        assert (first["verdict"] == "not contradicted") == (low <= first["claim"] <= high)
    assert not lines["run_id"].isna().any()


def test_shortened_runs_are_no_test(measured: results.Reproduction) -> None:
    blog = measured.results[1]
    preset = dataclasses.replace(blog.runs.preset, shortened=True)
    preset_runs = dataclasses.replace(blog.runs, preset=preset)
    short = dataclasses.replace(blog, runs=preset_runs, cost=None)
    shortened = dataclasses.replace(measured, results=(short,), quick=True)
    text = page.markdown(shortened, WHERE, [])
    assert "| preset | our mean | seeds | mean training time | verdict |\n|---|" in text
    assert "| `blog_cnn3x3` | **0.9886** | 5 |" in text
    assert "| no test of the claim: shortened runs |" in text
    assert "0.9872" not in text
    assert "one more run (95%)" not in text
    assert "Where the claims are from" not in text
    (axes,) = figures.claims(shortened.results).axes
    assert [line.get_label() for line in axes.lines] == ["a seed", "mean"]
    assert "**A quick look, no test of the claims of blog_cnn3x3:**" in text
    assert "`schedule.epochs=null schedule.max_steps=100 data.eval_limit=1000`" in text


def test_a_run_without_all_printed_steps_is_left_out(workdir: Path) -> None:
    store, preset = FakeRuns(workdir), runs.preset("blog_cnn3x3")
    store.add(0, 0.98, costs=preset.reference.cost, tags=tags(preset))
    store.add(1, 0.98, costs=preset.reference.cost[:14], tags=tags(preset))
    result = results.measure(Store(), runs.find(Store(), preset, range(2)))
    assert result.cost is not None
    assert set(result.cost.means) == {0}
    assert result.cost.points[0].assessment.verdict is Verdict.NOT_DECIDED


@pytest.fixture
def bug() -> Bug:
    """A training that stays at the top with one form of the loss, and leaves it with the other."""
    stays = Ending(
        steps=1000,
        test_loss=2.302585,
        largest_weight=0.0,
        tied=tuple(range(10)),
        predicted=(0,),
        right=980,
        course=np.array([[10, 2.3026, 0.1], [20, 2.3026, 0.08]]),
    )
    leaves = dataclasses.replace(
        stays, test_loss=0.6931, largest_weight=3.25, tied=(3, 7), predicted=(3,), right=1010
    )
    curve = np.zeros(3, np.float32)
    return Bug(
        images=55_000,
        test_images=10_000,
        zeros=980,
        loss_at_start=2.3025851,
        probabilities_at_start=(0.1, 0.10000001),
        gradient_at_start=0.0,
        meant_gradient_at_start=12345.6,
        literal=stays,
        stable=leaves,
        meant=dataclasses.replace(leaves, course=np.array([[10, 1.0, 0.6], [20, 0.5, 0.9]])),
        logit=curve.astype(np.float64),
        entropy=curve,
        cross_entropy=curve,
    )


def test_the_page_explains_the_bug(bug: Bug) -> None:
    nothing = results.Reproduction(results=(), bug=bug, seeds=5, quick=False)
    text = page.markdown(nothing, WHERE, ["bug"])
    assert "the 55,000 training images is 0.1 or 0.1, and the loss is 2.3025851 an image" in text
    assert "its largest entry is 0; that of the loss that was meant is 12,346 at the" in text
    assert "the classes 0 to 9 have exactly the same, largest logit" in text
    assert "No weight has ever changed, so that the cost which the run prints is still that" in text
    assert "980 of the 10,000 test images show a 0, so the accuracy is 0.098." in text
    assert "With 2 classes that share all probability the entropy is ln 2 = 0.6931." in text
    assert "\n4. **All classes are tied, and the first wins.**" in text
    assert "the classes 3 and 7 have exactly the same, largest logit" in text
    assert "cannot become NaN. Then the gradient at the top is zero but for rounding" in text
    assert "(bug.png)" in text
    stays = dataclasses.replace(nothing, bug=dataclasses.replace(bug, stable=bug.literal))
    text = page.markdown(stays, WHERE, [])
    assert "cannot become NaN. There, the largest weight after 1,000 steps is 0, and" in text
    assert "zero but for rounding" not in text


def test_the_page_says_what_is_rounding(bug: Bug) -> None:
    """On a processor where the gradient at the start is not exactly zero."""
    rounded = dataclasses.replace(bug.literal, largest_weight=5.72207682125736e-06)
    bug = dataclasses.replace(bug, literal=rounded, gradient_at_start=0.0006557303131558001)
    nothing = results.Reproduction(results=(), bug=bug, seeds=5, quick=False)
    text = page.markdown(nothing, WHERE, ["bug"])
    assert "its largest entry is 0.000656, which is rounding; that of the loss that was" in text
    assert (
        "after 1,000 steps is 5.72208e-06, and the loss of the test images 2.3026. That is" in text
    )
    assert "the same for all ten classes, so that the cost which the run prints is still" in text
    assert "No weight has ever changed" not in text


def test_the_figure_of_the_two_losses_has_both_over_the_steps(bug: Bug, tmp_path: Path) -> None:
    figure = figures.two_losses(bug)
    assert bug.meant is not None
    for axes, column in zip(figure.axes, (1, 2), strict=True):
        wrong, meant = axes.get_lines()
        assert list(np.asarray(wrong.get_xdata())) == [10, 20]
        assert list(np.asarray(wrong.get_ydata())) == list(bug.literal.course[:, column])
        assert list(np.asarray(meant.get_ydata())) == list(bug.meant.course[:, column])
    figure.savefig(tmp_path / "x.png")


def test_the_two_losses_are_those_of_the_two_presets(small_mnist: data.Dataset) -> None:
    """Nothing but the loss differs: the curves are to the last bit those of the presets' runs."""
    short = ["schedule.max_steps=8", "seed=3"]
    buggy, meant = (compose([f"experiment={name}", *short]).config for name in (BUGGY, SOFTMAX))
    analysis = analyse(buggy, small_mnist)
    for config, ending in ((buggy, analysis.literal), (meant, analysis.meant)):
        program = build_program(config, len(small_mnist.train))
        trained = [point for result in fit(program, small_mnist) for point in result.step_points]
        assert ending is not None
        assert ending.course.tolist() == [list(point) for point in trained]
    assert len(analysis.literal.course) == 8


def test_the_csv_has_a_line_for_each_number_of_the_bug(bug: Bug) -> None:
    lines = table(results.Reproduction(results=(), bug=bug, seeds=5, quick=False))
    values = lines.groupby("quantity")["value"].apply(list)
    assert values["bug: probabilities_at_start"] == [0.1, 0.10000001]
    assert values["bug: literal tied"] == list(range(10))
    assert values["bug: stable right"] == [1010]
    assert "bug: entropy" not in values


def test_the_figure_of_the_bug_has_both_trainings(bug: Bug) -> None:
    _, training = figures.bug(bug).axes
    drawn = [np.asarray(line.get_ydata()).tolist() for line in training.lines]
    assert drawn == [[2.3026, 2.3026], [1.0, 0.5]]


def test_figures_show_every_seed_and_claim(measured: results.Reproduction) -> None:
    _, blog, notebook = measured.results
    drawn = figures.claims(measured.results)
    assert [axes.get_title("left") for axes in drawn.axes] == ["blog_cnn3x3", "notebook_cnn5x5"]
    assert np.array_equal(drawn.axes[0].lines[0].get_xdata(), sorted(BLOG))
    assert blog.cost is not None
    assert notebook.batch_accuracy is not None
    costs, batches = figures.cost(blog.cost), figures.batch_accuracy(notebook.batch_accuracy)
    of_seeds = [line for line in costs.axes[1].lines if line.get_gid() == "seed"]
    assert len(of_seeds) == 5
    assert np.allclose(of_seeds[0].get_ydata(), 0.96)
    assert np.allclose(costs.axes[0].lines[-1].get_ydata(), blog.runs.preset.reference.cost)
    assert np.array_equal(
        batches.axes[0].lines[-1].get_ydata(), notebook.runs.preset.reference.batch_accuracy
    )
    assert isinstance(table(measured), pd.DataFrame)
