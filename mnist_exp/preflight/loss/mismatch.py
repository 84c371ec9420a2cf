"""Judge whether the loss, the number of outputs and the labels belong to one task."""

import math

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.loss.relative import lost_below_zero, share_of_zeros
from mnist_exp.preflight.program.label_looks import is_index, is_one_hot, is_same_size
from mnist_exp.preflight.program.loss_kind import Compares, tell_loss_kind
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import Task

_EXAMPLES = 32


def check_match(checkup: Checkup, program: Program) -> None:
    """Check for LOSS_MISMATCH and OUTPUT_UNITS."""
    target = program.target
    if program.objective.heads is not None or program.labels.size == 0:
        return  # several outputs together
    if target.kind.refused:
        _find_refused(checkup, program)
        return
    if target.kind.compares is Compares.NOTHING:
        _check_one_output(checkup, program)
        return
    if not _labels_matter(program):
        return  # LOSS_IGNORES_LABELS
    match target.task:
        case Task.UNKNOWN:
            _check_spread(checkup, program)
        case Task.REGRESSION:
            _check_numbers(checkup, program)
        case Task.MULTILABEL | Task.BINARY | Task.BINARY_PER_POSITION:
            _check_yes_or_no(checkup, program)
        case Task.CLASSES | Task.CLASSES_PER_POSITION:
            _check_classes(checkup, program)


def _labels_matter(program: Program) -> bool:
    """Return True if the loss is another one with the labels of other examples."""
    target, labels = program.target, program.labels[: 2 * _EXAMPLES]
    outputs = np.random.default_rng(0).uniform(0.2, 0.8, (len(labels), *target.shape))
    own, other = (program.loss_of(y, outputs.astype(np.float32)) for y in (labels, labels[::-1]))
    return bool(abs(own - other) > 1e-6 * abs(own)) or len(np.unique(labels)) == 1


def _find_refused(checkup: Checkup, program: Program) -> None:
    """Say why a loss cannot be computed from these labels and outputs."""
    target, labels = program.target, program.labels
    outputs, given = _shape(target.shape), _shape(labels.shape[1:])
    if target.num_classes == 1 and _compares_classes(program, labels[:_EXAMPLES]):
        case, wants = "one", "an output for each class"
    elif is_index(labels, target.shape):
        if labels.min() < 0 or labels.max() >= target.num_classes:
            return  # LABELS_OUT_OF_RANGE
        case, wants = "refused", "one-hot labels, and these are class numbers"
    elif is_one_hot(labels, target.num_classes):
        case, wants = "refused", "class numbers, and these labels are one-hot"
    elif math.prod(labels.shape[1:]) != math.prod(target.shape):
        case, wants = "shape", "as many labels as outputs"
    else:
        case, wants = "refused", "labels of another form"
    message = f"The loss cannot be computed from labels {given} and outputs {outputs}: it takes"
    objective = program.objective
    objective.refusal = objective.refusal or message  # nothing else can be computed, either
    evidence = {"labels": list(labels.shape[1:]), "outputs": list(target.shape)}
    if case == "shape":
        checkup.find("OUTPUT_UNITS", f"{message} {wants}.", evidence, case="shape")
    else:
        one = case == "one"
        checkup.find(
            "LOSS_MISMATCH",
            f"{message} {wants}.",
            evidence,
            case="one output" if one else "refused",
        )


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, ('N', *shape)))}]"


def _check_one_output(checkup: Checkup, program: Program) -> None:
    """A cross entropy of classes over a single output is the same whatever that output is."""
    target, labels = program.target, program.labels[:_EXAMPLES]
    if target.num_classes != 1:
        return
    shape = (len(labels), *target.shape)
    values = [program.loss_of(labels, np.full(shape, at, np.float32)) for at in (0.2, 0.7, 3.0)]
    size = max(np.abs(values).max(), 1e-6)
    flat = np.isfinite(values).all() and np.ptp(values) <= 1e-6 * size
    if flat and _compares_classes(program, labels):
        checkup.find(
            "LOSS_MISMATCH",
            f"The loss is {values[0]:.3g} whatever the one output is: it compares the outputs of "
            "several classes with one another.",
            {"loss": values[0]},
            case="one output",
        )


def _compares_classes(program: Program, labels: np.ndarray) -> bool:
    """Return True if a loss compares classes as soon as an answer has two outputs."""
    if not is_same_size(labels, program.target.shape):
        return False
    shape = (*program.target.shape[:-1], 2)
    middle = (labels.min() + labels.max()) / 2
    classes = (labels > middle).astype(labels.dtype).reshape(-1, *shape[:-1])
    one_hot = np.eye(2, dtype=np.float32)[classes.astype(int)]
    kinds = [tell_loss_kind(program.loss_gradient, given, shape) for given in (one_hot, classes)]
    return any(kind.compares is Compares.CLASSES for kind in kinds)


def _check_spread(checkup: Checkup, program: Program) -> None:
    """Find labels and outputs of different numbers that are compared each with each."""
    target, labels = program.target, program.labels[:_EXAMPLES]
    own, wanted = math.prod(target.shape), math.prod(labels.shape[1:])
    if own == wanted or min(own, wanted) == 0:
        return
    generator = np.random.default_rng(0)
    outputs = generator.uniform(0.2, 0.8, (len(labels), own)).astype(np.float32)
    flat = labels.reshape(len(labels), -1)
    given = (outputs, flat)
    rows = range(len(labels))
    if own > wanted:
        mixed = np.stack([outputs[row, generator.permutation(own)] for row in rows]), flat
        other = 0.5 * outputs, flat
    else:
        mixed = outputs, np.stack([flat[row, generator.permutation(wanted)] for row in rows])
        other = outputs, flat[::-1]
    values = [
        program.loss_of(y.reshape(labels.shape), o.reshape(-1, *target.shape))
        for o, y in (given, mixed, other)
    ]
    size = max(abs(values[0]), 1e-6)
    if not np.isfinite(values).all() or abs(values[2] - values[0]) < 1e-3 * size:
        return
    if abs(values[1] - values[0]) > 1e-4 * size:
        return  # it tells them apart: a loss of the program's own, with an order of its own
    checkup.find(
        "OUTPUT_UNITS",
        f"Labels {_shape(labels.shape[1:])} meet outputs {_shape(target.shape)}, and the loss "
        "compares each of an example's outputs with each of its labels.",
        {"labels": list(labels.shape[1:]), "outputs": list(target.shape)},
        case="spread",
    )


def _check_numbers(checkup: Checkup, program: Program) -> None:
    target, labels = program.target, program.labels
    if target.kind.compares in (Compares.CLASSES, Compares.YES_OR_NO):
        checkup.find(
            "LOSS_MISMATCH",
            f"The labels are numbers from {labels.min():.4g} to {labels.max():.4g}, and the loss "
            "is a cross entropy, which takes classes or shares between 0 and 1.",
            {"lowest": float(labels.min()), "highest": float(labels.max())},
            case="numbers",
        )
    elif (lost := lost_below_zero(program)) > thresholds.RANGE_LOST_ERROR:
        checkup.find(
            "LOSS_MISMATCH",
            f"The targets go from {labels.min():.4g} to {labels.max():.4g}, and the loss takes "
            f"those below 0 for 0: {lost:.0%} of their variance is lost.",
            {"lost": lost},
            case="below 0",
        )
    elif (share := share_of_zeros(program)) > thresholds.ZEROS_RULE:
        checkup.find(
            "LOSS_MISMATCH",
            f"Targets of 0, or nearly so, pull {share:.2%} of all that the loss pulls: it divides "
            "by the target.",
            {"share": share},
            case="zeros",
        )
    elif target.num_classes == 1 and _look_like_classes(labels):
        checkup.find(
            "LOSS_MISMATCH",
            f"The labels are the whole numbers from 0 to {labels.max():.0f}, about equally often, "
            "and one output is fitted to the number: if they are classes, 3 is not between 2 and "
            "4.",
            {"classes": int(labels.max()) + 1},
            case="class numbers",
        )


def _look_like_classes(labels: np.ndarray) -> bool:
    """Return True for 3 to 20 whole numbers from 0, none of them far rarer than another."""
    values, counts = np.unique(labels, return_counts=True)
    count = len(values)
    from_zero = np.array_equal(values, np.arange(count))
    return bool(from_zero and 3 <= count <= 20 and counts.max() < 2.5 * counts.min())


def _check_yes_or_no(checkup: Checkup, program: Program) -> None:
    target, labels = program.target, program.labels
    if target.kind.compares is Compares.CLASSES:
        yes = target.yes_per_answer(labels)
        if np.mean(yes != 1) > thresholds.FEW:
            checkup.find(
                "LOSS_MISMATCH",
                f"{np.mean(yes != 1):.0%} of the examples have not one label but up to "
                f"{int(yes.max())}, and the loss is a cross entropy for one of several classes.",
                {"share": float(np.mean(yes != 1))},
                case="several labels",
            )
    elif target.kind.compares is Compares.NUMBERS and _is_absolute(program):
        _find_absolute(checkup)


def _is_absolute(program: Program) -> bool:
    """Return True for a mean absolute error: its slope is the same near and far from the label."""
    labels, shape = program.labels[:_EXAMPLES], program.target.shape
    near, far = (
        np.abs(program.loss_gradient(labels, np.full((len(labels), *shape), at, np.float32))[1])
        for at in (2.0, 20.0)
    )
    return bool(np.allclose(near, far, rtol=1e-3) and near.any())


def _find_absolute(checkup: Checkup) -> None:
    checkup.find(
        "LOSS_MISMATCH",
        "The labels are classes, and the loss is an absolute error: it is least hurt by always "
        "naming the most frequent one.",
        {},
        case="absolute",
    )


def _check_classes(checkup: Checkup, program: Program) -> None:
    target, labels = program.target, program.labels
    compares, index = target.kind.compares, is_index(labels, target.shape)
    if index and compares in (Compares.NUMBERS, Compares.YES_OR_NO):
        if _singles_out(program):
            return  # the loss makes the class numbers one-hot itself
        checkup.find(
            "LOSS_MISMATCH",
            f"The labels are class numbers up to {labels.max():.0f}, and the loss compares each of "
            f"the {target.num_classes} outputs of an example with that number.",
            {"outputs": target.num_classes},
            case="number and outputs",
        )
    elif compares is Compares.NUMBERS and _is_absolute(program):
        _find_absolute(checkup)
    elif compares is Compares.NUMBERS:
        checkup.find(
            "LOSS_MISMATCH",
            f"The labels are one of {target.num_classes} classes, and the loss is an error of "
            "numbers, whose slope is small where the answer is wrong.",
            {"outputs": target.num_classes},
            case="squares",
        )
    elif compares is Compares.YES_OR_NO and target.num_classes > 2:
        checkup.find(
            "LOSS_MISMATCH",
            f"The labels are one of {target.num_classes} classes, with softmax, and the loss asks "
            "each output for a yes or a no.",
            {"outputs": target.num_classes},
            case="yes or no",
        )
    elif index and target.task is Task.CLASSES:
        _check_too_many(checkup, labels, target.num_classes)


def _singles_out(program: Program) -> bool:
    """Return whether the loss pulls the output of an example's class unlike its others.

    Where all outputs are equal, a loss that compares each of them with the class number pulls all
    alike.
    """
    target, labels = program.target, program.labels[:_EXAMPLES]
    outputs = np.full((len(labels), *target.shape), 0.5, np.float32)
    slope = program.loss_gradient(labels, outputs)[1].reshape(-1, target.num_classes)
    classes = target.answers(labels).reshape(-1).astype(int)
    if not np.isfinite(slope).all() or classes.min() < 0 or classes.max() >= target.num_classes:
        return False
    counts = np.abs(slope).max(axis=1) > 0  # the weight of others may be 0
    slope, own = slope[counts], np.eye(target.num_classes, dtype=bool)[classes[counts]]
    if not len(slope):
        return False
    apart = np.abs(slope[own] - slope[~own].reshape(len(slope), -1).mean(axis=1))
    return bool((apart > 1e-3 * np.abs(slope).max()).mean() > 0.5)


def _check_too_many(checkup: Checkup, labels: np.ndarray, outputs: int) -> None:
    """Find far more outputs than classes. Rare classes may be missing from a few examples."""
    classes = int(labels.max()) + 1
    checkup.measure("output.per_class", outputs / classes)
    many = outputs > thresholds.UNITS_PER_CLASS * classes
    if many and len(labels) >= thresholds.EXAMPLES_PER_CLASS * classes:
        checkup.find(
            "OUTPUT_UNITS",
            f"The labels are {classes} classes, and the model has {outputs} outputs.",
            {"classes": classes, "outputs": outputs},
            case="too many",
        )
