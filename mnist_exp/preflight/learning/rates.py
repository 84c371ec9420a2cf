"""Judge the learning rate by what it does: over a short run, and over the whole run's way."""

import math

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning.schedules import Plan
from mnist_exp.preflight.learning.short_runs import SHORT_RUN_STEPS, ShortRun, Step, fresh_run
from mnist_exp.preflight.program.breakdown import Breakdown, Part, find_breakdown
from mnist_exp.preflight.program.program import Program

# The second is for rates at which all units die, or NaN comes, at a hundredth of the rate, too.
LOWER_RATES = (1e-2, 1e-4)
# Times the rate at which a step promises STEP_SEEN, or times the program's own if that is higher.
HIGHER_RATES = (10.0, 100.0, 1000.0)
STEP_SEEN = 1e-3
FEWEST_STEPS = 100  # by which a rate is judged
# Where training goes on and only the loss after it is NaN.
UNSEEN = Breakdown(part=Part.LOSS, words="every training step is finite, and the evaluation is not")


def check_rate(checkup: Checkup, program: Program, run: ShortRun, plan: Plan, seed: int) -> None:
    """Check for LEARNING_RATE_TOO_HIGH, LEARNING_RATE_TOO_LOW and GRADIENT_NON_FINITE.

    The last means that no learning rate helps.
    """
    ratio = run.loss_after / run.loss_before if run.finite and run.loss_before > 0 else math.inf
    promised = run.promised * plan.warmup
    checkup.measure("run.loss_ratio", ratio)
    checkup.measure("run.promised", promised)
    if run.downhill <= thresholds.UPHILL:
        return
    if not run.finite or ratio > thresholds.NO_PROGRESS or run.collapsed:
        _compare_lower_rate(checkup, program, run, seed)
        if checkup.has("LEARNING_RATE_TOO_HIGH", "GRADIENT_NON_FINITE"):
            return
    # abs: with weight decay and a gradient of 0 the first order does not give the direction.
    small = not math.isfinite(promised) or abs(promised) < thresholds.STEP_SMALL
    if run.finite and (small or ratio > thresholds.NO_PROGRESS) and max(run.largest) > 0:
        _compare_higher_rates(checkup, program, run, plan, seed)


def _compare_lower_rate(checkup: Checkup, program: Program, run: ShortRun, seed: int) -> None:
    """Blame the learning rate only if a lower one does better."""
    after = f"{run.loss_after:.3g}" if run.finite else f"NaN or infinite after {run.steps} steps"
    rate = Plan(optimizer=program.optimizer, steps=1).first
    for scale in LOWER_RATES:
        slower, lower_rate = fresh_run(program, seed, program.steps.own.start(scale)), rate * scale
        if slower.finite and slower.spread > thresholds.INPUT_SPREAD:
            break
    if not slower.finite:
        find_breakdown(
            checkup,
            f"The loss becomes {after}, and not a number at a learning rate of {lower_rate:.3g} "
            "either",
            slower.breakdown or run.breakdown or UNSEEN,
            {"steps": run.steps, "learning_rate": rate},
        )
        return
    if _does_better(checkup, slower, run):
        equal = " and all examples get the same outputs" if run.collapsed else ""
        checkup.find(
            "LEARNING_RATE_TOO_HIGH",
            f"Within {run.steps} steps at learning rate {rate:.3g} the loss on other examples goes "
            f"from {run.loss_before:.3g} to {after}{equal}; at {lower_rate:.3g} it goes to "
            f"{slower.loss_after:.3g}.",
            {
                "learning_rate": rate,
                "loss_before": run.loss_before,
                "loss_after": run.loss_after,
                "lower_rate": lower_rate,
                "loss_after_at_lower_rate": slower.loss_after,
            },
        )


def _does_better(checkup: Checkup, slower: ShortRun, run: ShortRun) -> bool:
    """Compare two runs. `slower`, the one with the lower learning rate, is finite.

    A rate at which the losses of the training batches are as low does no harm, whatever the loss
    with dropout off is: the moving averages of batch normalisation follow slowly.
    """
    if run.collapsed:
        # A step that kills the hidden units leaves the loss of a guess, which a slow run may not
        # beat.
        return slower.spread > thresholds.INPUT_SPREAD
    if run.training_loss < thresholds.RECOVERS * run.loss_before:
        return False
    if not run.finite:
        return True
    ratio = slower.loss_after / run.loss_after if run.loss_after else 1.0
    checkup.measure("run.slower_over_own", ratio)
    return ratio < thresholds.RECOVERS


def _compare_higher_rates(
    checkup: Checkup, program: Program, run: ShortRun, plan: Plan, seed: int
) -> None:
    """Blame the learning rate only if a higher one does much better than all of the run's steps.

    As many steps as the short run has, at a rate that is higher by as much as the whole run is
    longer, go as far as the whole run. That is more than it reaches with an optimizer whose steps
    do not all go in one direction, or become shorter. A run of very few steps is judged as a longer
    one: that it is short is no fault of its rate.
    """
    is_short = plan.steps < FEWEST_STEPS
    plan = Plan(optimizer=plan.optimizer, steps=max(plan.steps, FEWEST_STEPS))
    whose = f"{plan.steps:,} steps{'' if is_short else ' of the run'}"
    whole = plan.full_steps / SHORT_RUN_STEPS
    reached, best, best_scale = run.fall, run.fall, 1.0
    promised = abs(run.promised * plan.warmup)
    seen = STEP_SEEN / promised if 0 < promised < STEP_SEEN else 1.0
    for scale in sorted({*(seen * higher for higher in HIGHER_RATES), max(whole, 1.0)}):
        if reached > thresholds.SLOW:  # no higher rate would show that this one is too low
            return
        fall = fresh_run(program, seed, _steps_at(program, plan, scale)).fall
        if scale <= whole:
            reached = max(reached, fall)
        if fall > best:
            best, best_scale = fall, scale
    checkup.measure("run.reachable", best)
    nothing = (
        reached < thresholds.NOTHING * best
        or promised * plan.full_steps < thresholds.NOTHING_PROMISED
    )
    if best < (thresholds.LEARNS_LITTLE if nothing else thresholds.LEARNS):
        return
    checkup.measure("run.reached", reached / best)
    if reached > min(thresholds.REACHED * best, thresholds.SLOW):
        return
    checkup.find(
        "LEARNING_RATE_TOO_LOW",
        f"With learning rate {plan.peak:.3g} {whose} together lower the loss by about "
        f"{max(reached, 0):.1%}; {SHORT_RUN_STEPS} steps with "
        f"{plan.peak * best_scale:.3g} lower it by {best:.0%}.",
        {
            "learning_rate": plan.peak,
            "relative_decrease": run.promised,
            "reached": reached,
            "higher_rate": plan.peak * best_scale,
            "reached_at_higher_rate": best,
        },
        case="nothing" if nothing else "slow",
    )


def _steps_at(program: Program, plan: Plan, scale: float) -> Step:
    """Return steps of the program's optimizer at the peak of its learning rate times `scale`."""
    if plan.constant:
        return program.steps.own.start(scale)
    return program.steps.held.start(plan.peak * scale)
