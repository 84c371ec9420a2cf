"""Hand the parts of a program to the checks of its data."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.codes import Severity
from mnist_exp.preflight.data.balance import (
    check_balance,
    check_counted,
    knows_shares,
    learns_from_inputs,
)
from mnist_exp.preflight.data.leaks import check_label_leak, check_row_number
from mnist_exp.preflight.data.noise import check_noise
from mnist_exp.preflight.data.order import check_order
from mnist_exp.preflight.data.relation import PROBE_EXAMPLES, check_relation
from mnist_exp.preflight.data.scales import check_input_units, check_target_scale
from mnist_exp.preflight.data.several_outputs import Output, check_outweighed, check_whose_labels
from mnist_exp.preflight.data.split_scale import Split, check_split_scale
from mnist_exp.preflight.data.splits import check_overlap
from mnist_exp.preflight.data.views import of_rarest_id
from mnist_exp.preflight.parts import output_parts, output_places
from mnist_exp.preflight.program.forms import label_form
from mnist_exp.preflight.program.given import Examples
from mnist_exp.preflight.program.tasks import Task
from mnist_exp.preflight.subject import LONG, Subject

COMPARED = 2000  # examples of each split whose scale is compared


def balance(checkup: Checkup, subject: Subject) -> None:
    """Check how often each class occurs; of positions, whether the weights leave one only."""
    program, weights = subject.program, subject.program.inputs.weights
    if program.target.task not in (Task.CLASSES, Task.BINARY):
        answers = program.target.answers(program.labels)
        if weights is not None and weights.shape == answers.shape[: weights.ndim]:
            check_counted(checkup, answers, weights)
        return
    binary = program.target.task is Task.BINARY
    classes = program.target.yes(program.labels) if binary else program.classes
    classes = classes.reshape(-1).astype(np.int64)
    if program.refusal:
        knows = False
    elif np.ptp(classes) == 0 and learns_from_inputs(program, subject.seed):
        checkup.leave_out("the balance of the classes (the inputs tell what the labels do not)")
        return
    else:
        knows = knows_shares(program, subject.first_outputs)
    known = weights is not None and weights.shape == classes.shape
    check_balance(
        checkup,
        classes,
        max(program.num_classes, 2),
        weighted=subject.weighted or knows,
        weights=weights if known else None,
    )
    labels = subject.given.labels
    of_dataset = subject.given.batch_size
    if of_dataset and isinstance(labels, np.ndarray) and not checkup.has("CLASS_IMBALANCE"):
        given = program.target.yes(labels) if binary else program.target.answers(labels)
        check_order(checkup, given.reshape(-1), of_dataset)


def relation(checkup: Checkup, subject: Subject) -> None:
    """Check whether the labels belong to the inputs.

    Of an id alone, as of a user or a film, only other examples of the same id tell anything.
    """
    if _has_rare_ids(subject, COMPARED, single=True):
        checkup.leave_out("whether the labels belong to the inputs (few examples of an id)")
        return
    given = None
    if isinstance(subject.given.labels, np.ndarray) and not subject.gaps:
        given = _finite(subject.given[:COMPARED])
    check_relation(checkup, subject.program, subject.probe, given, subject.seed)


def label_leak(checkup: Checkup, subject: Subject) -> None:
    """Check for features that give the labels away."""
    program = subject.program
    target, labels = program.target, program.labels
    check_label_leak(checkup, target, program.inputs.numbers, labels)
    if target.task in (Task.CLASSES, Task.BINARY) and not checkup.has("LABEL_LEAK"):
        whole = subject.given.inputs.numbers
        check_row_number(checkup, target, program.inputs.numbers, labels, whole)


def noise(checkup: Checkup, subject: Subject) -> None:
    """Check for wrong labels, where there are enough examples of what the inputs say."""
    program = subject.program
    if _has_rare_ids(subject, PROBE_EXAMPLES):
        checkup.leave_out("wrong labels (few examples of a token)")
        return
    check_noise(checkup, program.target, program.inputs.arrays, program.labels, subject.probe)


def _has_rare_ids(subject: Subject, count: int, *, single: bool = False) -> bool:
    """Return True if the model looks numbers up that are rare among some of its examples.

    single: look at inputs of one number per example only.
    """
    program = subject.program
    if not program.taps.flow.lookups:
        return False
    arrays = [a[:count] for a in program.inputs.arrays if not single or a[0].size == 1]
    return any(of_rarest_id(array) < thresholds.ID_EXAMPLES for array in arrays)


def splits(checkup: Checkup, subject: Subject) -> None:
    """Compare the validation data, if there are some, with the training data."""
    if subject.validation is None:
        return
    check_overlap(checkup, subject.given.inputs, subject.validation.inputs)
    both = subject.given, subject.validation
    if all(isinstance(part.labels, np.ndarray) for part in both):
        generator = np.random.default_rng(subject.seed)  # rows may be sorted
        drawn = [part[generator.permutation(len(part.inputs))[:COMPARED]] for part in both]
        check_split_scale(checkup, subject.program.target, *map(_finite, drawn))


def _finite(examples: Examples) -> Split:
    """Return the finite ones of some examples, in the same order."""
    finite = examples[np.flatnonzero(examples.finite)]
    return finite.inputs.numbers, label_form(finite.labels)


def several_outputs(checkup: Checkup, subject: Subject) -> None:
    """Check which labels belong to which of several outputs."""
    check_whose_labels(checkup, subject.program, _outputs(subject))


def outweighed(checkup: Checkup, subject: Subject) -> None:
    """Check for targets whose loss leaves nothing for other outputs."""
    check_outweighed(checkup, subject.program, _outputs(subject), subject.seed)


def _outputs(subject: Subject) -> dict[str, Output]:
    """Return the outputs whose labels are still those of all examples."""
    parts, places = output_parts(subject), output_places(subject.program)
    count = len(subject.program.labels)
    return {n: (p.program, places[n]) for n, p in parts.items() if len(p.program.labels) == count}


def input_units(checkup: Checkup, subject: Subject) -> None:
    """Check for features in units that training cannot use."""
    found = [f for f in checkup.findings if f.code == "INPUT_SCALE"]
    if all(finding.severity is Severity.WARNING for finding in found):
        check_input_units(checkup, subject.program, subject.seed)


def target_scale(checkup: Checkup, subject: Subject) -> None:
    """Check for targets that training cannot reach."""
    check_target_scale(checkup, subject.program, subject.length(LONG), subject.seed)
