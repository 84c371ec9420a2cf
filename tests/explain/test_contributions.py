"""Contributions of a bridge whose effects are known."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare import words
from mnist_exp.compare.paired_words import luck
from mnist_exp.compare.statistics import IntervalMethod
from mnist_exp.config import bridge
from mnist_exp.errors import UserError
from mnist_exp.explain import markdown, page, report, sentences
from mnist_exp.explain.contributions import Contribution, Explanation, explain
from mnist_exp.explain.results import ExplainedStudy
from mnist_exp.explain.sentences import order_matters, paragraph
from mnist_exp.explain.waterfall import waterfall
from mnist_exp.tracking import costs
from mnist_exp.tracking.run_tables import tables
from mnist_exp.tracking.runs import Store
from tests.explain.conftest import EFFECTS, add, value


def test_effects_that_add_up_are_found_exactly(study: FakeRuns) -> None:
    explanation = explain(Store(), "bridge")
    assert explanation.seeds == ("0", "1", "2")
    assert [c.mean for c in explanation.contributions] == pytest.approx([e * 1.1 for e in EFFECTS])
    assert all(c.forwards == pytest.approx(c.backwards) for c in explanation.contributions)
    assert sum(c.mean for c in explanation.contributions) == pytest.approx(explanation.gap.mean)
    assert explanation.contributions[8].interval.method is IntervalMethod.STUDENT
    answer = paragraph(explanation)
    assert "each trained for 3 epochs, test/accuracy changes by +0.0038 (95% interval " in answer
    assert "An effect is shown of steps (1650 → 3300) +0.0044 (+0.0034 to +0.0054), " in answer
    small = answer.partition("An effect that is smaller than 0.002 is shown of ")[2]
    assert "kernel size (3 → 5) +0.0011 (" in small
    assert answer.count("→") == 6
    assert answer.endswith(
        "With dropout, loss reduction and batch size nothing changes, to the last digit."
    )
    assert luck(explanation.contributions).endswith(
        "Corrected for 6 tests (Holm), an effect is still shown of kernel size, dense layer, bias "
        "of convolutions, initial weights, learning rate and steps."
    )
    assert order_matters(explanation) == "The two orders give the same."


def test_an_interaction_is_shared_by_its_two_differences(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 1)):
        add(runs, point, number, value(point, interaction=0.01))
    first, *_, last = explain(Store(), "bridge").contributions
    assert (first.forwards[0], first.backwards[0]) == pytest.approx((0.001, 0.011))
    assert (first.mean, last.mean) == pytest.approx((0.006, 0.009))
    assert not first.interval.exists


@pytest.mark.slow
def test_a_seed_with_a_missing_point_is_left_out(study: FakeRuns) -> None:
    point = bridge.configurations(3, None, 4)[-1]
    add(study, point, 99, 0.9)
    explanation = explain(Store(), "bridge")
    assert explanation.seeds == ("0", "1", "2")
    assert explanation.incomplete == {"3": 17}
    assert_said_everywhere(explanation, "Seed 3 is left out: 17 points missing.")


def assert_said_everywhere(explanation: Explanation, text: str) -> None:
    console = Console(width=500, file=io.StringIO(), record=True)
    report.show(explanation, console)
    assert text in console.export_text()
    assert text in page.render(explanation)
    assert text in markdown.render(explanation, costs.read(Path()), "this")
    assert text in ExplainedStudy(explanation)._repr_html_()


@pytest.mark.slow
def test_runs_of_several_versions_of_the_code_are_told(study: FakeRuns) -> None:
    explanation = explain(Store(), "bridge")
    assert sentences.caveats(explanation) == []
    first, *_, last = explanation.programs
    study.client.set_tag(first, "code_digest", "a1")
    study.client.set_tag(last, "code_digest", "b2")
    text = "one of the code: not recorded (52 runs), a1 (1 run) and b2 (1 run)."
    assert_said_everywhere(explain(Store(), "bridge"), text)


def test_no_seed_with_all_points(workdir: Path) -> None:
    add(FakeRuns(workdir), bridge.configurations(3, None, 1)[0], 0, 0.9)
    with pytest.raises(UserError, match="no seed has all 18 points"):
        explain(Store(), "bridge")


def test_two_seeds_show_no_part(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 2)):
        add(runs, point, number, value(point))
    explanation = explain(Store(), "bridge")
    assert paragraph(explanation).endswith("To say which differences matter takes 3 seeds or more.")
    html = page.render(explanation)
    assert html.count("too few seeds") == 2 * 9  # in the figure and in the table
    assert "not shown" not in html
    text = markdown.render(explanation, costs.read(workdir), "this")
    assert text.count("| too few seeds |") == 9
    assert "rests on the spread" not in text  # which two seeds do not show
    assert "excludes zero, and there are 3 seeds or more, by the rule" in text
    assert "\N{MINUS SIGN}0.0000" not in text + html


@pytest.mark.slow
def test_the_table_loses_no_number_in_a_narrow_terminal(study: FakeRuns) -> None:
    explanation = explain(Store(), "bridge")
    for width in (60, 80):
        console = Console(width=width, file=io.StringIO(), record=True)
        report.show(explanation, console)
        shown = console.export_text()
        assert "…" not in shown
        means = [words.difference(part.mean, "test/accuracy") for part in explanation.contributions]
        assert [mean for mean in means if mean not in shown] == []


def explained(effects: dict[str, list[float]], margin: float | None = 0.002) -> Explanation:
    """An explanation in which both ways add the same, one value a seed; the rest adds nothing."""
    names = [difference.name for difference in bridge.differences(3, None)]
    seeds = len(next(iter(effects.values())))
    zeros = [0.0] * seeds
    parts = [
        Contribution(
            name=difference.name,
            key=difference.key,
            before=str(difference.blog),
            after=str(difference.notebook),
            values=tuple(effects.get(difference.name, zeros)),
            forwards=tuple(effects.get(difference.name, zeros)),
            backwards=tuple(effects.get(difference.name, zeros)),
        )
        for difference in bridge.differences(3, None)
    ]
    assert set(effects) <= set(names)
    total = np.sum([part.values for part in parts], axis=0)
    return Explanation(
        study="bridge",
        metric="test/accuracy",
        seeds=tuple(map(str, range(seeds))),
        incomplete={},
        blog=(0.98,) * seeds,
        notebook=tuple(0.98 + total),
        contributions=tuple(parts),
        epochs=3.0,
        margin=margin,
        recorded=tables([], 0),
        programs={},
    )


def test_what_matters_what_does_not_and_what_is_open_are_told_apart() -> None:
    explanation = explained(
        {
            "steps": [0.004, 0.005, 0.006],
            "dropout": [0.0004, 0.0005, 0.0006],
            "batch size": [-0.0001, 0.0002, 0.0001],
            "learning rate": [-0.006, 0.001, 0.001],
        }
    )
    answer = paragraph(explanation)
    assert "An effect is shown of steps (1650 → 3300) +0.0050 (" in answer
    assert (
        "An effect that is smaller than 0.002 is shown of dropout (0.0 → 0.5) +0.0005 (" in answer
    )
    assert "Of batch size no effect is shown, and tests at 5% rule out one of 0.002" in answer
    assert "No effect is shown of learning rate; that is not to say that there is none." in answer
    open_part = next(p for p in explanation.contributions if p.name == "learning rate")
    low = -0.004 / 3 - stats.t.ppf(0.975, 2) * np.std([-6, 1, 1], ddof=1) / 1000 / np.sqrt(3)
    assert f"Its 95% interval goes as far as \N{MINUS SIGN}{-low:.4f}." in answer
    # The noncentral t distribution: at this size the test of three seeds has a power of 80%.
    shift = open_part.noticed / (np.std(open_part.values, ddof=1) / np.sqrt(3))
    assert stats.nct.sf(stats.t.ppf(0.975, 2), 2, shift) == pytest.approx(0.8, abs=1e-6)
    assert f"an effect of {open_part.noticed:.4f} is still missed" in answer
    noise = {"kernel size": [0.003, -0.003, 0.001], "dropout": [0.005, -0.005, 0.001]}
    several = paragraph(explained(noise))
    assert "The 95% interval that goes farthest, of dropout, ends at +0.0" in several
    assert ", depending on the difference, is still missed" in several


def test_without_a_margin_nothing_is_said_to_be_small() -> None:
    answer = paragraph(explained({"dropout": [0.0004, 0.0005, 0.0006]}, margin=None))
    assert "An effect is shown of dropout" in answer
    assert "smaller than" not in answer


def test_what_a_correction_for_many_tests_takes_away_is_said() -> None:
    weak = [0.001, 0.0016, 0.0022]  # p = 0.044, and 0.35 after Holm's correction
    strong = [0.00500, 0.00501, 0.00502]
    said = luck(explained({"steps": strong, "dropout": weak, "kernel size": weak}).contributions)
    assert said.endswith("(Holm), an effect is still shown of steps.")
    assert luck(explained({"steps": [-0.001, 0.001, 0.0]}).contributions) == ""


@pytest.mark.slow
def test_orders_that_disagree_are_named(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 3)):
        seed = int(str(point["seed"]))
        add(runs, point, number, value(point, interaction=0.01 + seed / 10_000))
    explanation = explain(Store(), "bridge")
    said = order_matters(explanation)
    assert "kernel size, +0.0011 on the way forwards and +0.0112 on the way backwards" in said
    assert "steps, +0.0145 on the way forwards and +0.0044 on the way backwards" in said
    assert "may depend on the other settings" in said
    assert "dropout" not in said


def test_the_chart_shows_what_is_added_and_no_accuracy_beyond_1() -> None:
    explanation = explained({"steps": [0.04, 0.05, 0.06], "learning rate": [-0.04, -0.05, -0.059]})
    axes, numbers = waterfall(explanation).axes[0], explanation.notebook
    low, high = axes.get_xlim()
    assert -0.2 < low < 0 < high < 0.2
    (right,) = axes.child_axes
    shown = [label.get_text() for label in right.get_yticklabels()]
    assert (shown[0], shown[-1]) == ("0.9800", f"{np.mean(numbers):.4f}")
    assert "+0.0500" in shown


def test_orders_that_differ_by_chance_are_not_said_to_disagree() -> None:
    explanation = explained({"steps": [0.001, 0.002, 0.003]})
    *same, steps = explanation.contributions
    other = replace(steps, backwards=(0.003, 0.001, 0.003))
    assert order_matters(replace(explanation, contributions=(*same, other))) == (
        "No disagreement of the two orders is shown. They are farthest apart about the steps: "
        "+0.0020 on the way forwards and +0.0023 on the way backwards."
    )


def test_what_is_left_of_the_orders_disagreement_after_a_correction_is_said() -> None:
    explanation = explained({"steps": [0.004, 0.005, 0.006]})
    ways = {"dropout": (0.001, 0.0016, 0.0022), "kernel size": (0.00500, 0.00501, 0.00502)}
    parts = tuple(
        replace(part, forwards=ways.get(part.name, part.forwards))
        for part in explanation.contributions
    )
    said = order_matters(replace(explanation, contributions=parts))
    assert (
        "disagree, each tested at 5%, about kernel size, +0.0050 on the way forwards and 0" in said
    )
    assert "; dropout, +0.0016 on the way forwards and 0 on the way backwards. " in said
    assert (
        "Corrected for 2 tests (Holm), they still disagree about kernel size and dropout." in said
    )
    noise = {"steps": (0.003, 0.001, -0.001)}
    parts = tuple(replace(p, forwards=noise.get(p.name, p.forwards)) for p in parts)
    said = order_matters(replace(explanation, contributions=parts))
    assert "Corrected for 3 tests (Holm), they still disagree about kernel size." in said


@pytest.mark.slow
def test_a_metric_that_no_run_has_is_told(study: FakeRuns) -> None:
    with pytest.raises(UserError, match="--metric test/acuracy: no selected run has it; did you"):
        explain(Store(), "bridge", "test/acuracy")
