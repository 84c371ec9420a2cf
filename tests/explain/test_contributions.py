"""Contributions of a bridge whose effects are known."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare import statistics
from mnist_exp.compare.statistics import IntervalMethod
from mnist_exp.config import bridge
from mnist_exp.errors import UserError
from mnist_exp.explain import page
from mnist_exp.explain.contributions import explain, intervals
from mnist_exp.explain.report import paragraph
from mnist_exp.tracking.runs import Store
from tests.explain.conftest import EFFECTS, add, value


def test_effects_that_add_up_are_found_exactly(study: FakeRuns) -> None:
    explanation = explain(Store(), "bridge")
    assert explanation.seeds == ("0", "1", "2")
    assert [c.mean for c in explanation.contributions] == pytest.approx([e * 1.1 for e in EFFECTS])
    assert all(c.forwards == pytest.approx(c.backwards) for c in explanation.contributions)
    assert sum(c.mean for c in explanation.contributions) == pytest.approx(explanation.mean_gap)
    assert explanation.contributions[8].interval.method is IntervalMethod.STUDENT
    answer = paragraph(explanation)
    assert "The largest parts: steps (1650 → 3300) +0.0044, learning rate (" in answer
    assert "dense layer (null → 1024) +0.0022. No effect is shown of 3 of the 9" in answer
    assert answer.count("→") == 3


def test_an_interaction_is_shared_by_its_two_differences(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 1)):
        add(runs, point, number, value(point, interaction=0.01))
    first, *_, last = explain(Store(), "bridge").contributions
    assert (first.forwards[0], first.backwards[0]) == pytest.approx((0.001, 0.011))
    assert (first.mean, last.mean) == pytest.approx((0.006, 0.009))
    assert not first.interval.exists


def test_a_seed_with_a_missing_point_is_left_out(study: FakeRuns) -> None:
    point = bridge.configurations(3, None, 4)[-1]
    add(study, point, 99, 0.9)
    explanation = explain(Store(), "bridge")
    assert explanation.seeds == ("0", "1", "2")
    assert explanation.incomplete == {"3": 17}


def test_no_seed_with_all_points(workdir: Path) -> None:
    add(FakeRuns(workdir), bridge.configurations(3, None, 1)[0], 0, 0.9)
    with pytest.raises(UserError, match="no seed has all 18 points"):
        explain(Store(), "bridge")


def test_the_interval_contains_both_that_a_verdict_needs() -> None:
    """Of five values the bootstrap's alone excludes zero where Student's does not."""
    values = np.array([0.001, 0.002, 0.0001, 0.003, -0.0003])
    (shown,), (bootstrap,) = intervals([values]), statistics.intervals([values])
    student = statistics.students_interval(values)
    assert (bootstrap.side, student.side) == (1, 0)
    assert (shown.low, shown.high) == (student.low, max(student.high, bootstrap.high))


def test_two_seeds_show_no_part(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 2)):
        add(runs, point, number, value(point))
    explanation = explain(Store(), "bridge")
    assert paragraph(explanation).endswith("To say which differences matter takes 3 seeds or more.")
    html = page.render(explanation)
    assert html.count("not shown") >= 2 * 9  # in the figure and in the table
