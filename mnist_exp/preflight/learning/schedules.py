"""Read the learning rate over a whole run, and judge how it changes."""

import functools
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning.short_runs import fresh_run
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.steps import core

LEAST_STEPS = 100  # of a run with the schedule, and without it
READINGS = 60  # steps at which a schedule is read


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The learning rate over the steps of a run.

    optimizer: whose rate it is.
    steps: how many steps the run has.
    """

    optimizer: Any
    steps: int

    @functools.cached_property
    def readings(self) -> tuple[np.ndarray, np.ndarray]:
        """Return steps, close to each other at first, and the rates at them."""
        steps = np.unique(np.geomspace(1, max(self.steps, 1), READINGS).astype(int) - 1)
        return steps, np.array([rate_at(self.optimizer, int(step)) for step in steps])

    @property
    def first(self) -> float:
        """Return the rate of the first step."""
        return float(self.readings[1][0])

    @property
    def peak(self) -> float:
        """Return the largest rate of the run."""
        return float(self.readings[1].max())

    @property
    def constant(self) -> bool:
        """Return True if all steps have the same rate."""
        return bool(np.ptp(self.readings[1]) == 0)

    @property
    def full_steps(self) -> float:
        """Return how many steps at the peak would go as far as all of the run's steps together."""
        steps, rates = self.readings
        if self.peak <= 0:
            return float(self.steps)
        total = np.trapezoid(rates, steps) + rates[-1]
        return float(total) / self.peak

    @property
    def warmup(self) -> float:
        """Return how many times as large as the first rate the peak is; infinite above 0."""
        if self.peak == self.first:
            return 1.0
        return self.peak / self.first if self.first > 0 else float("inf")


def check_schedule(checkup: Checkup, program: Program, plan: Plan, seed: int) -> None:
    """Check for SCHEDULE_COLLAPSES: a rate that falls to nothing, below 0, or grows for ever."""
    if plan.constant:
        return
    _, rates = plan.readings
    lowest, last = float(rates.min()), float(rates[-1])
    if lowest < 0 < plan.peak:
        checkup.find(
            "SCHEDULE_COLLAPSES",
            f"Within {plan.steps:,} steps the learning rate goes from {plan.first:.3g} to "
            f"{lowest:.3g}: below 0, training goes up the loss.",
            {"first": plan.first, "lowest": lowest},
            case="negative",
        )
        return
    if last == plan.peak and (far := rate_at(program.optimizer, 100 * plan.steps)) > (
        thresholds.GROWS * last
    ):
        checkup.find(
            "SCHEDULE_COLLAPSES",
            f"The learning rate grows without end: {plan.first:.3g} at first, {last:.3g} after "
            f"{plan.steps:,} steps, {far:.3g} after {100 * plan.steps:,}.",
            {"first": plan.first, "last": last, "far": far},
            case="grows",
        )
        return
    full = plan.full_steps
    if full < min(thresholds.FULL_STEPS, thresholds.FULL_SHARE * plan.steps):
        _compare_held_rate(checkup, program, plan, seed)


def _compare_held_rate(checkup: Checkup, program: Program, plan: Plan, seed: int) -> None:
    """Blame the schedule only if training does better with its highest rate all the time."""
    steps = min(max(5 * int(plan.full_steps), LEAST_STEPS), plan.steps)
    own = fresh_run(program, seed, program.steps.own.start(), steps)
    held = fresh_run(program, seed, program.steps.held.start(plan.peak), steps)
    checkup.measure("schedule.held_over_own", held.lowest / max(own.lowest, 1e-12))
    if not held.lowest < thresholds.HOLDS * own.lowest:
        return
    checkup.find(
        "SCHEDULE_COLLAPSES",
        f"The learning rate falls from {plan.peak:.3g} so soon that all {plan.steps:,} steps of "
        f"the run go as far as {plan.full_steps:.0f} at that rate: after {steps} steps the loss "
        f"is {own.lowest:.3g}, and {held.lowest:.3g} if the rate stays.",
        {
            "peak": plan.peak,
            "full_steps": plan.full_steps,
            "loss": own.lowest,
            "loss_if_held": held.lowest,
        },
        case="vanishes",
    )


def rate_at(optimizer: Any, step: int) -> float:
    """Return the learning rate of one step, counted from 0."""
    rate = core(optimizer)._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate = rate(step)
    elif callable(rate):
        rate = rate()
    return float(np.asarray(rate))
