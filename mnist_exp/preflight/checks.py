"""All checks in order, from causes to consequences."""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from .data import check_labels, check_relation
from .gradients import check_disconnected, check_finite, check_updated, check_zero
from .inputs import check_scale
from .learning import check_ignored, check_overfit, check_rate, check_uphill
from .loss import LOSS_EXAMPLES, check_initial, check_loss
from .outputs import check_evaluation, check_leak, check_probabilities, output_leak
from .program import Program
from .randomness import isolated_random_state
from .report import Finding, PreflightReport
from .runs import short_run
from .units import check_activations, check_symmetry

MAX_EXAMPLES = 2000
INSPECTED = 256  # examples for activations
GRADIENT_EXAMPLES = 64
LEAK_EXAMPLES = 48  # three thirds
WRONG_LOSS = ("LOSS_IGNORES_LABELS", "LOSS_NOT_MINIMISED")


def check(
    model: Any,
    loss: Callable[[Any, Any], Any],
    optimizer: keras.optimizers.Optimizer,
    images: Any,
    labels: Any,
    *,
    seed: int = 0,
) -> PreflightReport:
    """Look for mistakes in a training program, by running it for a few seconds.

    model: a Keras model, or a callable with `trainable_variables`, from images [B, H, W, 1] or [B, H*W] to outputs
    [B, C]; `training=` is passed if it is accepted. loss(labels, outputs): a scalar or one value per example.
    optimizer: copied, never changed. images [N, ...]: as the program feeds them, uint8 or float, 512 to 2000 are
    enough. labels: integers [N] or one-hot [N, C].
    The weights and the global random states are the same afterwards. What runs depends on `seed` alone.
    Raises ValueError for unusable arguments; an exception of the program itself comes through.
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
    statistics: dict[str, float] = {}
    with isolated_random_state(seed):
        order = np.random.default_rng(seed).permutation(len(images))[:MAX_EXAMPLES]
        program = Program(model, loss, optimizer, images[order], labels[order])
        try:
            findings = _run_all(program, seed, statistics)
        finally:
            program.restore()
    findings.sort(key=lambda finding: finding.severity != "error")  # stable: causes stay first
    return PreflightReport(tuple(_distinct(findings)), statistics, time.perf_counter() - started)


def _run_all(program: Program, seed: int, statistics: dict[str, float]) -> list[Finding]:
    images, labels = program.images, program.labels
    findings = check_labels(labels, program.classes, program.num_classes, statistics)
    if any(finding.code == "LABELS_OUT_OF_RANGE" for finding in findings):
        return findings  # the losses would raise
    findings += check_relation(images, program.classes, statistics)

    outputs, measured = program.evaluate(images[:INSPECTED])
    findings += check_scale(program, float(measured["input_rms"]), statistics)
    facts, found = check_loss(program, outputs[:LOSS_EXAMPLES], seed, statistics)
    findings += found
    findings += check_probabilities(program, facts, outputs, statistics)
    findings += check_initial(program, facts, outputs, statistics)
    findings += check_activations(measured, statistics)

    initial = program.gradients(images[:GRADIENT_EXAMPLES], labels[:GRADIENT_EXAMPLES])
    findings += check_disconnected(program)
    findings += check_symmetry(
        program, images[:GRADIENT_EXAMPLES], labels[:GRADIENT_EXAMPLES], statistics
    )
    non_finite = check_finite(program, initial)
    findings += non_finite
    leak = output_leak(program, images[:LEAK_EXAMPLES])
    if non_finite or not program.trained:  # a run would tell nothing more
        return findings + check_leak(leak, statistics)

    program.restore()
    run = short_run(program, seed)
    # Equal weights can hide a leak, trained ones cannot.
    leak = max(leak, output_leak(program, images[:LEAK_EXAMPLES]))
    evaluation = check_evaluation(program, images[:LEAK_EXAMPLES], leak, statistics)
    findings += evaluation
    if not any("noise" in finding.evidence for finding in evaluation):
        findings += check_leak(leak, statistics)
    findings += check_zero(program, run.largest, statistics)
    findings += check_updated(program, run.moved, run.largest)
    findings += check_uphill(run, statistics)
    if any(finding.code in WRONG_LOSS for finding in findings):
        return findings  # neither the rate nor the fit of such a loss means anything
    rate = check_rate(program, run, seed, statistics)
    findings += rate
    if not any(
        finding.code == "LEARNING_RATE_TOO_HIGH" for finding in rate
    ):  # it makes all outputs equal too
        findings += check_ignored(run, statistics)
    return findings + check_overfit(program, statistics)


def _distinct(findings: list[Finding]) -> list[Finding]:
    """The gravest finding of each code; a loss that is off at uniform outputs is off at the first outputs too."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.code, finding)
    return list(first.values())
