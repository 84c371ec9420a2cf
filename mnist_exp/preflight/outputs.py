"""Check the model's outputs against what the loss takes, and against the rest of the batch."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.loss import LossFacts
from mnist_exp.preflight.loss_kind import LossInput
from mnist_exp.preflight.program import Program


def check_probabilities(
    checkup: Checkup, program: Program, facts: LossFacts, outputs: np.ndarray
) -> None:
    """Check for OUTPUT_ALREADY_PROBABILITIES and OUTPUT_NOT_PROBABILITIES. outputs [B, C]."""
    if not np.isfinite(outputs).all():
        return
    row_error = float(np.abs(outputs.sum(1) - 1).max())
    checkup.measure("output.row_sum_error", row_error)
    are_probabilities = row_error < thresholds.ROW_SUM_ERROR and outputs.min() >= 0
    match facts.takes:
        case LossInput.LOGITS:
            _check_logits(checkup, program.taps.output_op, row_error, are_probabilities)
        case LossInput.PROBABILITIES if not are_probabilities:
            _find_no_probabilities(checkup, program, outputs, row_error)
        case LossInput.LOG_PROBABILITIES:
            _check_log_probabilities(checkup, outputs)


def _check_logits(
    checkup: Checkup, last_operation: str, row_error: float, are_probabilities: bool
) -> None:
    if are_probabilities or last_operation in ("Softmax", "Sigmoid"):
        checkup.find(
            "OUTPUT_ALREADY_PROBABILITIES",
            f"The outputs are probabilities already (last operation: {last_operation}, rows sum to "
            f"1 within {row_error:.1e}), and the loss applies softmax to them again.",
            {"row_sum_error": row_error, "last_operation": last_operation},
        )


def _find_no_probabilities(
    checkup: Checkup, program: Program, outputs: np.ndarray, row_error: float
) -> None:
    lowest, sums = float(outputs.min()), outputs.sum(1)
    if lowest >= 0 and outputs.any(axis=1).all() and _scale_invariant(program, outputs):
        return  # the loss divides by the row sums itself
    checkup.find(
        "OUTPUT_NOT_PROBABILITIES",
        f"The loss takes the logarithm of the outputs, which are no probabilities: lowest "
        f"{lowest:.3g}, rows sum to {sums.min():.3g} .. {sums.max():.3g} instead of 1.",
        {"lowest": lowest, "row_sum_error": row_error},
        case="logarithm",
    )


def _scale_invariant(program: Program, outputs: np.ndarray) -> bool:
    labels = program.labels[: len(outputs)]
    once, scaled = program.loss_of(labels, outputs), program.loss_of(labels, 0.5 * outputs)
    return abs(once - scaled) <= 1e-3 * abs(once)


def _check_log_probabilities(checkup: Checkup, outputs: np.ndarray) -> None:
    error = float(np.abs(np.exp(np.clip(outputs, -80, 80)).sum(1) - 1).max())
    if error >= thresholds.ROW_SUM_ERROR:
        checkup.find(
            "OUTPUT_NOT_PROBABILITIES",
            "The loss is minus the output of the right class, but exp(outputs) does not sum to 1 "
            f"(off by {error:.3g}): it has no lower bound.",
            {"row_sum_error": error},
            case="log-probabilities",
        )


def output_leak(program: Program, inputs: Inputs) -> float:
    """Return how much an example's outputs change when other examples of the batch are exchanged.

    It is the largest change of a third of the outputs when another third of the batch is exchanged,
    relative to their size; 0 where outputs are not finite, and with fewer than three examples.
    """
    third = len(inputs) // 3
    if third == 0:
        return 0.0
    kept, removed, replacement = (inputs[n * third : (n + 1) * third] for n in range(3))
    before = program.outputs(kept.followed_by(removed))[:third]
    after = program.outputs(kept.followed_by(replacement))[:third]
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return 0.0
    return _relative_difference(before, after)


def check_leak(checkup: Checkup, leak: float) -> None:
    """Check for EXAMPLES_LEAK in the model; `leak` comes from `output_leak`."""
    checkup.measure("output.leak", leak)
    if leak >= thresholds.OUTPUT_LEAK:
        checkup.find(
            "EXAMPLES_LEAK",
            "Exchanging other examples of the batch changes an example's output by "
            f"{leak:.2g} of its size.",
            {"relative_change": leak},
            case="outputs",
        )


def check_evaluation(checkup: Checkup, program: Program, inputs: Inputs, leak: float) -> bool:
    """Check for TRAIN_EVAL_MISMATCH: a model that is evaluated must not be in training mode.

    Returns True if evaluating the same inputs twice gives different outputs.
    """
    first, second = program.outputs(inputs), program.outputs(inputs)
    noise = _relative_difference(first, second) if np.isfinite(first).all() else 0.0
    checkup.measure("eval.noise", noise)
    noisy = noise > thresholds.EVALUATION_NOISE
    if noisy:
        checkup.find(
            "TRAIN_EVAL_MISMATCH",
            f"Evaluating the same {len(inputs)} examples twice gives outputs that differ by "
            f"{noise:.2g} of their size: dropout or other noise is on.",
            {"noise": noise},
        )
    elif program.taps.normalisation and leak >= thresholds.OUTPUT_LEAK:
        checkup.find(
            "TRAIN_EVAL_MISMATCH",
            "Batch normalisation uses the statistics of the batch while evaluating, so a "
            f"prediction depends on its neighbours (outputs change by {leak:.2g} with them).",
            {"relative_change": leak},
        )
    return noisy


def _relative_difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).max() / max(np.abs(first).max(), 1e-30))
