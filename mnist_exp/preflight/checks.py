"""Run all checks in order, from causes to consequences."""

import time
from typing import Any

import keras
import numpy as np

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data import check_labels, check_relation
from mnist_exp.preflight.gradients import (
    check_disconnected,
    check_finite,
    check_updated,
    check_zero,
)
from mnist_exp.preflight.inputs import check_scale
from mnist_exp.preflight.learning import check_ignored, check_overfit, check_rate, check_uphill
from mnist_exp.preflight.loss import LOSS_EXAMPLES, check_initial, check_loss
from mnist_exp.preflight.outputs import (
    check_evaluation,
    check_leak,
    check_probabilities,
    output_leak,
)
from mnist_exp.preflight.program import Loss, Program
from mnist_exp.preflight.randomness import isolated_random_state
from mnist_exp.preflight.report import PreflightReport
from mnist_exp.preflight.short_runs import short_run
from mnist_exp.preflight.units import check_activations, check_symmetry

MAX_EXAMPLES = 2000
INSPECTED = 256  # examples for activations
GRADIENT_EXAMPLES = 64
LEAK_EXAMPLES = 48  # three thirds


def check(
    model: Any,
    loss: Loss,
    optimizer: keras.optimizers.Optimizer,
    images: Any,
    labels: Any,
    *,
    seed: int = 0,
) -> PreflightReport:
    """Look for mistakes in a training program, by running it for a few seconds.

    The weights and the global random states are the same afterwards. An exception of the program
    itself comes through.

    Args:
        model: A Keras model, or a callable with `trainable_variables`, from images [B, H, W, 1] or
            [B, H*W] to outputs [B, C]. `training=` is passed if it is accepted.
        loss: loss(labels, outputs) returns a scalar or one value per example.
        optimizer: A Keras optimizer. It is copied, never changed.
        images: [N, ...] as the program feeds them, uint8 or float; 512 to 2000 are enough.
        labels: Integers [N] or one-hot [N, C].
        seed: Decides what is drawn at random; equal seeds give equal numbers.

    Raises:
        ValueError: The arguments cannot be used.
    """
    started = time.perf_counter()
    images, labels = np.asarray(images), np.asarray(labels)
    if len(images) != len(labels):
        raise ValueError(
            f"images and labels must have the same length, got {len(images)} and {len(labels)}"
        )
    if len(images) < 2:
        raise ValueError(f"preflight needs at least 2 examples, got {len(images)}")
    if not np.isfinite(images).all():
        raise ValueError("images contain NaN or infinite values")
    checkup = Checkup()
    with isolated_random_state(seed):
        order = np.random.default_rng(seed).permutation(len(images))[:MAX_EXAMPLES]
        program = Program(model, loss, optimizer, images[order], labels[order])
        try:
            _run_all(checkup, program, seed)
        finally:
            program.restore()
    return checkup.report(time.perf_counter() - started)


def _run_all(checkup: Checkup, program: Program, seed: int) -> None:
    check_labels(checkup, program.labels, program.classes, program.num_classes)
    if checkup.has("LABELS_OUT_OF_RANGE"):
        return  # the losses would raise
    check_relation(checkup, program.images, program.classes)
    _check_initial_weights(checkup, program, seed)
    leak = output_leak(program, program.images[:LEAK_EXAMPLES])
    if checkup.has("GRADIENT_NON_FINITE") or not program.trained:
        check_leak(checkup, leak)  # a run would show nothing more
    else:
        program.restore()
        _check_short_runs(checkup, program, seed, leak)


def _check_initial_weights(checkup: Checkup, program: Program, seed: int) -> None:
    images, labels = program.images[:GRADIENT_EXAMPLES], program.labels[:GRADIENT_EXAMPLES]
    outputs, measured = program.evaluate(program.images[:INSPECTED])
    check_scale(checkup, program, float(measured["input_rms"]))
    facts = check_loss(checkup, program, outputs[:LOSS_EXAMPLES], seed)
    check_probabilities(checkup, program, facts, outputs)
    check_initial(checkup, program, facts, outputs)
    check_activations(checkup, measured)
    gradients = program.gradients(images, labels)
    check_disconnected(checkup, program)
    check_symmetry(checkup, program, images, labels)
    check_finite(checkup, program, gradients)


def _check_short_runs(checkup: Checkup, program: Program, seed: int, leak: float) -> None:
    """Check what only training shows. leak: what `output_leak` gave with the initial weights."""
    images = program.images[:LEAK_EXAMPLES]
    run = short_run(program, seed)
    # Equal weights can hide a leak, trained ones cannot.
    leak = max(leak, output_leak(program, images))
    noisy = check_evaluation(checkup, program, images, leak)
    if not noisy:  # noise changes the outputs as a leak does
        check_leak(checkup, leak)
    check_zero(checkup, program, run.largest)
    check_updated(checkup, program, run.moved, run.largest)
    check_uphill(checkup, run)
    if checkup.has("LOSS_IGNORES_LABELS", "LOSS_NOT_MINIMISED"):
        return  # neither the rate nor the fit of such a loss means anything
    check_rate(checkup, program, run, seed)
    if not checkup.has("LEARNING_RATE_TOO_HIGH"):  # it makes all outputs equal, too
        check_ignored(checkup, run)
    check_overfit(checkup, program)
