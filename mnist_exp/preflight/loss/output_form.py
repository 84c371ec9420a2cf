"""Tell what the outputs of a model can be, whatever its weights are."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.program import Program

_EXAMPLES = 32
_LAST = 2  # variables: the kernel and the bias of the last layer
_SCALES = (30.0, 1.0)  # of random weights; the second is for outputs that overflow with the first
_DRAWS = 2
_ROUNDING = 1e-5
_SAME = 1e-3  # of two limits, relative


@dataclass(frozen=True, kw_only=True)
class OutputForm:
    """What outputs are with large random weights in the last layer.

    lowest, highest: what no output goes beyond; infinite if no such limit was found.
    least, most: how far the outputs went with these weights.
    zeros: the share that is exactly 0, as a ReLU gives.
    sums: the axes over which the outputs of an example have the sum 1; -1 is the last.
    """

    lowest: float
    highest: float
    least: float
    most: float
    zeros: float
    sums: tuple[int, ...]

    @property
    def shares(self) -> bool:
        """Return True for outputs between 0 and 1, as sigmoid and softmax give.

        They need not come near both ends, as the sigmoid of a distance does not.
        """
        return self.least >= -_ROUNDING and self.most <= 1 + _ROUNDING

    @property
    def constant(self) -> bool:
        """Return True if every output is 1, as the softmax of a single one is."""
        return abs(self.lowest - 1) < _ROUNDING and abs(self.highest - 1) < _ROUNDING

    @property
    def rectified(self) -> bool:
        """Return True for outputs that are never negative and often exactly 0."""
        return self.lowest >= 0 and self.zeros > thresholds.RECTIFIED_SHARE and self.highest > 0


def output_form(program: Program) -> OutputForm | None:
    """Return the form of the outputs; None if none of them is finite, or nothing changes them.

    The weights are as before afterwards.
    """
    inputs = program.inputs[:_EXAMPLES]
    before = program.outputs(inputs)
    for variables in (program.trainable[-_LAST:], program.trainable):
        for scale in _SCALES:
            drawn = _with_random(program, variables, scale, inputs)
            if any(not np.isfinite(outputs).all() for outputs in drawn):
                continue
            if not all(np.array_equal(outputs, before) for outputs in drawn) or _is_one(before):
                return _form(drawn)
    return None


def _form(drawn: list[np.ndarray]) -> OutputForm:
    outputs = np.concatenate(drawn)
    return OutputForm(
        lowest=-_limit([-values for values in drawn]),
        highest=_limit(drawn),
        least=float(outputs.min()),
        most=float(outputs.max()),
        zeros=float(np.mean(outputs == 0)),
        sums=tuple(a for a in range(1 - outputs.ndim, 0) if _sums_to_one(outputs, a)),
    )


def _limit(drawn: list[np.ndarray]) -> float:
    """Return the largest output if the draws agree on it, else infinity.

    Each draw is followed by its negative, so that an activation is driven to both of its ends. What
    a draw and its own negative give is one opinion: a cosine is the same for both.
    """
    largest = np.array([float(outputs.max()) for outputs in drawn]).reshape(-1, 2).max(axis=1)
    second, first = np.sort(largest)[-2:]
    return float(first) if first - second <= _SAME * (1 + abs(first)) else np.inf


def _is_one(outputs: np.ndarray) -> bool:
    return bool((np.abs(outputs - 1) < _ROUNDING).all())


def _sums_to_one(outputs: np.ndarray, axis: int) -> bool:
    sums = outputs.sum(axis=axis)
    return outputs.shape[axis] > 1 and bool(np.abs(sums - 1).max() < thresholds.ROW_SUM_ERROR)


def _with_random(
    program: Program, variables: list[Any], scale: float, inputs: Inputs
) -> list[np.ndarray]:
    """Return the outputs [B, ...] with random values of these variables, and with their negatives.

    The variables get their own values back.
    """
    generator = np.random.default_rng(0)
    kept = [variable.numpy() for variable in variables]
    outputs = []
    try:
        for _ in range(_DRAWS):
            drawn = [_large(generator.normal(size=value.shape)) * scale for value in kept]
            for sign in (1, -1):
                for variable, values, value in zip(variables, drawn, kept, strict=True):
                    variable.assign((sign * values).astype(value.dtype))
                outputs.append(program.outputs(inputs))
    finally:
        for variable, value in zip(variables, kept, strict=True):
            variable.assign(value)
    return outputs


def _large(values: np.ndarray) -> np.ndarray:
    """Return random numbers, none near 0: a bias may be all that drives the outputs."""
    return np.asarray(values + np.copysign(0.5, values))
