"""Check that a model reads all of its inputs, along the axes that they have."""

from collections.abc import Iterator

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.views import is_tokens
from mnist_exp.preflight.program.flow import CLOSED
from mnist_exp.preflight.program.passes import spread_of
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.state import layers_of
from mnist_exp.preflight.structure.inputs import EXCHANGED, input_names

CHANNELS = (1, 3)  # of pictures


def check_layout(checkup: Checkup, program: Program) -> None:
    """Check for INPUT_LAYOUT: a picture [N, C, H, W] read as [N, H, W, C]."""
    for tensor in program.taps.flow.first:
        _, channels, height, width = tensor.shape if tensor.shape.rank == 4 else (0,) * 4
        read = any(operation.type == "Conv2D" for operation in tensor.consumers())
        if read and channels in CHANNELS and height == width and (width or 0) > max(CHANNELS):
            checkup.find(
                "INPUT_LAYOUT",
                f"A convolution takes pictures [N, {channels}, {height}, {width}] for {channels} "
                f"rows of {height} pixels with {width} channels each.",
                {"shape": [channels, height, width]},
            )
            return


def check_reshaped(checkup: Checkup, program: Program) -> None:
    """Check for INPUT_LAYOUT: pictures [N, C, H, W] brought to [N, H, W, C] by a reshape.

    Neighbours in a picture are alike. Where they are more so, along both sides, in the order of the
    values [C, H, W], that is the order that they have.
    """
    for array in program.inputs.numbers:
        if array.ndim != 4 or array.shape[3] != max(CHANNELS) or min(array.shape[1:3]) < 8:
            continue
        pictures = array[:EXCHANGED].astype(np.float64)
        count, height, width, channels = pictures.shape
        planes = pictures.reshape(count, channels, height, width).transpose(0, 2, 3, 1)
        ratios = [
            float(_roughness(planes, axis) / max(_roughness(pictures, axis), 1e-30))
            for axis in (1, 2)
        ]
        if max(ratios) < thresholds.SMOOTHER:
            checkup.find(
                "INPUT_LAYOUT",
                f"Neighbouring pixels differ {1 / max(ratios):.1f} times more or worse than if the "
                f"values were read as [N, {channels}, {height}, {width}]: a reshape mixed the "
                "channels.",
                {"ratios": ratios},
                case="reshaped",
            )
            return


def _roughness(pictures: np.ndarray, axis: int) -> float:
    return float(np.abs(np.diff(pictures, axis=axis)).mean())


def check_parts(checkup: Checkup, program: Program) -> None:
    """Check for INPUT_IGNORED by half of an axis, with the weights after a short run.

    It exchanges the half between examples and looks for outputs that are the same to the last bit.
    A long series may rightly forget its beginning.
    """
    inputs = program.inputs[:EXCHANGED]
    outputs = program.outputs(inputs)
    if not spread_of(outputs) > thresholds.INPUT_SPREAD:
        return
    forgets = any(o.type in CLOSED for o in program.graphs[0].get_operations())
    names, arrays = input_names(inputs.structure), inputs.arrays
    for number, array in enumerate(arrays):
        for where, changed in _exchanged(array, forgets):
            if np.array_equal(program.outputs(inputs.exchanged(number, changed)), outputs):
                name = names[number] if len(arrays) > 1 else "the inputs"
                checkup.find(
                    "INPUT_IGNORED",
                    f"The outputs stay exactly the same when {where} of {name} is exchanged "
                    "between examples: the model does not use it.",
                    {"input": names[number], "part": where},
                    case="part",
                )
                return


def _exchanged(array: np.ndarray, forgets: bool) -> Iterator[tuple[str, np.ndarray]]:
    """Yield parts and the array in which those come from other examples, if that changes much.

    forgets: leave out the first half, which a loop over the steps may forget.
    """
    if array.dtype.kind not in "fiu":
        return
    for axis in range(1, array.ndim):
        length = array.shape[axis]
        if length < thresholds.HALVED:
            continue
        halves = {
            "the second half": slice(length // 2, None),
            "every second place": slice(1, None, 2),
        }
        if not forgets:
            halves["the first half"] = slice(length // 2)
        for name, part in halves.items():
            rows = (slice(None),) * axis + (part,)
            changed = array.copy()
            changed[rows] = array[::-1][rows]
            if np.mean(changed[rows] != array[rows]) > thresholds.EXCHANGED_SHARE:
                yield f"{name} along axis {axis}", changed


def check_masked(checkup: Checkup, program: Program) -> None:
    """Check for INPUT_IGNORED by a mask that hides words: token 0 between others is no padding."""
    tokens = [array for array in program.inputs.numbers if is_tokens(array)]
    masks = any(getattr(layer, "mask_zero", False) for layer in layers_of(program.model))
    if len(tokens) != 1 or not masks:
        return
    zeros = tokens[0] == 0
    words = np.maximum.accumulate(~zeros, axis=1)
    words &= np.maximum.accumulate(~zeros[:, ::-1], axis=1)[:, ::-1]
    between = zeros & words
    share = float(between.sum() / max(zeros.sum(), 1))
    if share > thresholds.ZEROS_BETWEEN and between.any(axis=1).mean() > thresholds.ZEROS_BETWEEN:
        begins = between.sum() - (between[:, 1:] & between[:, :-1]).sum()
        by_chance = words.sum() / (words & ~between).sum()  # of tokens in any order
        if between.sum() / begins > thresholds.ZEROS_IN_A_ROW * by_chance:
            return  # padding between parts, such as sentences
        checkup.find(
            "INPUT_IGNORED",
            f"mask_zero hides token 0, and {share:.0%} of the zeros stand between other tokens: "
            "they look like words.",
            {"between": share},
            case="masked",
        )
