"""Check the model's outputs against what the loss takes."""

import math

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.loss.function import LossFacts
from mnist_exp.preflight.loss.output_form import OutputForm
from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import ONE_OF_MANY, Target
from mnist_exp.preflight.structure.before_activation import takes_logits_before

_SIZES = (1.0, 3.0, 10.0, 30.0)  # of certain logits; label smoothing is best with middle ones


def check_probabilities(
    checkup: Checkup,
    program: Program,
    facts: LossFacts,
    outputs: np.ndarray,
    form: OutputForm | None,
) -> None:
    """Check for OUTPUT_ALREADY_PROBABILITIES and OUTPUT_NOT_PROBABILITIES.

    outputs [B, ...]: the first ones. form: what the outputs can be, if it is known.
    """
    if not np.isfinite(outputs).all():
        return
    target = program.target
    several = target.task in ONE_OF_MANY
    if several:
        row_error = float(np.abs(outputs.sum(-1) - 1).max())
        checkup.measure("output.row_sum_error", row_error)
        are_probabilities = row_error < thresholds.ROW_SUM_ERROR and outputs.min() >= 0
    else:
        row_error, are_probabilities = math.nan, False
    shares = are_probabilities or (form is not None and form.shares)
    match facts.takes:
        case LossInput.LOGITS if not several and (target.kind.margin or target.kind.signs):
            pass  # a hinge: OUTPUT_ACTIVATION
        case LossInput.LOGITS if shares and not (form and form.constant):
            _check_logits(checkup, program)
        case LossInput.LOGITS if several and not target.kind.ignored:
            _check_twice(checkup, program)
        case LossInput.PROBABILITIES if several and not are_probabilities:
            _check_rows(checkup, program, outputs, row_error)
        case LossInput.PROBABILITIES if not several and form is not None and not form.shares:
            _find_no_shares(checkup, form, outputs)
        case LossInput.LOG_PROBABILITIES:
            _check_log_probabilities(checkup, outputs)


def _check_logits(checkup: Checkup, program: Program) -> None:
    """Judge probabilities that a loss takes for logits: how low can the loss get?

    A hinge loss is 0 where the right output is 1 higher than the others, so it may take them.
    """
    target, labels = program.target, program.labels[:64]
    yes = None if target.kind.ignored else _certain(target, labels)
    function = "softmax" if target.task in ONE_OF_MANY else "sigmoid"
    floor = math.nan
    if yes is not None:
        best = min(program.loss_of(labels, size * (2 * yes - 1)) for size in _SIZES)
        floor, guess = program.loss_of(labels, yes), program.loss_of(labels, 0 * yes)
        checkup.measure("output.floor", (floor - best) / max(guess - best, 1e-12))
        if floor - best < thresholds.FLOOR * (guess - best):
            return
    operation = program.taps.output_op
    taken = takes_logits_before(program)
    if taken:
        what = f"is told that they are logits: Keras trains on what {operation} was given, but of "
        what += f"outputs alone, such as those of `predict`, it computes {function} twice"
    else:
        what = f"applies {function} to them again"
        what += f", so the loss cannot fall below {floor:.3g}" if math.isfinite(floor) else ""
    checkup.find(
        "OUTPUT_ALREADY_PROBABILITIES",
        f"The outputs are probabilities already (last operation: {operation}), and the loss "
        f"{what}.",
        {"floor": floor, "last_operation": operation},
        case="taken back" if taken else "",
    )


def _certain(target: Target, labels: np.ndarray) -> np.ndarray:
    """Return the outputs 0 and 1 [B, ...] that say what the labels say."""
    shape = (len(labels), *target.shape)
    if target.task in ONE_OF_MANY and labels.size != math.prod(shape):
        classes = target.answers(labels).reshape(shape[:-1])
        return np.asarray(np.eye(target.num_classes)[classes], np.float32)
    return labels.reshape(shape).astype(np.float32)


def _check_rows(checkup: Checkup, program: Program, outputs: np.ndarray, row_error: float) -> None:
    lowest, sums = float(outputs.min()), outputs.sum(-1)
    if lowest >= 0 and outputs.any(axis=-1).all() and _scale_invariant(program, outputs):
        return  # the loss divides by the row sums itself
    checkup.find(
        "OUTPUT_NOT_PROBABILITIES",
        f"The loss takes the logarithm of the outputs, which are no probabilities: lowest "
        f"{lowest:.3g}, rows sum to {sums.min():.3g} .. {sums.max():.3g} instead of 1.",
        {"lowest": lowest, "row_sum_error": row_error},
        case="logarithm",
    )


def _check_twice(checkup: Checkup, program: Program) -> None:
    """Find a loss that applies softmax to the logits, and then a cross entropy that does so again.

    Certain logits make 1 and 0 of the first one, of which the second one makes shares: their cross
    entropy is ln(1 + (C - 1) / e) for C classes, whatever the loss is multiplied with.
    """
    target, labels = program.target, program.labels[:64]
    certain = 1e3 * (2 * _certain(target, labels) - 1)
    floor, guess = (program.loss_of(labels, logits) for logits in (certain, 0 * certain))
    shares = math.log(1 + (target.num_classes - 1) / math.e) / math.log(target.num_classes)
    if guess > 0 and abs(floor / guess - shares) < thresholds.SAME_LOSS:
        checkup.find(
            "OUTPUT_ALREADY_PROBABILITIES",
            "The loss applies softmax to the outputs, and again to what that gives, so it cannot "
            f"fall below {floor:.3g}.",
            {"floor": floor},
            case="in the loss",
        )


def _scale_invariant(program: Program, outputs: np.ndarray) -> bool:
    labels = program.labels[: len(outputs)]
    once, scaled = program.loss_of(labels, outputs), program.loss_of(labels, 0.5 * outputs)
    return abs(once - scaled) <= 1e-3 * abs(once)


def _find_no_shares(checkup: Checkup, form: OutputForm, outputs: np.ndarray) -> None:
    lowest, highest = float(outputs.min()), float(outputs.max())
    checkup.find(
        "OUTPUT_NOT_PROBABILITIES",
        "The loss takes probabilities, and the outputs are not held between 0 and 1: now they go "
        f"from {lowest:.3g} to {highest:.3g}, with other weights from {form.least:.3g} to "
        f"{form.most:.3g}.",
        {"lowest": lowest, "highest": highest},
        case="yes or no",
    )


def _check_log_probabilities(checkup: Checkup, outputs: np.ndarray) -> None:
    error = float(np.abs(np.exp(np.clip(outputs, -80, 80)).sum(-1) - 1).max())
    if error >= thresholds.ROW_SUM_ERROR:
        checkup.find(
            "OUTPUT_NOT_PROBABILITIES",
            "The loss is minus the output of the right class, but exp(outputs) does not sum to 1 "
            f"(off by {error:.3g}): it has no lower bound.",
            {"row_sum_error": error},
            case="log-probabilities",
        )
