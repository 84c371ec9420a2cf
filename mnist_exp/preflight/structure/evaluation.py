"""Check that evaluating an example depends on nothing but that example."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.passes import relative_difference
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.random_draws import draws_around_means


def output_leak(program: Program, inputs: Inputs) -> float:
    """Return how much an example's outputs change when other examples of the batch are exchanged.

    It is the largest change of a third of the outputs when another third of the batch is exchanged,
    relative to their size; 0 where outputs are not finite, and with fewer than three examples.
    """
    third = len(inputs) // 3
    if third == 0:
        return 0.0
    kept, removed, replacement = (inputs[n * third : (n + 1) * third] for n in range(3))
    before = program.outputs(kept.followed_by(removed))[:third]
    after = program.outputs(kept.followed_by(replacement))[:third]
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return 0.0
    return relative_difference(before, after)


def check_leak(checkup: Checkup, leak: float) -> None:
    """Check for EXAMPLES_LEAK in the model; `leak` comes from `output_leak`."""
    checkup.measure("output.leak", leak)
    if leak >= thresholds.OUTPUT_LEAK:
        checkup.find(
            "EXAMPLES_LEAK",
            "Exchanging other examples of the batch changes an example's output by "
            f"{leak:.2g} of its size.",
            {"relative_change": leak},
            case="outputs",
        )


def check_evaluation(checkup: Checkup, program: Program, inputs: Inputs, leak: float) -> bool:
    """Check for TRAIN_EVAL_MISMATCH: a model that is evaluated must not be in training mode.

    What is drawn around a mean with a deviation that the network gives, as in a variational
    autoencoder, is no mistake. Returns True if evaluating the same inputs twice gives different
    outputs.
    """
    first, second = program.outputs(inputs), program.outputs(inputs)
    noise = relative_difference(first, second) if np.isfinite(first).all() else 0.0
    checkup.measure("eval.noise", noise)
    noisy = noise > thresholds.EVALUATION_NOISE
    if noisy and draws_around_means(program.taps.inputs, program.taps.outputs):
        return noisy
    if noisy:
        checkup.find(
            "TRAIN_EVAL_MISMATCH",
            f"Evaluating the same {len(inputs)} examples twice gives outputs that differ by "
            f"{noise:.2g} of their size: dropout or other noise is on.",
            {"noise": noise},
        )
    elif program.taps.normalisation and leak >= thresholds.OUTPUT_LEAK:
        checkup.find(
            "TRAIN_EVAL_MISMATCH",
            "Batch normalisation uses the statistics of the batch while evaluating, so a "
            f"prediction depends on its neighbours (outputs change by {leak:.2g} with them).",
            {"relative_change": leak},
        )
    return noisy
