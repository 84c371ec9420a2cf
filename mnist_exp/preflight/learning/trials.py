"""Train a program on its own examples, or on changed ones, and score it on those kept apart."""

from collections.abc import Iterator

import numpy as np

from mnist_exp.preflight.learning.short_runs import Step
from mnist_exp.preflight.program.batches import Inputs, draw
from mnist_exp.preflight.program.program import Program

BATCH = 32


def kept_apart(program: Program) -> slice:
    """Return the last quarter of the examples, which no trial trains on."""
    return slice(3 * len(program.inputs) // 4, None)


def trial(
    program: Program,
    step: Step,
    looks: tuple[int, ...],
    seed: int,
    changed: tuple[Inputs, np.ndarray] | None = None,
) -> Iterator[np.ndarray | None]:
    """Yield the outputs for the examples kept apart after each of some numbers of steps.

    It begins with the weights as they are, and leaves the trained ones in place. After a gradient
    or an output that is not finite it yields None and ends.

    step: takes a step. looks: numbers of steps, rising. changed: inputs and labels to train on
        instead of the program's own, [N, ...] each.
    """
    inputs, labels = changed or (program.inputs, program.labels)
    apart = kept_apart(program)
    generator = np.random.default_rng(seed)
    for taken in range(1, looks[-1] + 1):
        rows = draw(generator, apart.start, BATCH)
        gradients = program.gradients(inputs[rows], labels[rows])
        if not gradients.finite:
            yield None
            return
        step(gradients.values)
        if taken in looks:
            outputs = program.outputs(inputs[apart])
            if not np.isfinite(outputs).all():
                yield None
                return
            yield outputs
