"""Judge short training runs: the optimizer's steps, and whether the program can learn at all."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning.diagnosis import BOUNDED, Suspect, cause
from mnist_exp.preflight.learning.memorising import (
    Lesson,
    Memorised,
    capacity,
    few_examples,
    lesson,
    memorise,
)
from mnist_exp.preflight.learning.short_runs import ShortRun
from mnist_exp.preflight.program.breakdown import find_breakdown
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import NUMBERS

PROBE_STEPS = 100
# The first needs the fewest steps on good programs; for some of them it is too high. The last are
# for tiny networks and for dropout.
PROBE_RATES = (3e-3, 3e-4, 3e-2, 1e-3)


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

    With that, a slow or wild optimizer is not taken for a program that cannot learn. A program
    that cannot is tried again with one suspect changed at a time.
    """
    inputs, labels = few_examples(program)
    own, few = lesson(program, inputs, labels), capacity(program, labels) < thresholds.CAPACITY
    numbers = program.target.task in NUMBERS
    # A line through numbers need not hit them, and numbers that are all equal need no learning.
    if numbers and (few or own.chance >= own.enough):
        return
    best, finite = _best_of(checkup, program, own)
    checkup.measure("overfit.skill", own.skill(best.score))
    if best.score >= own.enough:
        return
    if not finite and best.breakdown:
        find_breakdown(
            checkup,
            f"Training on one batch becomes NaN or infinite after {best.steps} steps of Adam, "
            "whatever the learning rate",
            best.breakdown,
            {"steps": best.steps},
        )
        return
    if checkup.has("INNER_BOTTLENECK"):  # the cause is known
        _find(checkup, program, best, len(inputs), None)
        return
    skill = own.skill(best.score)
    bounded = program.taps.output_op in BOUNDED and not numbers
    if skill >= thresholds.KNOWS_ENOUGH and not bounded:
        return
    found = cause(program, inputs, labels)
    if found is None:
        if skill < thresholds.KNOWS_LITTLE and not few:
            _find(checkup, program, best, len(inputs), None)
    elif skill < thresholds.KNOWS_LITTLE or (bounded and found.name == "activation"):
        _find(checkup, program, best, len(inputs), found)


def _best_of(checkup: Checkup, program: Program, own: Lesson) -> tuple[Memorised, bool]:
    """Return the best of some trials with different rates, and whether any of them was finite."""
    tried: list[Memorised] = []
    for rate in PROBE_RATES:
        program.restore()
        tried.append(memorise(program, own, program.steps.adam.start(rate), PROBE_STEPS))
        if tried[-1].score >= own.enough:
            break
    best = max(tried, key=lambda result: result.score)
    checkup.measure("overfit.accuracy", best.score)
    checkup.measure("overfit.steps", sum(result.steps for result in tried))
    return best, any(result.breakdown is None for result in tried)


def _find(
    checkup: Checkup, program: Program, best: Memorised, examples: int, found: Suspect | None
) -> None:
    """Record that a program cannot learn a few examples, and after which change it can."""
    what = "score" if program.target.task in NUMBERS else "accuracy"
    seen = (
        f"The best {what} on one batch of {examples} examples is {best.score:.0%} after "
        f"{best.steps} steps of Adam, while its loss went from {best.first_loss:.3g} to "
        f"{best.last_loss:.3g}"
    )
    numbers = {"accuracy": best.score, "first_loss": best.first_loss, "last_loss": best.last_loss}
    if found is None:
        checkup.find("CANNOT_OVERFIT", f"{seen}: memorising them should be easy.", numbers)
        return
    checkup.find(
        "CANNOT_OVERFIT",
        f"{seen}; {found.words} it learns them by heart.",
        numbers | {"change": found.name},
        case="change",
    )
