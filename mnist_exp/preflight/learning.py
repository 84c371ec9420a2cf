"""Judge short training runs: the optimizer's steps, and whether the program can learn at all."""

import math

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program import Program
from mnist_exp.preflight.short_runs import (
    OVERFIT_BATCH,
    PROBE_RATES,
    PROBE_STEPS,
    Overfit,
    ShortRun,
    adam_step,
    overfit,
    short_run,
)

# The second is for rates at which all units die, or NaN comes, at a hundredth of the rate, too.
LOWER_RATES = (1e-2, 1e-4)


def check_uphill(checkup: Checkup, run: ShortRun) -> None:
    """Check for LOSS_NOT_MINIMISED by an optimizer that steps in the wrong direction."""
    checkup.measure("run.downhill", run.downhill)
    if run.downhill <= thresholds.UPHILL:  # never if it is NaN
        checkup.find(
            "LOSS_NOT_MINIMISED",
            "The optimizer's first step goes up the loss (cosine with the downhill direction "
            f"{run.downhill:+.2f}).",
            {"downhill": run.downhill},
            case="optimizer",
        )


def check_rate(checkup: Checkup, program: Program, run: ShortRun, seed: int) -> None:
    """Check for LEARNING_RATE_TOO_HIGH, LEARNING_RATE_TOO_LOW and GRADIENT_NON_FINITE.

    The last means that no learning rate helps.
    """
    ratio = run.loss_after / run.loss_before if run.finite and run.loss_before > 0 else math.inf
    promised = run.promised * program.warmup
    checkup.measure("run.loss_ratio", ratio)
    checkup.measure("run.promised", promised)
    if run.downhill <= thresholds.UPHILL:
        return
    if not run.finite or ratio > thresholds.NO_PROGRESS or run.collapsed:
        _compare_lower_rate(checkup, program, run, seed)
        if checkup.has("LEARNING_RATE_TOO_HIGH", "GRADIENT_NON_FINITE"):
            return
    # abs: with weight decay and a gradient of 0 the first order does not give the direction.
    small = math.isfinite(promised) and abs(promised) < thresholds.STEP_TOO_SMALL
    if run.finite and small and max(run.largest) > 0:
        rate = program.learning_rate
        checkup.find(
            "LEARNING_RATE_TOO_LOW",
            f"A step with learning rate {rate:.3g} lowers the loss by {promised:.1e} of its value: "
            f"halving it takes about {0.5 / max(abs(promised), 1e-30):,.0f} steps.",
            {"learning_rate": rate, "relative_decrease": promised},
        )


def _compare_lower_rate(checkup: Checkup, program: Program, run: ShortRun, seed: int) -> None:
    """Blame the learning rate only if a lower one does better."""
    after = f"{run.loss_after:.3g}" if run.finite else f"NaN or infinite after {run.steps} steps"
    rate = program.learning_rate
    for scale in LOWER_RATES:
        program.restore()
        slower, lower_rate = short_run(program, seed, scale), rate * scale
        if slower.finite and slower.spread > thresholds.INPUT_SPREAD:
            break
    if not slower.finite:
        checkup.find(
            "GRADIENT_NON_FINITE",
            f"The loss becomes {after}, and not a number at a learning rate of {lower_rate:.3g} "
            "either.",
            {"steps": run.steps, "learning_rate": rate},
            case="loss",
        )
        return
    if run.finite:
        checkup.measure("run.slower_over_own", slower.loss_after / run.loss_after)
    if _does_better(slower, run):
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


def _does_better(slower: ShortRun, run: ShortRun) -> bool:
    """Compare two runs. `slower`, the one with the lower learning rate, is finite."""
    if run.collapsed:
        # A step that kills the hidden units leaves the loss of a guess, which a slow run may not
        # beat.
        return slower.spread > thresholds.INPUT_SPREAD
    return not run.finite or slower.loss_after < thresholds.RECOVERS * run.loss_after


def check_ignored(checkup: Checkup, run: ShortRun) -> None:
    """Check for INPUT_IGNORED: all examples get the same outputs.

    After a short run, because zero weights rightly give every image the same outputs at first.
    """
    checkup.measure("run.input_spread", run.spread)
    if run.collapsed:
        checkup.find(
            "INPUT_IGNORED",
            f"After a short run all examples get the same outputs (relative difference "
            f"{run.spread:.1e}), so permuted or zeroed inputs do as well.",
            {"spread": run.spread},
            case="outputs",
        )


def check_overfit(checkup: Checkup, program: Program) -> None:
    """Check for CANNOT_OVERFIT, with an Adam of known good learning rates.

    With that, a slow or wild optimizer is not taken for a program that cannot learn.
    """
    tried: list[Overfit] = []
    for rate in PROBE_RATES:
        program.restore()
        tried.append(overfit(program, adam_step(program, rate), PROBE_STEPS))
        if tried[-1].accuracy == 1.0:
            break
    best = max(tried, key=lambda result: result.accuracy)
    checkup.measure("overfit.accuracy", best.accuracy)
    checkup.measure("overfit.steps", sum(result.steps for result in tried))
    if best.accuracy == 1.0:
        return
    if not any(result.finite for result in tried):
        checkup.find(
            "GRADIENT_NON_FINITE",
            f"Training on one batch becomes NaN or infinite after {tried[-1].steps} steps of Adam "
            f"at {PROBE_RATES[-1]:g}.",
            {"steps": tried[-1].steps},
            case="loss",
        )
        return
    checkup.find(
        "CANNOT_OVERFIT",
        f"The best accuracy on one batch of {min(len(program.inputs), OVERFIT_BATCH)} examples is "
        f"{best.accuracy:.0%} after {best.steps} steps of Adam, while its loss went from "
        f"{best.first_loss:.3g} to {best.last_loss:.3g}: memorising them should be easy.",
        {"accuracy": best.accuracy, "first_loss": best.first_loss, "last_loss": best.last_loss},
    )
