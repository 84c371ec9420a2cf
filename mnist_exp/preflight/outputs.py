"""The model's outputs against what the loss takes, and against the rest of the batch."""

from typing import Any

import numpy as np

from . import thresholds
from .loss import LossFacts
from .program import Program
from .report import Finding


def check_probabilities(
    program: Program, facts: LossFacts, outputs: np.ndarray, statistics: dict[str, Any]
) -> list[Finding]:
    """OUTPUT_ALREADY_PROBABILITIES and OUTPUT_NOT_PROBABILITIES. outputs [B, C]."""
    if not np.isfinite(outputs).all():
        return []
    row_error = float(np.abs(outputs.sum(1) - 1).max())
    lowest = float(outputs.min())
    statistics["output.row_sum_error"] = row_error
    are_probabilities = row_error < thresholds.ROW_SUM_ERROR and lowest >= 0
    last = program.taps.output_op
    if facts.takes == "logits" and (are_probabilities or last in ("Softmax", "Sigmoid")):
        return [
            Finding(
                "OUTPUT_ALREADY_PROBABILITIES",
                "error",
                f"The outputs are probabilities already (last operation: {last}, rows sum to 1 within "
                f"{row_error:.1e}), and the loss applies softmax to them again.",
                "Give the loss the logits, or use a loss on probabilities; twice softmax keeps the loss above 1.46.",
                {"row_sum_error": row_error, "last_operation": last},
            )
        ]
    if facts.takes == "probabilities" and not are_probabilities:
        if lowest >= 0 and outputs.any(axis=1).all() and _scale_invariant(program, outputs):
            return []  # the loss divides by the row sums itself
        return [
            Finding(
                "OUTPUT_NOT_PROBABILITIES",
                "error",
                f"The loss takes the logarithm of the outputs, which are no probabilities: lowest {lowest:.3g}, "
                f"rows sum to {outputs.sum(1).min():.3g} .. {outputs.sum(1).max():.3g} instead of 1.",
                "Apply softmax to the outputs, or tell the loss that it gets logits (from_logits=True).",
                {"lowest": lowest, "row_sum_error": row_error},
            )
        ]
    if facts.takes == "log-probabilities":
        error = float(np.abs(np.exp(np.clip(outputs, -80, 80)).sum(1) - 1).max())
        if error >= thresholds.ROW_SUM_ERROR:
            return [
                Finding(
                    "OUTPUT_NOT_PROBABILITIES",
                    "error",
                    f"The loss is minus the output of the right class, but exp(outputs) does not sum to 1 "
                    f"(off by {error:.3g}): it has no lower bound.",
                    "Apply log_softmax to the outputs, or use a cross entropy that takes logits.",
                    {"row_sum_error": error},
                )
            ]
    return []


def _scale_invariant(program: Program, outputs: np.ndarray) -> bool:
    labels = program.labels[: len(outputs)]
    once, scaled = program.loss_of(labels, outputs), program.loss_of(labels, 0.5 * outputs)
    return abs(once - scaled) <= 1e-3 * abs(once)


def output_leak(program: Program, images: np.ndarray) -> float:
    """Largest change of a third of the outputs when another third of the batch is exchanged, relative to their size."""
    third = len(images) // 3
    kept, out, replacement = (
        images[:third],
        images[third : 2 * third],
        images[2 * third : 3 * third],
    )
    before = program.outputs(np.concatenate([kept, out]))[:third]
    after = program.outputs(np.concatenate([kept, replacement]))[:third]
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return 0.0
    return float(np.abs(before - after).max() / max(np.abs(before).max(), 1e-30))


def check_leak(leak: float, statistics: dict[str, Any]) -> list[Finding]:
    statistics["output.leak"] = leak
    if leak < thresholds.OUTPUT_LEAK:
        return []
    return [
        Finding(
            "EXAMPLES_LEAK",
            "error",
            f"Exchanging other examples of the batch changes an example's output by {leak:.2g} of its size.",
            "An operation runs over the batch axis: softmax or normalise over the last axis, reshape with -1 first.",
            {"relative_change": leak},
        )
    ]


def check_evaluation(
    program: Program, images: np.ndarray, leak: float, statistics: dict[str, Any]
) -> list[Finding]:
    """TRAIN_EVAL_MISMATCH: is the model that is evaluated still training?"""
    first, second = program.outputs(images), program.outputs(images)
    noise = (
        float(np.abs(first - second).max() / max(np.abs(first).max(), 1e-30))
        if np.isfinite(first).all()
        else 0.0
    )
    statistics["eval.noise"] = noise
    advice = "Pass the training flag through to dropout and batch normalisation, and evaluate with training=False."
    if noise > thresholds.EVALUATION_NOISE:
        return [
            Finding(
                "TRAIN_EVAL_MISMATCH",
                "error",
                f"Evaluating the same {len(images)} images twice gives outputs that differ by {noise:.2g} of their "
                "size: dropout or other noise is on.",
                advice,
                {"noise": noise},
            )
        ]
    if program.taps.normalisation and leak >= thresholds.OUTPUT_LEAK:
        return [
            Finding(
                "TRAIN_EVAL_MISMATCH",
                "error",
                "Batch normalisation uses the statistics of the batch while evaluating, so a prediction depends "
                f"on its neighbours (outputs change by {leak:.2g} with them).",
                advice,
                {"relative_change": leak},
            )
        ]
    return []
