"""Check the outputs as a training step sees them, where a normalisation may lie behind them."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.tasks import Target, Task


def check_in_training(checkup: Checkup, target: Target, outputs: np.ndarray) -> None:
    """Check for outputs that are normalised over the batch.

    A fresh batch normalisation shows itself in training alone: in evaluation its averages leave
    the values as they are, so that probabilities look right.

    outputs: of a batch [B, ...] in a training step, with the initial weights.
    """
    if not np.isfinite(outputs).all():
        return
    lowest = float(outputs.min())
    if target.takes is LossInput.PROBABILITIES:
        known = checkup.has("OUTPUT_NOT_PROBABILITIES", "OUTPUT_ACTIVATION")
        if lowest < -thresholds.ROW_SUM_ERROR and not known:
            checkup.find(
                "OUTPUT_NOT_PROBABILITIES",
                "The loss takes probabilities, and in a training step the outputs go down to "
                f"{lowest:.3g}: something behind the last activation moves them.",
                {"lowest": lowest},
                case="in training",
            )
    elif target.task is Task.REGRESSION and _is_normalised(outputs):
        checkup.find(
            "OUTPUT_ACTIVATION",
            "In a training step the outputs of a batch have the mean 0 and the deviation 1, "
            "whatever the weights before are: a normalisation lies behind the last layer.",
            {"lowest": lowest},
            case="normalised",
        )


def _is_normalised(outputs: np.ndarray) -> bool:
    """Return True if each output has mean 0 and deviation 1 over the batch."""
    rows = outputs.reshape(-1, outputs.shape[-1]).astype(np.float64)
    means, deviations = rows.mean(axis=0), rows.std(axis=0)
    near = np.abs(means).max() < thresholds.NORMALISED
    return bool(near and np.abs(deviations - 1).max() < thresholds.NORMALISED)
