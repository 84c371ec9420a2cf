"""Say where the numbers of a program stop being finite."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.passes import Gradients
from mnist_exp.preflight.program.program import Program, variable_name


class Part(StrEnum):
    """The first part of a training step that gives NaN or infinity."""

    WEIGHTS = "weights"
    MODEL = "model"
    LOSS = "loss"
    SLOPE = "slope"


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """Where a training step breaks down, and how one sees it, as a sentence without its end."""

    part: Part
    words: str


def breakdown(program: Program, gradients: Gradients) -> Breakdown:
    """Return what is not finite first: weights, outputs, their loss, or only its slope.

    gradients: of the pass that broke down, with the weights that the program has now.
    """
    weights = {variable_name(v): v.numpy() for v in program.trained}
    broken = [name for name, value in weights.items() if not np.isfinite(value).all()]
    outputs = gradients.outputs
    if broken:
        return Breakdown(part=Part.WEIGHTS, words=f"the weights {broken[0]} are not finite")
    if not np.isfinite(outputs).all():
        largest = max((float(np.abs(value).max()) for value in weights.values()), default=0.0)
        words = f"the model's outputs are not finite, with weights of up to {largest:.3g}"
        return Breakdown(part=Part.MODEL, words=words)
    if not np.isfinite(gradients.loss + gradients.penalty):
        zeros, ones = int(np.sum(outputs == 0)), int(np.sum(outputs == 1))
        exact = [f"{n} of them exactly {v}" for n, v in ((zeros, 0), (ones, 1)) if n]
        words = (
            f"the outputs are finite, from {outputs.min():.3g} to {outputs.max():.3g}"
            f"{''.join(f', {part}' for part in exact)}, and the loss of them is not"
        )
        return Breakdown(part=Part.LOSS, words=words)
    words = f"the loss is finite ({gradients.loss:.3g}), and its slope is not"
    return Breakdown(part=Part.SLOPE, words=words)


def find_breakdown(checkup: Checkup, seen: str, why: Breakdown, numbers: Mapping[str, Any]) -> None:
    """Record GRADIENT_NON_FINITE: `seen` says when, and `why` where."""
    part = why.part
    checkup.find(
        "GRADIENT_NON_FINITE",
        f"{seen}: {why.words}.",
        {**numbers, "part": str(part)},
        case="weights"
        if part is Part.WEIGHTS
        else ("model" if part is Part.MODEL else ("loss" if part is Part.LOSS else "slope")),
    )
