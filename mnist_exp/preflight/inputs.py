"""Judge the scale of what reaches the first weights."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program import Program


def check_scale(checkup: Checkup, program: Program, rms: float) -> None:
    """Check for INPUT_SCALE.

    rms: root mean square of what the first weights are multiplied with, after any rescaling layer.
    """
    checkup.measure("input.rms", rms)
    if rms == 0 or program.taps.input_normalised:
        return
    if not thresholds.INPUT_RMS_LOW <= rms <= thresholds.INPUT_RMS_HIGH:
        looks = "like 0..255" if rms > thresholds.INPUT_RMS_HIGH else "divided twice"
        checkup.find(
            "INPUT_SCALE",
            f"What reaches the first weights has a root mean square of {rms:.3g} "
            f"(MNIST in [0, 1]: 0.32, standardised: 1): looks {looks}.",
            {"rms": rms, "largest": max(float(a.max()) for a in program.inputs.arrays)},
        )
