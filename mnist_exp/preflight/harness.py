"""Check one of the harness' own programs."""

import tensorflow as tf

from mnist_exp import preflight
from mnist_exp.data import Split
from mnist_exp.preflight import PreflightReport
from mnist_exp.training.program import Program, to_float

_PREFLIGHT_EXAMPLES = 1000


def preflight_report(program: Program, split: Split) -> PreflightReport:
    """Look for mistakes in a program before it trains; its weights stay as they are."""
    sample = split.first(_PREFLIGHT_EXAMPLES)
    return preflight.check(
        program.model,
        lambda labels, logits: program.reduce(program.loss(labels, logits)),
        program.optimizer,
        to_float(tf.constant(sample.images)).numpy(),
        sample.labels,
        seed=program.seed,
    )
