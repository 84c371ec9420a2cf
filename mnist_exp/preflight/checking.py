"""Check a training program, in either of the two forms in which it is given."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.checks import run_all
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.compiled import compiled_loss
from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program import Loss, Program
from mnist_exp.preflight.randomness import isolated_random_state
from mnist_exp.preflight.report import PreflightReport
from mnist_exp.preflight.subject import Examples, Subject

MAX_EXAMPLES = 2000
_FORMS = "check(model, x, y) or check(model, loss, optimizer, images, labels)"


@dataclass(frozen=True, kw_only=True)
class _Given:
    """The parts of a program, as the caller gave them.

    penalised: True if the layers' own losses are part of the objective.
    """

    loss: Loss
    optimizer: Any
    inputs: Any
    labels: np.ndarray
    penalised: bool


def check(
    model: Any,
    *program: Any,
    validation_data: Any = None,
    class_weight: Any = None,
    sample_weight: Any = None,
    batch_size: int = 32,
    steps: int | None = None,
    budget_seconds: float | None = None,
    seed: int = 0,
    **named: Any,
) -> PreflightReport:
    """Look for mistakes in a training program, by running it for a few seconds.

    The weights and the global random states are the same afterwards. Called as
    `check(model, x, y)` for a compiled Keras model, with its own loss and optimizer, or as
    `check(model, loss, optimizer, images, labels)`.

    Args:
        model: A Keras model, or a callable with `trainable_variables`, from inputs [B, ...] to
            outputs [B, ...]. `training=` is passed if it is accepted.
        program: The rest of one of the two forms. loss(labels, outputs) returns a scalar or one
            value per example. optimizer: A Keras optimizer. It is copied, never changed.
            images or x: [N, ...] as the program feeds them; 512 to 2000 are enough; x may be a
            dict or a list of arrays. labels or y: [N, ...].
        validation_data: (x, y) as `fit` takes them.
        class_weight: As `fit` takes it.
        sample_weight: As `fit` takes it.
        batch_size: Of the training.
        steps: How many steps the training takes, if it is known.
        budget_seconds: No check begins after this time; the report names those that are left out.
        seed: Decides what is drawn at random; equal seeds give equal numbers.
        named: x and y, or loss, optimizer, images and labels, where they are given by name.

    Raises:
        PreflightError: The arguments cannot be used.
    """
    started = time.perf_counter()
    given = _parts(model, program, named)
    inputs, labels = Inputs(given.inputs), given.labels
    _refuse_unusable(inputs, labels)
    validation = None
    if validation_data is not None:
        x, y = validation_data[:2]
        validation = Examples(inputs=Inputs(x), labels=np.asarray(y))
    checkup = Checkup()
    with isolated_random_state(seed):
        order = np.random.default_rng(seed).permutation(len(inputs))[:MAX_EXAMPLES]
        checked = Program(
            model,
            given.loss,
            given.optimizer,
            inputs[order].structure,
            labels[order],
            penalised=given.penalised,
        )
        subject = Subject(checked, seed)
        subject.examples = len(inputs)
        subject.batch_size, subject.steps, subject.validation = batch_size, steps, validation
        subject.weighted = class_weight is not None or sample_weight is not None
        try:
            run_all(checkup, subject)
        finally:
            checked.restore()
    return checkup.report(time.perf_counter() - started)


def _parts(model: Any, program: tuple[Any, ...], named: dict[str, Any]) -> _Given:
    """Return the parts of a program from either form of the call."""
    if unknown := set(named) - {"x", "y", "loss", "optimizer", "images", "labels"}:
        raise PreflightError(f"check takes no argument {min(unknown)}: call {_FORMS}")
    program += tuple(
        named[n] for n in ("loss", "optimizer", "images", "x", "labels", "y") if n in named
    )
    if len(program) == 2:
        x, y = program
        return _Given(
            loss=compiled_loss(model),
            optimizer=model.optimizer,
            inputs=x,
            labels=np.asarray(y),
            penalised=True,
        )
    if len(program) != 4:
        raise PreflightError(f"got {len(program) + 1} arguments: call {_FORMS}")
    loss, optimizer, images, labels = program
    images = np.asarray(images).astype(np.float32)
    return _Given(
        loss=loss, optimizer=optimizer, inputs=images, labels=np.asarray(labels), penalised=False
    )


def _refuse_unusable(inputs: Inputs, labels: np.ndarray) -> None:
    """Raise PreflightError for examples that cannot be checked."""
    if len(inputs) != len(labels):
        raise PreflightError(
            f"images and labels must have the same length, got {len(inputs)} and {len(labels)}"
        )
    if len(inputs) < 2:
        raise PreflightError(f"preflight needs at least 2 examples, got {len(inputs)}")
    if not all(np.isfinite(a).all() for a in inputs.arrays if a.dtype.kind == "f"):
        raise PreflightError("images contain NaN or infinite values")
