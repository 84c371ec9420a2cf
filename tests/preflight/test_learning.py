"""Checks that train for a few steps."""

import math
from dataclasses import replace
from typing import Any

import keras
import pytest

from mnist_exp.preflight import check
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning import check_ignored, check_overfit, check_uphill
from mnist_exp.preflight.program import Program
from mnist_exp.preflight.rates import check_rate
from mnist_exp.preflight.schedules import Plan
from mnist_exp.preflight.short_runs import ShortRun, short_run
from tests.support.programs import codes, findings, make_program
from tests.support.zoo import losses, models, optimizers, programs

GOOD = ShortRun(
    finite=True,
    steps=15,
    loss_before=2.3,
    loss_after=1.5,
    training_loss=2.3,
    promised=0.01,
    downhill=0.5,
    largest=[0.1, 0.1],
    moved=[0.1, 0.1],
    spread=1.0,
)


def plan_of(program: Program) -> Plan:
    return Plan(optimizer=program.optimizer, steps=1000)


def rate_codes(optimizer: Any) -> list[str]:
    images, labels = programs.sample(0, 400)
    program = make_program(
        models.softmax("zeros", 0), optimizer=optimizer, images=images, labels=labels
    )
    run = short_run(program, 0)
    return codes(check_rate, program, run, plan_of(program), 0)


@pytest.mark.parametrize(
    ("rate", "code"),
    [(1e-7, ["LEARNING_RATE_TOO_LOW"]), (0.01, []), (0.3, []), (100.0, ["LEARNING_RATE_TOO_HIGH"])],
)
def test_rate_of_gradient_descent(rate: float, code: list[str]) -> None:
    assert rate_codes(optimizers.sgd(rate)) == code


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


def test_uphill_step() -> None:
    assert codes(check_uphill, replace(GOOD, downhill=-0.3)) == ["LOSS_NOT_MINIMISED"]
    assert codes(check_uphill, GOOD) == []
    assert codes(check_uphill, replace(GOOD, downhill=math.nan)) == []


def test_same_outputs_for_all_images() -> None:
    assert codes(check_ignored, replace(GOOD, spread=0.0)) == ["INPUT_IGNORED"]
    assert codes(check_ignored, GOOD) == []
    assert codes(check_ignored, replace(GOOD, spread=math.nan)) == []


def test_equal_outputs_blame_the_rate_only_if_a_lower_one_keeps_them_apart() -> None:
    """The loss alone does not show it: a step that kills all hidden units leaves ln 10, a guess."""
    collapsed = replace(GOOD, loss_after=2.3, spread=0.0)
    found = []
    for model in (None, models.mlp("zeros", 0)):
        program = make_program(model)
        found.append(codes(check_rate, program, collapsed, plan_of(program), 0))
    assert found == [["LEARNING_RATE_TOO_HIGH"], []]


def overfit_codes(model: Any, optimizer: Any = None) -> list[str]:
    return codes(check_overfit, make_program(model, optimizer=optimizer))


def test_narrow_network_cannot_overfit() -> None:
    assert overfit_codes(models.mlp("glorot", 0, units=1)) == ["CANNOT_OVERFIT"]


def test_slow_optimizer_is_no_inability() -> None:
    assert overfit_codes(models.mlp("glorot", 0), optimizers.sgd(1e-6)) == []
