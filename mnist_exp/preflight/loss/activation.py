"""Check whether the activation of the outputs lets them be what the task wants."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.loss.output_form import OutputForm
from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import NUMBERS, ONE_OF_MANY, YES_OR_NO, Target, Task


def check_activation(checkup: Checkup, program: Program, form: OutputForm | None) -> None:
    """Check for OUTPUT_ACTIVATION: outputs that cannot become right, whatever is learned.

    form: what the outputs can be; None if that is not known, and then nothing is found.
    """
    target = program.target
    if form is None:
        return
    if form.constant and target.num_classes == 1:
        checkup.find(
            "OUTPUT_ACTIVATION",
            "Every output is 1, whatever the weights are: the softmax of a single output is.",
            {"lowest": form.lowest, "highest": form.highest},
            case="softmax of one",
        )
    elif target.takes is LossInput.PROBABILITIES and form.shares and _is_squeezed(form):
        checkup.find(
            "OUTPUT_ACTIVATION",
            f"The loss takes probabilities, and the outputs are {_range(form)}, whatever the "
            "weights are: they can never be certain.",
            {"lowest": form.lowest, "highest": form.highest},
            case="squeezed",
        )
    elif target.task in ONE_OF_MANY:
        _check_classes(checkup, program, form)
    elif target.task in YES_OR_NO and target.takes is not LossInput.NUMBERS:
        _check_yes_or_no(checkup, program, form)
    elif target.takes is LossInput.NUMBERS:
        _check_range(checkup, program, form)


def _is_squeezed(form: OutputForm) -> bool:
    if not np.isfinite([form.lowest, form.highest]).all():
        return False  # where the outputs end is not known, as of a mixture of several softmaxes
    low, high = thresholds.UNCERTAIN, 1 - thresholds.UNCERTAIN
    return form.highest < high or form.lowest > low


def _check_classes(checkup: Checkup, program: Program, form: OutputForm) -> None:
    takes, range_ = program.target.takes, _range(form)
    evidence = {"lowest": form.lowest, "highest": form.highest}
    if form.sums and -1 not in form.sums:
        checkup.find(
            "OUTPUT_ACTIVATION",
            f"The outputs sum to 1 over axis {form.sums[0]}, which is not the one of the classes "
            "(-1).",
            {"axes": form.sums},
            case="axis",
        )
    elif takes is LossInput.PROBABILITIES and form.rectified and not form.shares:
        checkup.find(
            "OUTPUT_ACTIVATION",
            f"The loss takes probabilities, and the outputs are {range_}: a ReLU's, of which "
            f"{form.zeros:.0%} are exactly 0 with random weights.",
            evidence,
            case="rectified probabilities",
        )
    elif takes is LossInput.LOGITS and not form.shares:
        bounded = max(abs(form.lowest), abs(form.highest)) <= thresholds.SMALL_LOGIT
        if form.rectified or bounded:
            checkup.find(
                "OUTPUT_ACTIVATION",
                f"The loss takes logits of any size, and the outputs are {range_}, whatever the "
                "weights are.",
                evidence,
                case="logits",
            )


def _check_yes_or_no(checkup: Checkup, program: Program, form: OutputForm) -> None:
    target, labels = program.target, program.labels
    evidence = {"lowest": form.lowest, "highest": form.highest}
    if target.task is Task.MULTILABEL and -1 in form.sums:
        yes = target.yes_per_answer(labels)
        if np.mean(yes != 1) > thresholds.FEW:
            checkup.find(
                "OUTPUT_ACTIVATION",
                f"The outputs of an example sum to 1, and {np.mean(yes != 1):.0%} of the examples "
                f"have another number of labels (up to {int(yes.max())}).",
                evidence,
                case="compete",
            )
    elif target.takes is LossInput.LOGITS and _wants_signs(target) and form.shares:
        checkup.find(
            "OUTPUT_ACTIVATION",
            f"To this loss a no is -1, and the outputs are {_range(form)}, whatever the weights "
            "are.",
            evidence,
            case="out of reach",
        )
    elif target.takes is LossInput.LOGITS and not form.shares and form.lowest >= 0:
        checkup.find(
            "OUTPUT_ACTIVATION",
            f"A negative logit says no, and the outputs are {_range(form)}, whatever the weights "
            "are: none can say no.",
            evidence,
            case="no negative",
        )


def _wants_signs(target: Target) -> bool:
    return target.kind.margin or target.kind.signs


def _check_range(checkup: Checkup, program: Program, form: OutputForm) -> None:
    """Compare the targets with the range of the outputs: how much of them can be reached?"""
    target = program.target
    numbers = np.nan_to_num(program.labels.astype(np.float64)).reshape(-1, *target.shape)
    if target.task in NUMBERS and -1 in form.sums:
        sums = numbers.sum(axis=-1)
        if np.abs(sums - 1).mean() > thresholds.FEW:
            checkup.find(
                "OUTPUT_ACTIVATION",
                "The outputs of an example sum to 1, and its targets do not (theirs go from "
                f"{sums.min():.3g} to {sums.max():.3g}).",
                {"lowest": float(sums.min()), "highest": float(sums.max())},
                case="sum",
            )
        return
    nearest = np.clip(numbers, form.lowest, form.highest)
    variance = float(np.sum((numbers - numbers.mean(axis=0)) ** 2))
    lost = float(np.sum((numbers - nearest) ** 2)) / max(variance, 1e-30)
    checkup.measure("output.range_lost", lost)
    if lost <= thresholds.RANGE_LOST:
        return
    outside = float(np.mean(nearest != numbers))
    message = (
        f"The outputs are {_range(form)}, whatever the weights are, and {outside:.0%} of the "
        f"targets are not (they go from {numbers.min():.3g} to {numbers.max():.3g})."
    )
    evidence = {"lowest": form.lowest, "highest": form.highest, "outside": outside, "lost": lost}
    harms = lost > thresholds.RANGE_LOST_ERROR and target.task in NUMBERS
    checkup.find("OUTPUT_ACTIVATION", message, evidence, case="range" if harms else "out of reach")


def _range(form: OutputForm) -> str:
    low, high = form.lowest, form.highest
    if np.isfinite(low) and np.isfinite(high):
        return f"from {low:.3g} to {high:.3g}"
    if form.shares:
        return "between 0 and 1"
    return f"never below {low:.3g}" if np.isfinite(low) else f"never above {high:.3g}"
