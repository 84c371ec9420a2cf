"""Check a training program, in either of the two forms in which it is given."""

import threading
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.features import check_constant, check_non_finite
from mnist_exp.preflight.errors import PreflightError, in_own_words
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.calling import CannotRun, build, is_unbuilt, wrong_order
from mnist_exp.preflight.program.compiled import (
    NoLoss,
    as_loss,
    as_optimizer,
    compiled_loss,
    trains_itself,
)
from mnist_exp.preflight.program.forms import as_inputs
from mnist_exp.preflight.program.given import Examples, read_examples, weigh_classes
from mnist_exp.preflight.program.graph_mode import as_graphs
from mnist_exp.preflight.program.loss_kind import takes_gaps
from mnist_exp.preflight.program.program import Loss, Program
from mnist_exp.preflight.progress import Progress
from mnist_exp.preflight.randomness import isolated_random_state
from mnist_exp.preflight.report import PreflightReport
from mnist_exp.preflight.running import run_all
from mnist_exp.preflight.subject import Subject

MAX_EXAMPLES = 2000
_ONE_AT_A_TIME = threading.RLock()  # random states, warnings and standard error are the process's
_FORMS = "check(model, x, y) or check(model, loss, optimizer, images, labels)"


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """The parts of a program, as the caller gave them.

    compiled: True for a Keras model with the loss and optimizer of its `compile`.
    """

    loss: Loss
    optimizer: Any
    x: Any
    y: Any
    compiled: bool

    def needs_labels(self, model: Any) -> bool:
        """Return False for a loss that the model or its layers compute from the inputs."""
        return not (isinstance(self.loss, NoLoss) or trains_itself(model))

    def as_fed(self, inputs: Inputs) -> Any:
        """Return the inputs, or of a program that is not compiled the images in any shape."""
        return inputs if self.compiled or tf.nest.is_nested(inputs.structure) else inputs.structure


def check(
    model: Any,
    *program: Any,
    validation_data: Any = None,
    class_weight: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = 32,
    steps: int | None = None,
    budget_seconds: float | None = None,
    seed: int = 0,
    **named: Any,
) -> PreflightReport:
    """Look for mistakes in a training program, by running it for a few seconds.

    The weights and the global random states are the same afterwards; a model without weights yet
    has those that `fit` would have created. Called as `check(model, x, y)` for a compiled Keras
    model, with its own loss and optimizer, or as `check(model, loss, optimizer, images, labels)`.

    Args:
        model: A Keras model, or a callable with `trainable_variables`, from inputs [B, ...] to
            outputs [B, ...]. `training=` is passed if it is accepted.
        program: The rest of one of the two forms. loss(labels, outputs) returns a scalar or one
            value per example. optimizer: A Keras optimizer. It is copied, never changed.
            images or x: [N, ...] as the program feeds them; 512 to 2000 are enough; x may be a
            dict or a list of arrays, a table, or a dataset, without y. labels or y: [N, ...].
        validation_data: As `fit` takes it: (x, y), (x, y, weights) or a dataset.
        class_weight: As `fit` takes it.
        sample_weight: As `fit` takes it.
        batch_size: Of the training; None is 32, as for `fit`.
        steps: How many steps the training takes, if it is known.
        budget_seconds: No check begins after this time; the report names those that are left out.
        seed: Decides what is drawn at random; equal seeds give equal numbers.
        named: x and y, or loss, optimizer, images and labels, where they are given by name.

    Raises:
        PreflightError: The arguments cannot be used.
    """
    started = time.perf_counter()
    _refuse(batch_size=batch_size, steps=steps, budget_seconds=budget_seconds, seed=seed)
    stops = in_own_words("the program stops with an exception")
    with _ONE_AT_A_TIME, stops, as_graphs(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the program gives its own when it is trained
        parts = _parts(model, program, named)
        with isolated_random_state(seed):
            given = _given(model, parts, sample_weight, class_weight)
        size = given.batch_size or batch_size or 32
        _create_weights(model, parts, given, size)
        checkup, progress = Checkup(), Progress(started, budget_seconds)
        with isolated_random_state(seed):
            try:
                built = _program(model, parts, given, seed)
            except CannotRun:
                if not trains_itself(model):
                    raise
                return _of_data_alone(checkup, given).report(time.perf_counter() - started)
            subject = Subject(built, seed)
            subject.examples = given.total
            subject.given, subject.batch_size = given, size
            subject.steps = steps
            subject.weighted = class_weight is not None or given.inputs.weights is not None
            if validation_data is not None:
                subject.validation = _validation(validation_data)
            if given.several_weights:
                checkup.leave_out("the weights of several outputs")
            try:
                subject.gaps = _settle_gaps(built)
                run_all(checkup, subject, progress)
            finally:
                progress.close()
                subject.program.restore()
    return checkup.report(time.perf_counter() - started)


def _of_data_alone(checkup: Checkup, given: Examples) -> Checkup:
    """Check what can be seen without the model, whose own train_step may call it in another way."""
    check_non_finite(checkup, given.inputs, given.labels)
    check_constant(checkup, given.inputs)
    checkup.leave_out("all but the data: the model's own train_step gives it other inputs")
    return checkup


def _parts(model: Any, program: tuple[Any, ...], named: dict[str, Any]) -> _Parts:
    """Return the parts of a program from either form of the call."""
    names = ("loss", "optimizer", "images", "x", "labels", "y")
    if unknown := set(named) - set(names):
        raise PreflightError(f"check takes no argument {min(unknown)}: call {_FORMS}")
    program += tuple(named[name] for name in names if name in named)
    if len(program) in (1, 2):
        loss = compiled_loss(model)
        y = program[1] if len(program) == 2 else None
        return _Parts(loss=loss, optimizer=model.optimizer, x=program[0], y=y, compiled=True)
    if len(program) not in (3, 4):
        raise PreflightError(f"the number of arguments is {len(program) + 1}: call {_FORMS}")
    loss, optimizer, x, *y = program
    return _Parts(
        loss=as_loss(loss),
        optimizer=as_optimizer(optimizer),
        x=x,
        y=y[0] if y else None,
        compiled=False,
    )


def _given(model: Any, parts: _Parts, sample_weight: Any, class_weight: Any) -> Examples:
    """Return the examples with their weights; raise PreflightError where labels are missing."""
    given = read_examples(parts.x, parts.y, sample_weight, limit=MAX_EXAMPLES)
    if given.labels is None and parts.needs_labels(model):
        raise PreflightError(
            "the labels are missing: give x and y, or as x a dataset whose elements are (x, y)"
        )
    return given if class_weight is None else weigh_classes(given, class_weight)


def _create_weights(model: Any, parts: _Parts, given: Examples, batch_size: int) -> None:
    """Create the weights that the model has not yet, from the caller's random streams.

    So they are those that `fit` would create. What fails here fails again, and is told, where the
    program is made.
    """
    if is_unbuilt(model):
        with suppress(CannotRun):
            build(model, as_inputs(model, parts.as_fed(given.inputs[:2])), batch_size)


def _refuse(*, budget_seconds: Any, **whole: Any) -> None:
    """Raise PreflightError for numbers of `check` that mean nothing; None is what is not given.

    whole: batch_size and steps, from 1, and seed, from 0.
    """
    for name, value in whole.items():
        lowest = 0 if name == "seed" else 1
        optional = value is None and name != "seed"
        if not optional and not (isinstance(value, int | np.integer) and value >= lowest):
            raise PreflightError(f"{name} must be a whole number from {lowest}, got {value!r}")
    seconds = isinstance(budget_seconds, int | float | np.number) and budget_seconds >= 0
    if budget_seconds is not None and not seconds:
        raise PreflightError(f"budget_seconds must be a number from 0, got {budget_seconds!r}")


def _program(model: Any, parts: _Parts, given: Examples, seed: int) -> Program:
    """Return the program on a random sample of the examples, of those that are finite if possible.

    Examples that are not finite would make every number of every check NaN. Where they are more
    than half, what is not finite becomes 0. A single array of labels stays as it is.
    """
    if len(given.inputs) < 2:
        raise PreflightError(f"preflight needs at least 2 examples, got {len(given.inputs)}")
    order = np.random.default_rng(seed).permutation(len(given.inputs))[:MAX_EXAMPLES]
    sample = given[order]
    single = isinstance(sample.labels, np.ndarray)
    finite = sample.inputs.finite if single else sample.finite
    if 2 * finite.sum() < len(finite):  # a whole column, as it is after a division by zero
        sample = replace(sample.filled(), labels=sample.labels) if single else sample.filled()
    elif not finite.all():
        sample = sample[np.flatnonzero(finite)]
    inputs, labels = parts.as_fed(sample.inputs), sample.labels
    try:
        return Program(model, parts.loss, parts.optimizer, inputs, labels, penalised=parts.compiled)
    except CannotRun as error:
        if fault := wrong_order(model, given):
            raise PreflightError(f"{error}; {fault}") from error
        raise


def _settle_gaps(program: Program) -> bool:
    """Return True if the loss leaves out labels that are NaN, and there are some.

    Examples whose labels are not finite are left out. Where they are more than half, such labels
    stay if the loss leaves them out, as of many tasks of which few are known for each example.
    Otherwise they become 0.
    """
    labels = program.labels
    finite = np.isfinite(labels.reshape(len(labels), -1)).all(axis=1)
    if finite.all():
        return False
    gaps = takes_gaps(program.loss_gradient, labels, program.output_shape)
    if 2 * finite.sum() >= len(finite):
        program.keep(np.flatnonzero(finite))
    else:
        program.labels = np.nan_to_num(labels, nan=np.nan if gaps else 0, posinf=0, neginf=0)
    return gaps


def _validation(data: Any) -> Examples:
    """Return validation data in any form that `fit` takes."""
    if isinstance(data, tuple | list):
        return read_examples(*data, limit=MAX_EXAMPLES)
    return read_examples(data, limit=MAX_EXAMPLES)
