"""Judge the scale of what reaches the first weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.flow import layer_of
from mnist_exp.preflight.program.passes import relative_difference, spread_of
from mnist_exp.preflight.program.program import Program

EXCHANGED = 64  # examples


def check_scale(checkup: Checkup, program: Program, measured: Mapping[str, np.ndarray]) -> None:
    """Check for INPUT_SCALE.

    It looks at the numbers with which the first weights are multiplied, after any rescaling layer.
    Token numbers, which are looked up in a table, have no scale.

    measured: what `tap_graph` measured.
    """
    flow = program.taps.flow
    for number, tensor in enumerate(flow.first):
        rms, rms_of_given, length, _ = map(float, measured[f"first:{number}"])
        if number == 0:
            checkup.measure("input.rms", rms)
        if rms == 0 or checkup.has("INPUT_SCALE") or flow.origins[tensor.ref()].normalised:
            continue
        # Of one-hot columns or word counts, most are 0; those of a dense layer add up.
        small = rms_of_given < thresholds.INPUT_RMS_LOW and (
            _is_picture(tensor) or length < thresholds.INPUT_LENGTH_LOW
        )
        if small or rms > thresholds.INPUT_RMS_HIGH:
            _find_scale(checkup, program, tensor, rms)


def _find_scale(checkup: Checkup, program: Program, tensor: tf.Tensor, rms: float) -> None:
    largest = max((float(a.max()) for a in program.inputs.numbers), default=0.0)
    high = rms > thresholds.INPUT_RMS_HIGH
    where = f" ({layer_of(tensor.consumers()[0])})" if len(program.taps.flow.first) > 1 else ""
    seen = f"What reaches the first weights{where} has a root mean square of {rms:.3g} "
    evidence = {"rms": rms, "largest": largest}
    if _has_pixels(program):
        looks = "like 0..255" if high else "divided twice"
        checkup.find(
            "INPUT_SCALE",
            f"{seen}(MNIST in [0, 1]: 0.32, standardised: 1): looks {looks}.",
            evidence,
        )
    else:
        checkup.find("INPUT_SCALE", f"{seen}(standardised: 1).", evidence, case="unusual")


def _is_picture(tensor: tf.Tensor) -> bool:
    return bool(tensor.shape.rank is not None and tensor.shape.rank > 3)


def _has_pixels(program: Program) -> bool:
    """Return True if the inputs are pictures, perhaps as rows of pixels."""
    return any(
        array.ndim > 3
        or (array.ndim == 3 and array.shape[1] == array.shape[2])
        or (array.ndim == 2 and array.shape[1] >= thresholds.PICTURE_VALUES)
        for array in program.inputs.numbers
    )


def check_every_input(checkup: Checkup, program: Program) -> None:
    """Check for INPUT_IGNORED by one of several inputs, with the weights after a short run.

    An input that is the same for all examples, such as a mask of ones, is not judged.
    """
    inputs = program.inputs[:EXCHANGED]
    names, arrays = input_names(inputs.structure), inputs.arrays
    if len(arrays) < 2:
        return
    outputs = program.outputs(inputs)
    if spread_of(outputs) <= thresholds.INPUT_SPREAD:
        return  # it is not one input that is ignored
    ignored = []
    for number, array in enumerate(arrays):
        if np.array_equal(array, array[::-1]):
            continue
        changed = program.outputs(inputs.exchanged(number, array[::-1]))
        alike = relative_difference(outputs, changed) <= thresholds.INPUT_SPREAD
        if alike and not _is_used_in_training(program, inputs, number):
            ignored.append(names[number])
    if ignored:
        checkup.find(
            "INPUT_IGNORED",
            f"The outputs stay the same when {', '.join(ignored)} is exchanged between examples: "
            "the model does not use it.",
            {"inputs": ignored},
            case="one input",
        )


def _is_used_in_training(program: Program, inputs: Inputs, number: int) -> bool:
    """Return True if a layer's own loss looks at an input, as one that is given the targets."""
    labels, array = program.labels[: len(inputs)], inputs.arrays[number]
    losses = []
    for given in (inputs, inputs.exchanged(number, array[::-1])):
        program.rewind_streams()
        gradients = program.gradients(given, labels)
        losses.append(gradients.loss + gradients.penalty)
    return abs(losses[0] - losses[1]) > thresholds.INPUT_SPREAD * abs(losses[0])


def input_names(structure: Any) -> list[str]:
    """Return a name for each array of the inputs, in the order of `Inputs.arrays`."""
    if isinstance(structure, dict):
        return [f"input {name!r}" for name in sorted(structure)]
    return [f"input {n + 1}" for n in range(len(tf.nest.flatten(structure)))]
