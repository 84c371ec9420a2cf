"""Run the checks of the table on a program, as far as they hold for it and there is time."""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf

from mnist_exp.preflight.checks import AFTER_A_RUN, AT_FIRST, OF_LABELS, TRAINING_AGAIN, Check
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.labels import keep_usable
from mnist_exp.preflight.errors import PreflightError, raised
from mnist_exp.preflight.parts import output_parts
from mnist_exp.preflight.program.compiled import NoLoss, trains_itself
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.steps import CannotCopy
from mnist_exp.preflight.program.tasks import Task
from mnist_exp.preflight.progress import Progress
from mnist_exp.preflight.structure.evaluation import check_leak
from mnist_exp.preflight.structure.tokens import check_tokens
from mnist_exp.preflight.subject import Subject


def run_all(checkup: Checkup, subject: Subject, progress: Progress) -> None:
    """Run every check that holds for the program's task, for as long as there is time."""
    program = subject.program
    if not check_tokens(checkup, program):
        return
    run = functools.partial(_run, checkup, progress=progress)
    parts = output_parts(subject)
    words = [f"{name}: {part.program.target.words}" for name, part in parts.items()]
    checkup.task = "; ".join(words) or program.target.words
    if parts:
        for name, part in parts.items():
            with checkup.about(f"Output {name!r}: "):
                run(part, [check for check in (*OF_LABELS, *AT_FIRST) if check.of_outputs])
        run(subject, [check for check in AT_FIRST if not check.of_outputs])
    else:
        run(subject, OF_LABELS)
        keep_usable(program)
        run(subject, AT_FIRST)
    if trains_itself(program.model):
        checkup.leave_out("the model's own train_step or compute_loss")
    elif program.refusal and not checkup.findings:
        raise PreflightError(program.refusal)
    with _findings_kept(checkup):
        if program.refusal or checkup.has("GRADIENT_NON_FINITE") or not program.trained:
            check_leak(checkup, subject.leak)  # a run would show nothing more
            return
        if progress.over or _has_run(checkup, subject, progress):
            run(subject, AFTER_A_RUN)
        if not isinstance(program.objective.given, NoLoss):  # the runs are judged by it
            run(subject, TRAINING_AGAIN)


@contextmanager
def _findings_kept(checkup: Checkup) -> Iterator[None]:
    """Let an exception of the program end the checks, but not take away what was found before."""
    try:
        yield
    except PreflightError:
        raise
    except Exception as error:
        if not checkup.findings:
            raise
        checkup.leave_out(f"all that a short run shows ({raised(error)})")


def _has_run(checkup: Checkup, subject: Subject, progress: Progress) -> bool:
    """Do the short run, with whose weights other checks go on; False if the optimizer cannot."""
    leak = subject.leak  # with the initial weights, before they change
    progress.show("a short run")
    try:
        _ = subject.short_run
    except tf.errors.InvalidArgumentError as error:
        _refuse_other_batch(subject.program, error)
        raise
    except CannotCopy:
        checkup.leave_out(
            "what its optimizer does, of which a copy by its get_config has other settings"
        )
        check_leak(checkup, leak)
        return False
    return True


def _refuse_other_batch(program: Program, error: Exception) -> None:
    """Raise PreflightError if it is the number of examples that changes inside the model."""
    fed = program.inputs[:2]
    rows = program.call(fed.tensors(), training=False).shape[0]
    if rows != len(fed):
        raise PreflightError(
            f"from {len(fed)} examples the model makes {rows} answers: keep the batch axis as it "
            "is, and look for Concatenate(axis=0) or a reshape that moves values along axis 0"
        ) from error


def _run(
    checkup: Checkup, subject: Subject, checks: Sequence[Check], *, progress: Progress
) -> None:
    task = subject.program.target.task
    for check in checks:
        if check.only_there and task not in check.tasks | {Task.UNKNOWN}:
            continue
        holds = _holds(check, subject.program)
        if progress.over or not holds:
            checkup.leave_out(check.judges, time_up=holds)
        elif not checkup.has(*check.unless):
            progress.show(check.judges)
            try:
                check.run(checkup, subject)
            except PreflightError:
                raise
            except CannotCopy:
                checkup.leave_out(check.judges)
            except Exception as error:  # noqa: BLE001  # it must not hide what others find
                checkup.leave_out(f"{check.judges} ({raised(error)})")


def _holds(check: Check, program: Program) -> bool:
    """Return True if a check can be made of this program."""
    can = not (check.of_loss and program.refusal)
    can &= not (check.of_numbers and not program.inputs.numbers)
    return can and program.target.task in check.tasks
