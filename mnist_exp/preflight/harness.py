"""Check one of the harness's own programs."""

from typing import Any

import tensorflow as tf

from mnist_exp.data import Split
from mnist_exp.errors import UserError
from mnist_exp.preflight import PreflightReport, check
from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.compiled import loss_name
from mnist_exp.preflight.progress import Teller, told_to
from mnist_exp.training.precision import training_in
from mnist_exp.training.program import Program, to_float

_EXAMPLES = 1000


class TooFewImages(UserError):
    """Fewer training images than preflight can compare with one another."""


class ProgramFails(UserError):
    """The program raises an exception while it is checked."""


def preflight_report(
    program: Program, split: Split, teller: Teller | None = None
) -> PreflightReport:
    """Look for mistakes in a program before it trains; its weights stay as they are.

    `teller` is told what is being looked at; None is a person's screen, if there is one. Raises
    TooFewImages for a single image, ProgramFails where the program raises an exception.
    """
    if len(split) < 2:
        raise TooFewImages(
            f"preflight is left out: it needs 2 training images or more, found {len(split)}"
        )
    sample = split.first(_EXAMPLES)

    def loss(labels: Any, outputs: Any) -> Any:
        # Training gives the loss float32 logits, whatever the model computes in.
        return program.reduce(program.loss(labels, tf.cast(outputs, tf.float32)))

    loss.__name__ = loss_name(program.loss)
    try:
        with told_to(teller), training_in(program.precision, program.model):
            return check(
                program.model,
                loss,
                program.optimizer,
                to_float(tf.constant(sample.images)).numpy(),
                sample.labels,
                seed=program.seed,
            )
    except PreflightError as error:
        raise ProgramFails(f"preflight: {error}") from error
