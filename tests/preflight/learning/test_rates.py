"""The learning rate, by what it does."""

import math
from dataclasses import replace
from typing import Any

import keras
import pytest

from mnist_exp.preflight import check
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning import rates
from mnist_exp.preflight.learning.rates import check_rate
from mnist_exp.preflight.learning.schedules import Plan
from mnist_exp.preflight.learning.short_runs import ShortRun, fresh_run, short_run
from mnist_exp.preflight.program.program import Program
from tests.preflight.learning.test_conclusions import GOOD
from tests.support.programs import codes, findings, make_program
from tests.support.zoo import losses, models, optimizers, programs


def plan_of(program: Program) -> Plan:
    return Plan(optimizer=program.optimizer, steps=1000)


def rate_codes(optimizer: Any, steps: int = 1000) -> list[str]:
    images, labels = programs.sample(0, 400)
    program = make_program(
        models.softmax("zeros", 0), optimizer=optimizer, images=images, labels=labels
    )
    run = short_run(program, 0)
    return codes(check_rate, program, run, Plan(optimizer=optimizer, steps=steps), 0)


@pytest.mark.parametrize(
    ("rate", "code"),
    [(1e-7, ["LEARNING_RATE_TOO_LOW"]), (0.01, []), (0.3, []), (100.0, ["LEARNING_RATE_TOO_HIGH"])],
)
def test_rate_of_gradient_descent(rate: float, code: list[str]) -> None:
    assert rate_codes(optimizers.sgd(rate)) == code


def test_a_rate_is_not_blamed_for_a_run_of_few_steps() -> None:
    assert rate_codes(optimizers.adam(1e-4), steps=19) == []
    assert rate_codes(optimizers.adam(1e-6), steps=19) == ["LEARNING_RATE_TOO_LOW"]


@pytest.mark.parametrize("start", [0.0, 1e-6])
def test_warm_up_is_judged_by_its_peak(start: float) -> None:
    warm_up = keras.optimizers.schedules.CosineDecay(
        start, 1000, warmup_target=5e-3, warmup_steps=100
    )
    assert rate_codes(optimizers.adam(warm_up)) == []


def test_rate_is_not_blamed_where_a_lower_one_is_no_better() -> None:
    program = make_program()
    worse = replace(GOOD, loss_after=10.0)
    assert codes(check_rate, program, worse, plan_of(program), 0) == ["LEARNING_RATE_TOO_HIGH"]
    program.restore()
    checkup = Checkup()
    check_rate(
        checkup, program, replace(GOOD, loss_before=1.0, loss_after=2.0), plan_of(program), 0
    )
    assert checkup.findings == []
    assert checkup.statistics["run.slower_over_own"] > 1


def test_guessing_after_a_wild_run_is_the_rates_fault() -> None:
    """Most hidden units are dead then: the loss is ln 10 and the outputs hardly differ, but do."""
    report = check(models.mlp("glorot", 0), losses.mean, optimizers.sgd(10.0), *programs.sample(0))
    assert report.statistics["run.loss_ratio"] < 1.5
    assert "LEARNING_RATE_TOO_HIGH" in report.codes


def test_absurd_rate_is_compared_with_a_far_lower_one() -> None:
    """At a hundredth of it the hidden units die as well."""
    images, labels = programs.sample(0, 400)
    program = make_program(
        models.cnn("glorot", 0), optimizer=optimizers.sgd(1e4), images=images, labels=labels
    )
    run = short_run(program, 0)
    (finding,) = findings(check_rate, program, run, plan_of(program), 0)
    assert finding.code == "LEARNING_RATE_TOO_HIGH"
    assert finding.evidence["lower_rate"] == pytest.approx(1)


def test_nan_at_every_rate_is_the_programs_fault() -> None:
    program = make_program(loss=lambda y, z: losses.mean(y, z) * float("nan"))
    run = replace(GOOD, finite=False, loss_after=math.nan)
    assert codes(check_rate, program, run, plan_of(program), 0) == ["GRADIENT_NON_FINITE"]


def test_equal_outputs_blame_the_rate_only_if_a_lower_one_keeps_them_apart() -> None:
    """The loss alone does not show it: a step that kills all hidden units leaves ln 10, a guess."""
    collapsed = replace(GOOD, loss_after=2.3, spread=0.0)
    found = []
    for model in (None, models.mlp("zeros", 0)):
        program = make_program(model)
        found.append(codes(check_rate, program, collapsed, plan_of(program), 0))
    assert found == [["LEARNING_RATE_TOO_HIGH"], []]


def test_moving_averages_that_do_not_follow_yet_are_not_the_rates_fault() -> None:
    """Batch normalisation lags in a short run: the loss of its own batches is what counts."""
    run = replace(GOOD, loss_after=23.0, training_loss=0.5)
    program = make_program()
    assert codes(check_rate, program, run, plan_of(program), 0) == []


@pytest.mark.parametrize(("loss_after", "is_tried"), [(0.84, False), (0.86, True)])
def test_no_higher_rate_is_tried_where_the_programs_own_learns(
    loss_after: float, is_tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs as much as the short run, and would be no finding: see thresholds.SLOW."""
    program, tried = make_program(optimizer=optimizers.sgd(0.01)), list[ShortRun]()
    run = replace(GOOD, promised=1e-3, loss_before=1.0, loss_after=loss_after)

    def counted(*given: Any) -> ShortRun:
        tried.append(fresh_run(*given))
        return tried[-1]

    monkeypatch.setattr(rates, "fresh_run", counted)
    assert codes(check_rate, program, run, plan_of(program), 0) == []
    assert bool(tried) == is_tried


def test_clipping_to_almost_nothing_is_a_low_rate() -> None:
    sgd = keras.optimizers.SGD
    assert rate_codes(sgd(0.1, clipnorm=1e-5)) == ["LEARNING_RATE_TOO_LOW"]
    assert rate_codes(sgd(0.1, clipnorm=1.0)) == []


def test_a_slow_rate_is_judged_by_the_steps_that_it_has() -> None:
    program = make_program(models.softmax("zeros", 0), optimizer=optimizers.sgd(1e-3))
    found = []
    for steps in (100, 10_000):
        program.restore()
        run = short_run(program, 0)
        plan = Plan(optimizer=program.optimizer, steps=steps)
        found.append(codes(check_rate, program, run, plan, 0))
    assert found == [["LEARNING_RATE_TOO_LOW"], []]
