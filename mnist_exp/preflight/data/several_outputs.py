"""Judge the labels of several outputs together: whose they are, and their units."""

from collections.abc import Container, Mapping

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.relation import probe_relation
from mnist_exp.preflight.data.scales import STEPS, outputs_after, skill, standardised
from mnist_exp.preflight.program.heads import Place
from mnist_exp.preflight.program.passes import relative_difference
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import Task
from mnist_exp.preflight.structure.inputs import EXCHANGED

Output = tuple[Program, Place]  # one of several outputs: with it alone, and where it lies


def check_whose_labels(checkup: Checkup, program: Program, outputs: Mapping[str, Output]) -> None:
    """Check for LABELS_UNRELATED: an output whose labels belong to inputs that it does not read.

    outputs: by their names.
    """
    inputs, arrays = program.inputs[:EXCHANGED], program.inputs.arrays
    for name, (part, _) in outputs.items():
        if part.target.task in (Task.UNKNOWN, Task.AUTOENCODER) or len(arrays) < 2:
            continue
        given = part.outputs(inputs)
        read = [
            relative_difference(given, part.outputs(inputs.exchanged(number, array[::-1])))
            > thresholds.INPUT_SPREAD
            for number, array in enumerate(inputs.arrays)
        ]
        if all(read) or not any(read):
            continue
        own, others = (
            probe_relation(
                part.target,
                [array for array, is_read in zip(arrays, read, strict=True) if is_read == wanted],
                part.labels,
            ).sigmas
            for wanted in (True, False)
        )
        if own < thresholds.PROBE_SIGMAS and others > 2 * thresholds.PROBE_SIGMAS:
            checkup.find(
                "LABELS_UNRELATED",
                f"The labels of output {name!r} follow from inputs that it does not read ("
                f"{others:.0f} standard deviations beyond chance), and not from those that it "
                f"reads ({own:.1f}).",
                {"output": name, "read": own, "not_read": others},
                case="other output",
            )
            return


def check_outweighed(
    checkup: Checkup, program: Program, outputs: Mapping[str, Output], seed: int
) -> None:
    """Check for TARGET_SCALE: numbers so large that their loss leaves nothing for other outputs.

    Where the targets of an output are large, the program trains for a while on them as they are,
    and standardised, and the scores of the other outputs are compared.
    """
    sizes = {name: _size(part) for name, (part, _) in outputs.items()}
    large = {name: size for name, size in sizes.items() if size >= thresholds.TARGET_SIZE}
    if not large or len(program.labels) < thresholds.UNITS_MIN_EXAMPLES:
        return
    heads, easy, column = program.objective.heads, program.labels.copy(), 0
    for array in tf.nest.flatten(heads.label_arrays if heads else ()):
        columns = slice(column, column + array[0].size)
        column = columns.stop
        if any(array is outputs[name][0].labels for name in large):
            easy[:, columns] = standardised(easy[:, columns].astype(np.float64))
    own, other = (
        _scores(outputs, large, outputs_after(program, seed, changed))
        for changed in (None, (program.inputs, easy))
    )
    if not own:
        return
    name = max(own, key=lambda n: other[n] - own[n])
    if other[name] - own[name] < thresholds.UNITS_GAIN:
        return
    shown = ", ".join(f"{n!r}: {size:.3g}" for n, size in large.items())
    checkup.find(
        "TARGET_SCALE",
        f"The targets are large ({shown}), and so is their part of the loss: after {STEPS} steps "
        f"the score of output {name!r} on other examples is {own[name]:.2f}, with standardised "
        f"targets beside it {other[name]:.2f} (a guess: 0, all right: 1).",
        {"sizes": large, "score": own[name], "score_standardised": other[name]},
        case="outputs",
    )


def _size(part: Program) -> float:
    """Return the root mean square of the targets of an output of numbers, 0 for others."""
    if part.target.task is not Task.REGRESSION:
        return 0.0
    return float(np.sqrt(np.mean(part.labels.astype(np.float64) ** 2)))


def _scores(
    outputs: Mapping[str, Output], large: Container[str], packed: np.ndarray | None
) -> dict[str, float]:
    """Return the score of each output whose targets are not large.

    packed: all outputs side by side; None if they broke down.
    """
    return {
        name: skill(part, part.labels, None if packed is None else place.of(packed))
        for name, (part, place) in outputs.items()
        if name not in large and part.target.task is not Task.UNKNOWN
    }
