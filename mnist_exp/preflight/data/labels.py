"""Judge the values of the labels by what the loss can do with them."""

import numpy as np

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.label_looks import is_one_hot
from mnist_exp.preflight.program.loss_kind import Compares, LossInput
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import ONE_OF_MANY, YES_OR_NO, Target, Task

_MANY = 3  # different whole numbers for one yes or no are classes
_ROUNDING = 1e-3


def check_labels(checkup: Checkup, program: Program) -> None:
    """Check for LABELS_OUT_OF_RANGE, and for one output that is to tell several classes apart.

    Labels that are NaN are judged elsewhere.
    """
    target, labels = program.target, program.labels
    finite = np.isfinite(labels.reshape(len(labels), -1)).all(axis=1)
    if fits(target, labels)[finite].all():
        return
    values = labels[np.isfinite(labels)] if labels.dtype.kind == "f" else labels
    lowest, highest = float(values.min()), float(values.max())
    evidence = {"lowest": lowest, "highest": highest, "outputs": target.num_classes}
    if target.task in ONE_OF_MANY:
        checkup.find(
            "LABELS_OUT_OF_RANGE",
            f"Labels go from {lowest:.0f} to {highest:.0f} ({highest + 1:.0f} classes), the model "
            f"has {target.num_classes} outputs.",
            evidence,
        )
        return
    different = np.unique(values)
    whole = bool(np.equal(np.mod(different, 1), 0).all())
    if target.task is not Task.AUTOENCODER and whole and _MANY <= len(different) <= highest + 1:
        checkup.find(
            "OUTPUT_UNITS",
            f"The labels are {len(different)} classes, from {lowest:.0f} to {highest:.0f}, and the "
            "one output for them can only say yes or no.",
            evidence,
            case="one for classes",
        )
        return
    checkup.find(
        "LABELS_OUT_OF_RANGE",
        f"Labels go from {lowest:.4g} to {highest:.4g}; to this loss a yes is 1 and a no is 0.",
        evidence,
        case="yes or no",
    )


def keep_usable(program: Program) -> None:
    """Leave out the examples whose labels the loss cannot use, so that all else can be judged."""
    usable = np.flatnonzero(fits(program.target, program.labels))
    if len(usable) < 2:
        program.objective.refusal = program.refusal or "the loss can use no label"
    elif len(usable) < len(program.labels):
        program.keep(usable)


def fits(target: Target, labels: np.ndarray) -> np.ndarray:
    """Return for each example whether its labels have values that the loss can use, bool [N]."""
    rows = labels.reshape(len(labels), -1)
    entries = np.ones(rows.shape, bool)
    if target.task in ONE_OF_MANY and not is_one_hot(labels, target.num_classes):
        entries = (rows >= 0) & (rows < target.num_classes)
    elif target.task in YES_OR_NO | {Task.AUTOENCODER} and _takes_shares(target):
        entries = (rows >= -_ROUNDING) & (rows <= 1 + _ROUNDING)
    entries |= np.isin(rows, target.kind.ignored) | np.isnan(rows)
    if not target.kind.gaps:
        entries &= np.isfinite(rows)
    return np.asarray(entries.all(axis=1))


def _takes_shares(target: Target) -> bool:
    """Return True for a loss to which a yes is 1 and a no is 0; a hinge's no is -1."""
    if target.kind.compares is not Compares.YES_OR_NO:
        return False
    return target.takes in (LossInput.PROBABILITIES, LossInput.LOGITS) and not target.kind.signs
