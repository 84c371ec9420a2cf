"""What short training runs tell: about the optimizer's steps, and whether the program can learn at all."""

import math
from typing import Any

from . import thresholds
from .program import Program
from .report import Finding
from .runs import (
    OVERFIT_BATCH,
    PROBE_RATES,
    PROBE_STEPS,
    Overfit,
    ShortRun,
    adam_step,
    overfit,
    short_run,
)

LOWER_RATES = (
    1e-2,
    1e-4,
)  # the second where all units die, or NaN comes, at a hundredth of the rate too


def check_uphill(run: ShortRun, statistics: dict[str, Any]) -> list[Finding]:
    """LOSS_NOT_MINIMISED by the optimizer's own sign."""
    statistics["run.downhill"] = run.downhill
    if math.isnan(run.downhill) or run.downhill > thresholds.UPHILL:
        return []
    return [
        Finding(
            "LOSS_NOT_MINIMISED",
            "error",
            f"The optimizer's first step goes up the loss (cosine with the downhill direction {run.downhill:+.2f}).",
            "The learning rate or the gradient has the wrong sign.",
            {"downhill": run.downhill},
        )
    ]


def check_rate(
    program: Program, run: ShortRun, seed: int, statistics: dict[str, Any]
) -> list[Finding]:
    """LEARNING_RATE_TOO_HIGH, LEARNING_RATE_TOO_LOW, and GRADIENT_NON_FINITE where no rate helps."""
    rate = program.learning_rate
    ratio = run.loss_after / run.loss_before if run.finite and run.loss_before > 0 else math.inf
    promised = run.promised * program.warmup
    statistics["run.loss_ratio"] = ratio
    statistics["run.promised"] = promised
    if run.downhill <= thresholds.UPHILL:
        return []
    if not run.finite or ratio > thresholds.NO_PROGRESS or run.spread <= thresholds.INPUT_SPREAD:
        found = _too_high(program, run, seed, rate, statistics)
        if found:
            return found
    # abs: with weight decay and a gradient of 0 the first order says nothing about the direction.
    if (
        run.finite
        and math.isfinite(promised)
        and abs(promised) < thresholds.STEP_TOO_SMALL
        and max(run.largest) > 0
    ):
        return [
            Finding(
                "LEARNING_RATE_TOO_LOW",
                "warning",
                f"A step with learning rate {rate:.3g} lowers the loss by {promised:.1e} of its value: halving it "
                f"takes about {0.5 / max(abs(promised), 1e-30):,.0f} steps.",
                "Raise the learning rate; 0.01 to 0.5 for SGD on a mean loss and 1e-3 for Adam are usual.",
                {"learning_rate": rate, "relative_decrease": promised},
            )
        ]
    return []


def _too_high(
    program: Program, run: ShortRun, seed: int, rate: float, statistics: dict[str, Any]
) -> list[Finding]:
    """A lower rate must do better, or the rate is not to blame."""
    after = f"{run.loss_after:.3g}" if run.finite else f"NaN or infinite after {run.steps} steps"
    collapsed = run.spread <= thresholds.INPUT_SPREAD
    for scale in LOWER_RATES:
        program.restore()
        slower = short_run(program, seed, scale)
        if slower.finite and slower.spread > thresholds.INPUT_SPREAD:
            break
    if not slower.finite:
        return [
            Finding(
                "GRADIENT_NON_FINITE",
                "error",
                f"The loss becomes {after}, and not a number at a learning rate of {rate * scale:.3g} either.",
                "Compute the cross entropy from logits instead of log(softmax), and look for log(0), 0/0 or sqrt(0).",
                {"steps": run.steps, "learning_rate": rate},
            )
        ]
    if run.finite:
        statistics["run.slower_over_own"] = slower.loss_after / run.loss_after
    if not _does_better(slower, run):
        return []
    return [
        Finding(
            "LEARNING_RATE_TOO_HIGH",
            "error",
            f"Within {run.steps} steps at learning rate {rate:.3g} the loss on other images goes from "
            f"{run.loss_before:.3g} to {after}"
            + (" and all images get the same outputs" if collapsed else "")
            + f"; at {rate * scale:.3g} it goes to {slower.loss_after:.3g}.",
            "Divide the learning rate by 10 until the loss falls (a summed loss needs one smaller by the batch size).",
            {
                "learning_rate": rate,
                "loss_before": run.loss_before,
                "loss_after": run.loss_after,
                "lower_rate": rate * scale,
                "loss_after_at_lower_rate": slower.loss_after,
            },
        )
    ]


def _does_better(slower: ShortRun, run: ShortRun) -> bool:
    if run.spread <= thresholds.INPUT_SPREAD:
        # A step that kills the hidden units leaves the loss of a guess, which a slow run may not beat.
        return slower.spread > thresholds.INPUT_SPREAD
    return not run.finite or slower.loss_after < thresholds.RECOVERS * run.loss_after


def check_ignored(run: ShortRun, statistics: dict[str, Any]) -> list[Finding]:
    """INPUT_IGNORED. After a short run, because zero weights rightly give every image the same outputs at first."""
    statistics["run.input_spread"] = run.spread
    if not run.spread <= thresholds.INPUT_SPREAD:  # NaN: nothing to say
        return []
    return [
        Finding(
            "INPUT_IGNORED",
            "error",
            f"After a short run all images get the same outputs (relative difference {run.spread:.1e}), so permuted or "
            "zeroed images do as well.",
            "Follow the images through the model: they are overwritten, multiplied by 0, or stopped by dead units.",
            {"spread": run.spread},
        )
    ]


def check_overfit(program: Program, statistics: dict[str, Any]) -> list[Finding]:
    """CANNOT_OVERFIT, with an Adam of known good rates, so that a slow or wild optimizer is not taken for it."""
    tried: list[Overfit] = []
    for rate in PROBE_RATES:
        program.restore()
        tried.append(overfit(program, adam_step(program, rate), PROBE_STEPS))
        if tried[-1].accuracy == 1.0:
            break
    best = max(tried, key=lambda result: result.accuracy)
    statistics["overfit.accuracy"] = best.accuracy
    statistics["overfit.steps"] = float(sum(result.steps for result in tried))
    if best.accuracy == 1.0:
        return []
    if not any(result.finite for result in tried):
        return [
            Finding(
                "GRADIENT_NON_FINITE",
                "error",
                f"Training on one batch becomes NaN or infinite after {tried[-1].steps} steps of Adam "
                f"at {PROBE_RATES[-1]:g}.",
                "Compute the cross entropy from logits instead of log(softmax), and look for log(0), 0/0, sqrt(0).",
                {"steps": tried[-1].steps},
            )
        ]
    return [
        Finding(
            "CANNOT_OVERFIT",
            "error",
            f"The best accuracy on one batch of {min(len(program.images), OVERFIT_BATCH)} images is "
            f"{best.accuracy:.0%} after {best.steps} steps of Adam, while its loss went from {best.first_loss:.3g} to "
            f"{best.last_loss:.3g}: memorising them should be easy.",
            "Something on the way from the images to the loss loses information: look at the other findings first, "
            "then at the narrowest layer, at a ReLU on the outputs, and at dropout near 1.",
            {"accuracy": best.accuracy, "first_loss": best.first_loss, "last_loss": best.last_loss},
        )
    ]
