"""Judge short training runs: the optimizer's steps, and whether the program can learn at all."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program import Program
from mnist_exp.preflight.short_runs import (
    OVERFIT_BATCH,
    PROBE_RATES,
    PROBE_STEPS,
    Overfit,
    ShortRun,
    overfit,
)


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
        tried.append(overfit(program, program.steps.adam.start(rate), PROBE_STEPS))
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
