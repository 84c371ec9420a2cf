"""The scale of what reaches the first weights."""

from typing import Any

from . import thresholds
from .program import Program
from .report import Finding


def check_scale(program: Program, rms: float, statistics: dict[str, Any]) -> list[Finding]:
    """INPUT_SCALE. rms: root mean square of what the first weights are multiplied with, after any rescaling layer."""
    statistics["input.rms"] = rms
    if rms == 0 or program.taps.input_normalised:
        return []
    if thresholds.INPUT_RMS_LOW <= rms <= thresholds.INPUT_RMS_HIGH:
        return []
    large = rms > thresholds.INPUT_RMS_HIGH
    return [
        Finding(
            "INPUT_SCALE",
            "error",
            f"What reaches the first weights has a root mean square of {rms:.3g} "
            f"(MNIST in [0, 1]: 0.32, standardised: 1): {'looks like 0..255' if large else 'looks divided twice'}.",
            "Divide the pixels by 255, once.",
            {"rms": rms, "largest_pixel": float(program.images.max())},
        )
    ]
