"""Check one of the harness's own programs, and the data that it is trained and judged on."""

import time
from dataclasses import replace
from typing import Any

import tensorflow as tf

from mnist_exp.data import Dataset, Split
from mnist_exp.errors import UserError
from mnist_exp.preflight import PreflightReport, check
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.codes import Severity
from mnist_exp.preflight.data.splits import check_overlap
from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.compiled import loss_name
from mnist_exp.preflight.progress import Teller, told_to
from mnist_exp.training.precision import training_in
from mnist_exp.training.program import Program, to_float

_EXAMPLES = 1000


class TooFewImages(UserError):
    """Fewer training images than preflight can compare with one another."""


class ProgramFails(UserError):
    """The program raises an exception while it is checked."""


def dataset_report(
    program: Program, dataset: Dataset, teller: Teller | None = None
) -> PreflightReport:
    """Look for mistakes in a program, as `preflight_report` does, and in how its data are split."""
    report = preflight_report(program, dataset.train, teller)
    started = time.perf_counter()
    checkup = Checkup()
    compare_splits(checkup, dataset)
    compared = checkup.report(time.perf_counter() - started)
    findings = [*report.findings, *compared.findings]
    return replace(
        report,
        findings=tuple(sorted(findings, key=lambda found: found.severity != Severity.ERROR)),
        statistics={**report.statistics, **compared.statistics},
        seconds=report.seconds + compared.seconds,
    )


def compare_splits(checkup: Checkup, dataset: Dataset) -> None:
    """Look for validation and test images among all training images, as they are.

    With data.eval_on_train the splits are one.
    """
    if dataset.test is dataset.train:
        return
    train = Inputs(dataset.train.images)
    for name, split in (("validation", dataset.val), ("test", dataset.test)):
        check_overlap(checkup, train, Inputs(split.images), name, rescaled=False)


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
