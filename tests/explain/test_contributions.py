"""Contributions of a bridge whose effects are known."""

from pathlib import Path

import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare.statistics import IntervalMethod
from mnist_exp.config import bridge
from mnist_exp.errors import UserError
from mnist_exp.explain.contributions import explain
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
    assert "Of this comes +0.0044 (+0.0034 to +0.0054) with the steps" in answer
    assert "No effect is shown of the others: dropout" in answer


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
