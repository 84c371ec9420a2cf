"""Look for validation data that are prepared otherwise than the training data."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.probes import predict
from mnist_exp.preflight.data.views import plain_view
from mnist_exp.preflight.program.tasks import ONE_OF_MANY, Target, Task

PROBED = 600  # training examples that a probe learns from
_SHOWN = 5  # classes in a message

Split = tuple[Sequence[np.ndarray], np.ndarray]  # inputs that are numbers [N, ...] each, labels


def check_split_scale(checkup: Checkup, target: Target, train: Split, validation: Split) -> None:
    """Check for SPLIT_SCALE: other shapes, scales, labels, or another relation between them.

    At most one is found, the first: the others follow from it.
    """
    for check in (_shapes, _scale, _classes, _targets, _relation, _channels):
        check(checkup, target, train, validation)
        if checkup.has("SPLIT_SCALE"):
            return


def _shapes(checkup: Checkup, target: Target, train: Split, validation: Split) -> None:
    del target
    known, others = (
        [a.shape[1:] for a in (*arrays, labels)] for arrays, labels in (train, validation)
    )
    if [_needed(s) for s in known] != [_needed(s) for s in others]:
        checkup.find(
            "SPLIT_SCALE",
            f"A training example has the shapes {_listed(known)}, a validation example "
            f"{_listed(others)} (inputs, then labels).",
            {"train": [list(s) for s in known], "validation": [list(s) for s in others]},
            case="shape",
        )


def _needed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without a last axis of one, which programs add and leave out."""
    return shape[:-1] if shape and shape[-1] == 1 else shape


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(str(list(shape)) for shape in shapes)


def _scale(checkup: Checkup, target: Target, train: Split, validation: Split) -> None:
    """Compare deviation and mean of every feature; the middle feature decides."""
    # The later part of a series may grow, and what it forecasts is numbers.
    ratio_limit, shift_limit = thresholds.SPLIT_RATIO, thresholds.SPLIT_SHIFT
    series = target.task not in (Task.CLASSES, Task.BINARY)
    if series:
        ratio_limit, shift_limit = thresholds.SPLIT_RATIO_SERIES, thresholds.SPLIT_SHIFT_SERIES
    for number, (known, other) in enumerate(zip(train[0], validation[0], strict=True)):
        compared = _change(known, other)
        if compared is None:
            continue
        ratio, shift = compared
        change = math.exp(abs(math.log(ratio)))
        checkup.measure_largest("split.series_ratio" if series else "split.ratio", change)
        checkup.measure_largest("split.series_shift" if series else "split.shift", shift)
        if change > ratio_limit or shift > shift_limit:
            checkup.find(
                "SPLIT_SCALE",
                f"The features of validation input {number} have {ratio:.3g} times the deviation "
                f"that they have in training, and means that are {shift:.3g} deviations away.",
                {"input": number, "ratio": ratio, "shift": shift},
                case="scale",
            )
            return


def _change(known: np.ndarray, other: np.ndarray) -> tuple[float, float] | None:
    """Return the middle ratio of deviations, and the middle shift of the means in deviations.

    It is None where nothing varies or where there are too few examples.
    """
    if min(len(known), len(other)) < thresholds.SPLIT_MIN_EXAMPLES:
        return None
    if known.ndim == 2 and known.shape[1] <= 256:  # columns of a table have units of their own
        tables = [a.astype(np.float64) for a in (known, other)]
    else:
        tables = [a.reshape(-1, 1).astype(np.float64) for a in (known, other)]
    before, after = (table.std(axis=0) for table in tables)
    varies = (before > 1e-12) & (after > 1e-12)
    if not varies.any():
        return None
    shift = np.abs(tables[1].mean(axis=0) - tables[0].mean(axis=0))[varies] / before[varies]
    ratio = float(np.exp(np.median(np.log(after[varies] / before[varies]))))
    return ratio, float(np.median(shift))


def _classes(checkup: Checkup, target: Target, train: Split, validation: Split) -> None:
    """Look for classes that only one of the splits has."""
    if target.task not in ONE_OF_MANY | {Task.BINARY}:
        return
    known, other = (target.answers(labels).reshape(-1) for labels in (train[1], validation[1]))
    classes, counts = np.unique(known, return_counts=True)
    new = np.setdiff1d(other, classes)
    share_new = float(np.isin(other, new).mean())
    shares = counts / counts.sum()
    # The probability that a class of this share does not occur among the validation labels.
    absent = [
        c
        for c, s in zip(classes, shares, strict=True)
        if c not in other and len(classes) * (1 - s) ** len(other) < thresholds.CHANCE
    ]
    # Of many classes some are new by chance, with about the share of those that occur once.
    by_chance = float(np.sum(counts == 1)) / len(known)
    checkup.measure("split.new_classes", share_new - 2 * by_chance)
    if share_new > thresholds.NEW_CLASSES + 2 * by_chance:
        what = f"{share_new:.0%} of the validation labels are classes that training never has"
        which = new
    elif 3 * len(absent) >= len(classes):
        what, which = "Validation never has classes that training often has", np.asarray(absent)
    else:
        return
    shown = ", ".join(f"{value:g}" for value in which[:_SHOWN])
    checkup.find(
        "SPLIT_SCALE",
        f"{what}: {shown}{' and others' if len(which) > _SHOWN else ''}.",
        {"classes": which[:100].tolist(), "share": share_new},
        case="classes",
    )


def _targets(checkup: Checkup, target: Target, train: Split, validation: Split) -> None:
    """Compare the deviations of the labels of a regression."""
    if target.task is not Task.REGRESSION:
        return
    change = _change(
        train[1].reshape(len(train[1]), -1), validation[1].reshape(len(validation[1]), -1)
    )
    if change is None:
        return
    ratio = math.exp(abs(math.log(change[0])))
    checkup.measure("split.target_ratio", ratio)
    if ratio > thresholds.SPLIT_TARGET_RATIO:
        checkup.find(
            "SPLIT_SCALE",
            f"The validation labels have {change[0]:.3g} times the deviation of the training "
            "labels.",
            {"ratio": change[0]},
            case="targets",
        )


def _relation(checkup: Checkup, target: Target, train: Split, validation: Split) -> None:
    """Compare how well a probe of the training data does on the rest of them and on validation."""
    if target.task not in (Task.CLASSES, Task.BINARY):
        return
    (arrays, labels), (other_arrays, other_labels) = train, validation
    half = min(PROBED, len(labels) // 2)
    count = min(PROBED, len(labels) - half, len(other_labels))
    if min(half, count) < thresholds.SPLIT_MIN_PROBED:
        return
    joined = [
        np.concatenate([a[: half + count], b[:count]])
        for a, b in zip(arrays, other_arrays, strict=True)
    ]
    table = plain_view(joined)
    known, other = (target.answers(y).reshape(-1) for y in (labels, other_labels))
    classes = np.unique(known[:half])
    wanted = (known[:half, None] == classes).astype(np.float64)
    guessed = classes[np.argmax(predict(table[:half], wanted, table[half:]), axis=1)]
    right = guessed == np.concatenate([known[half : half + count], other[:count]])
    _renamed(
        checkup, (guessed[:count], known[half : half + count]), (guessed[count:], other[:count])
    )
    if checkup.has("SPLIT_SCALE"):
        return
    told, told_other = float(right[:count].mean()), float(right[count:].mean())
    chance = max(
        float(np.mean(y == classes[np.argmax(wanted.sum(axis=0))])) for y in (known, other)
    )
    if told - chance > 0.5 * (1 - chance) and told_other - chance < 0.25 * (told - chance):
        checkup.find(
            "SPLIT_SCALE",
            f"What a simple probe learns from training examples holds for {told:.0%} of other "
            f"training examples and for {told_other:.0%} of the validation examples.",
            {"training": told, "validation": told_other},
            case="relation",
        )


def _renamed(
    checkup: Checkup,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
) -> None:
    """Look for classes that have the number of another class in the validation data.

    train, validation: what a probe of other training examples guesses, and the labels.
    """
    names = dict[float, float]()
    for label in np.unique(validation[1]):
        known, others = (guessed[y == label] for guessed, y in (train, validation))
        if min(len(known), len(others)) < thresholds.RENAMED_EXAMPLES:
            continue
        values, counts = np.unique(others, return_counts=True)
        name = values[np.argmax(counts)]
        both = float(np.mean(known == label)), float(counts.max() / len(others))
        if name != label and min(both) > thresholds.RENAMED:
            names[float(label)] = float(name)
    share = float(np.isin(validation[1], list(names)).mean())
    if min(len(names), len(set(names.values()))) < 2 or share < thresholds.RENAMED_SHARE:
        return  # one class can look like another in other pictures
    shown = ", ".join(f"{a:g} for {b:g}" for a, b in list(names.items())[:_SHOWN])
    checkup.find(
        "SPLIT_SCALE",
        f"A simple probe finds the classes of other training examples, and takes those of "
        f"{share:.0%} of the validation examples for others, each for one: {shown}.",
        {"names": names, "share": share},
        case="numbering",
    )


def _channels(checkup: Checkup, target: Target, train: Split, validation: Split) -> None:
    """Look for pictures whose channels have another order, as BGR has.

    The colours of the middle picture tell it, whatever its brightness is.
    """
    del target
    for number, (known, other) in enumerate(zip(train[0], validation[0], strict=True)):
        few = min(len(known), len(other)) < thresholds.SPLIT_MIN_EXAMPLES
        if few or known.ndim != 4 or known.shape[-1] != 3:
            continue
        colours = [a.mean(axis=(1, 2), dtype=np.float64) for a in (known, other)]
        colours = [a - a.mean(axis=1, keepdims=True) for a in colours]
        doubt = np.sqrt(np.mean(sum(a.var(axis=0) / len(a) for a in colours)))
        middle, others = (a.mean(axis=0) for a in colours)
        orders = list(itertools.permutations(range(3)))  # the first is the given one
        away = [float(np.abs(others[list(o)] - middle).max() / max(doubt, 1e-12)) for o in orders]
        best = int(np.argmin(away))
        if away[0] > thresholds.CHANNELS_AWAY and away[best] < thresholds.CHANNELS_BACK * away[0]:
            checkup.find(
                "SPLIT_SCALE",
                f"The colours of validation input {number} are {away[0]:.0f} standard errors away "
                f"from those of training, and {away[best]:.1f} with its channels in the order "
                f"{list(orders[best])}.",
                {"input": number, "away": away[0], "order": list(orders[best])},
                case="channels",
            )
            return
