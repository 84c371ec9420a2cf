"""Judge the inputs by themselves."""

import numpy as np

from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.checkup import Checkup


def check_constant(checkup: Checkup, inputs: Inputs) -> None:
    """Check for INPUT_IGNORED: all examples are the same."""
    spread = max(float(np.ptp(array, axis=0).max()) for array in inputs.arrays if array.size)
    if spread == 0:
        checkup.find(
            "INPUT_IGNORED",
            f"All {len(inputs)} examples are the same: every feature is constant over the sample.",
            {"spread": spread},
            case="images",
        )
