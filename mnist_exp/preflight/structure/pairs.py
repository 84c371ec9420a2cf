"""Check programs that compare two inputs of one kind, such as pairs of pictures."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.loss_kind import Compares
from mnist_exp.preflight.program.program import Program

COMPARED = 1000  # pairs whose distances are compared
DISTANCES = (0.1, 0.3, 1.0)  # at which the slope of the loss is looked at; a margin is often 1


def check_equal_inputs(
    checkup: Checkup, program: Program, inputs: Inputs, labels: np.ndarray
) -> None:
    """Check for GRADIENT_NON_FINITE where two inputs are equal, or become so inside the model.

    The square root of a distance of 0 has no finite slope. Pairs of one picture twice are often
    there, and dead units make others equal.

    inputs, labels: some examples.
    """
    first, *others = inputs.arrays
    for number, array in enumerate(others, start=1):
        alike = (array.shape, array.dtype) == (first.shape, first.dtype)
        if not alike or array.dtype.kind not in "fu":
            continue
        given, equal = (
            program.gradients(examples, labels)
            for examples in (inputs, inputs.exchanged(number, first))
        )
        if given.finite and not equal.finite:
            checkup.find(
                "GRADIENT_NON_FINITE",
                f"The gradient is NaN or infinite where input {number + 1} equals input 1.",
                {"input": number},
                case="equal",
            )
            return


def check_pulled_pairs(checkup: Checkup, program: Program) -> None:
    """Check for LOSS_NOT_MINIMISED: a loss of distances that pulls the wrong pairs together.

    Of pairs that belong together, the distances are often smaller already with random weights.
    """
    labels = program.labels[:COMPARED]
    values = np.unique(labels)
    if program.target.kind.compares is not Compares.DISTANCES or len(values) != 2:
        return
    distances = program.outputs(program.inputs[:COMPARED])
    if distances.size != len(labels) or labels.size != len(labels):
        return
    marked = labels.reshape(-1) == values[1]
    for distance in DISTANCES:
        _, slope, _ = program.loss_gradient(labels, np.full_like(distances, distance))
        slopes = [float(slope.reshape(-1)[marked == which].mean()) for which in (False, True)]
        if min(slopes) < 0 < max(slopes):
            break
    else:
        return
    pulled = marked if slopes[1] > 0 else ~marked
    ranks = np.argsort(np.argsort(distances.reshape(-1), kind="stable"), kind="stable")
    sigmas = float(np.corrcoef(ranks, pulled)[0, 1] * np.sqrt(len(pulled) - 1))
    if sigmas > thresholds.PROBE_SIGMAS and np.ptp(distances) > 0:
        label = float(values[int(slopes[1] > 0)])
        checkup.find(
            "LOSS_NOT_MINIMISED",
            f"The loss brings pairs with the label {label:g} together, and these are the ones that "
            f"are further apart at first (by {sigmas:.0f} standard deviations of chance).",
            {"label": label, "sigmas": sigmas},
            case="pairs",
        )
