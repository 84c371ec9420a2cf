"""Judge how often each class occurs."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning.trials import kept_apart, trial
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.label_looks import is_one_hot
from mnist_exp.preflight.program.program import Program

_SHOWN = 10  # numbers of classes in a message
_STEPS = 150  # of the program's own optimizer


def check_balance(
    checkup: Checkup,
    classes: np.ndarray,
    num_classes: int,
    *,
    weighted: bool = False,
    weights: np.ndarray | None = None,
) -> None:
    """Check for CLASS_IMBALANCE.

    classes: whole numbers [N] from 0 to num_classes - 1.
    weighted: True if the program weighs the classes or the examples, which is one of the answers to
        classes of uneven size.
    weights: how much each label counts [N], if it is known.
    """
    counts = np.bincount(classes, minlength=num_classes)
    largest = float(counts.max() / len(classes))
    missing = [int(c) for c in np.flatnonzero(counts == 0)]
    checkup.measure("data.largest_class_share", largest)
    checkup.measure("data.largest_class", largest * num_classes)
    checkup.measure("data.missing_classes", len(missing))
    is_single = counts.max() == len(classes)
    too_large = (
        largest > _limit(num_classes)
        and _chance_of_share(largest, num_classes, len(classes)) < thresholds.CHANCE
    )
    # With few examples a class can be missing by chance: P = (1 - 1/C)^N per class. Letters and
    # words are uneven, so that one half as frequent as the rarest seen can be: P = exp(-n/2).
    missing_by_chance = num_classes * (1 - 1 / num_classes) ** len(classes)
    missing_by_chance += float(np.exp(-counts[counts > 0].min() / 2))
    surely_missing = bool(missing) and missing_by_chance < thresholds.CHANCE
    if is_single or (too_large and not weighted) or surely_missing:
        checkup.find(
            "CLASS_IMBALANCE",
            f"Class {counts.argmax()} is {100 * largest:.3g}% of the {len(classes)} labels "
            f"(even: {100 / num_classes:.3g}%){_never(missing)}.",
            {"counts": counts.tolist(), "largest_share": largest, "missing": missing},
            case="one class" if is_single else "uneven",
        )
    elif weights is not None and weights.any():  # GRADIENT_ZERO
        _check_weights(checkup, classes, counts, weights)


def knows_shares(program: Program, outputs: np.ndarray) -> bool:
    """Return True if the first outputs know how often each class is, as with a bias set for it.

    They are near the best guess then, and much better than for labels of the next class each.

    outputs: for the first examples of the program.
    """
    labels, target = program.labels[: len(outputs)], program.target
    first = program.loss_of(labels, outputs)
    guess = target.constant_loss(labels, program.loss_of)
    if is_one_hot(labels, target.num_classes):
        others = np.roll(labels, 1, axis=-1)
    elif target.num_classes > 1:
        others = ((labels + 1) % target.num_classes).astype(labels.dtype)
    else:
        others = labels.max() + labels.min() - labels
    near = thresholds.NEAR_GUESS
    return bool(first < near * guess and near * first < program.loss_of(others, outputs))


def learns_from_inputs(program: Program, seed: int) -> bool:
    """Return True if labels that are all alike ask something of the inputs all the same.

    Such as which of some candidates belongs to an example, where that is always the first. A model
    that learns it is wrong about inputs whose columns come from different examples; one that has
    only learned to say the same is not.
    """
    apart = kept_apart(program)
    labels, inputs = program.labels[apart], program.inputs[apart]
    program.restore()
    first = program.loss_of(labels, program.outputs(inputs))
    (outputs,) = trial(program, program.steps.own.start(), (_STEPS,), seed)
    if outputs is None:
        program.restore()
        return False
    mixed = program.outputs(_mixed(inputs, seed))
    program.restore()
    rise = program.loss_of(labels, mixed) - program.loss_of(labels, outputs)
    return bool(rise > thresholds.MIXED_RISE * first)


def _mixed(inputs: Inputs, seed: int) -> Inputs:
    """Return inputs with each column from other examples."""
    generator = np.random.default_rng(seed)
    for number, array in enumerate(inputs.arrays):
        columns = generator.permuted(array.reshape(len(array), -1), axis=0)
        inputs = inputs.exchanged(number, columns.reshape(array.shape))
    return inputs


def _check_weights(
    checkup: Checkup, classes: np.ndarray, counts: np.ndarray, weights: np.ndarray
) -> None:
    """Find weights under which a class counts nothing, or a large one yet more than it is."""
    sums = np.bincount(classes, weights, minlength=len(counts))
    shares = sums / max(float(sums.sum()), 1e-30)
    largest = int(counts.argmax())
    share = float(counts[largest] / counts.sum())
    nothing = [int(c) for c in np.flatnonzero((sums == 0) & (counts > 0))]
    favoured = shares[largest] > max(_limit(len(counts)), share + 1e-3)
    if not nothing and not favoured:
        return
    seen = (
        f"The weights of all examples of class {_listed(nothing)} are 0: training does not see it."
        if nothing
        else f"The weights raise class {largest} from {share:.0%} of the labels to "
        f"{shares[largest]:.0%} of the loss."
    )
    checkup.find(
        "CLASS_IMBALANCE",
        seen,
        {"counts": counts.tolist(), "weight_shares": shares.tolist()},
        case="weights",
    )


def check_counted(checkup: Checkup, classes: np.ndarray, weights: np.ndarray) -> None:
    """Find weights of positions that leave a single class, such as the padding, of several.

    classes: [N, ...]. weights: [N] or [N, positions].
    """
    counts = np.broadcast_to(
        weights.reshape(weights.shape + (1,) * (classes.ndim - weights.ndim)) != 0, classes.shape
    )
    seen, hidden = np.unique(classes[counts]), np.unique(classes[~counts])
    if len(seen) == 1 and len(np.union1d(seen, hidden)) > 1:
        checkup.find(
            "CLASS_IMBALANCE",
            f"All positions whose weight is not 0 ({counts.mean():.0%}) have the label "
            f"{seen[0]:g}; those with the weight 0 have {len(hidden)} different labels.",
            {"label": float(seen[0]), "share": float(counts.mean())},
            case="positions",
        )


def _limit(num_classes: int) -> float:
    """Return the share from which a class is far larger than others: 90% for two classes."""
    return min(0.9, max(thresholds.LARGEST_CLASS / num_classes, thresholds.LARGEST_SHARE))


def _chance_of_share(share: float, num_classes: int, examples: int) -> float:
    """Return at most how probable it is that any of C equally frequent classes has this share.

    It is C exp(-N KL(share, 1/C)), Chernoff's bound for each class: with a thousand classes, three
    times the even share of a small sample is no more than chance.
    """
    divergence = share * np.log(share * num_classes)
    if share < 1:
        divergence += (1 - share) * np.log((1 - share) / (1 - 1 / num_classes))
    return float(num_classes * np.exp(-examples * divergence))


def _never(missing: list[int]) -> str:
    """Return `, classes [...] never occur` with at most ten of them, or an empty text."""
    if not missing:
        return ""
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f", classes [{_listed(missing)}]{more} never occur"


def _listed(classes: list[int]) -> str:
    return ", ".join(map(str, classes[:_SHOWN]))
