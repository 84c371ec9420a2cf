"""Judge what is added to the loss, or takes from the weights, besides the data."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning.schedules import Plan
from mnist_exp.preflight.learning.short_runs import CLEAR_STEPS, clear_run, fresh_run, gain
from mnist_exp.preflight.program.passes import Gradients
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.steps import core

LONGEST = 10.0  # times the rate at which a weight decay is tried
CLEAR_SHRINKS = 5.0  # weight decay times rate, summed over the steps, that leaves almost nothing


def check_penalty(checkup: Checkup, program: Program, first: Gradients, seed: int) -> None:
    """Check for PENALTY_DOMINATES.

    Only where the layers' own losses are large at first, and training lowers the loss on the data
    far less with them than without them: a usual l2, and what a variational autoencoder adds, do
    not keep it from that.
    """
    share = first.penalty / max(abs(first.loss), 1e-12)
    if share < thresholds.PENALTY_SHARE:
        return
    falls = []
    for weight in (1.0, 0.0):
        program.penalty_weight = weight
        falls.append(gain(program, clear_run(program, seed)))
    program.penalty_weight = 1.0
    with_it, without = falls
    checkup.measure("penalty.left", with_it / max(without, 1e-12))
    if not _hinders(with_it, without):
        return
    checkup.find(
        "PENALTY_DOMINATES",
        f"The layers' own losses add {first.penalty:.3g} to a loss of {first.loss:.3g}; "
        f"{CLEAR_STEPS} steps lower the loss on the data by {max(with_it, 0):.0%} with them, and "
        f"by {without:.0%} without them.",
        {"penalty": first.penalty, "loss": first.loss, "fall": with_it, "fall_without": without},
    )


def check_weight_decay(checkup: Checkup, program: Program, plan: Plan, seed: int) -> None:
    """Check for WEIGHT_DECAY_TOO_HIGH.

    Only where, over the run, it would shrink weights without a gradient to a third, and training
    lowers the loss far less with it than without it.
    """
    decay = float(getattr(core(program.optimizer), "weight_decay", None) or 0.0)
    shrinks = decay * plan.peak * plan.full_steps
    if shrinks < thresholds.SHRINKS:
        return
    # As far as the whole run goes, if it is not too far for a few steps.
    wanted = min(shrinks, CLEAR_SHRINKS) / (decay * plan.peak * CLEAR_STEPS)
    rate = plan.peak * min(max(wanted, 1.0), LONGEST)
    falls = []
    for value in (decay, 0.0):  # AdamW refuses None
        step = program.steps.changed(rate=rate, weight_decay=value).start()
        falls.append(gain(program, fresh_run(program, seed, step, CLEAR_STEPS)))
    with_it, without = falls
    checkup.measure("decay.left", with_it / max(without, 1e-12))
    if not _hinders(with_it, without):
        return
    checkup.find(
        "WEIGHT_DECAY_TOO_HIGH",
        f"The weight decay {decay:.3g} takes {decay * plan.peak:.1%} of every weight in a step at "
        f"the rate {plan.peak:.3g}; {CLEAR_STEPS} steps at {rate:.3g} lower the loss by "
        f"{max(with_it, 0):.0%} with it, and by {without:.0%} without it.",
        {"weight_decay": decay, "rate": plan.peak, "fall": with_it, "fall_without": without},
    )


def _hinders(with_it: float, without: float) -> bool:
    """Return True if the loss falls far less with something than without it."""
    return without >= thresholds.LEARNS and with_it <= thresholds.HINDERED * without
