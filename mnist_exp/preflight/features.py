"""Judge the inputs by themselves."""

from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.checkup import Checkup


def check_constant(checkup: Checkup, inputs: Inputs) -> None:
    """Check for INPUT_IGNORED: all examples are the same."""
    equal = all((array == array[:1]).all() for array in inputs.arrays)
    if equal:
        checkup.find(
            "INPUT_IGNORED",
            f"All {len(inputs)} examples are the same: every feature is constant over the sample.",
            {"examples": len(inputs)},
            case="images",
        )
