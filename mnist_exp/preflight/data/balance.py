"""Judge how often each class occurs."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup

_SHOWN = 10  # numbers of classes in a message


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
    # With few examples a class can be missing by chance: P = (1 - 1/C)^N per class.
    missing_by_chance = num_classes * (1 - 1 / num_classes) ** len(classes)
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
    return min(0.9, thresholds.LARGEST_CLASS / num_classes)


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
