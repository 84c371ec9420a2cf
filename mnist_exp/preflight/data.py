"""Judge the images and labels by themselves, before any model."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup

PROBE_EXAMPLES = 600  # more does not separate better, and the linear probe is cubic in it
_SHOWN = 10  # numbers of classes in a message
RIDGE = 1.0  # penalty of the linear probe, relative to the mean squared length of an image


def check_labels(
    checkup: Checkup, labels: np.ndarray, classes: np.ndarray, num_classes: int
) -> None:
    """Check for LABELS_OUT_OF_RANGE and CLASS_IMBALANCE.

    labels: as the program gives them. classes [N]: the same as integers.
    """
    lowest, highest = int(classes.min()), int(classes.max())
    columns = labels.shape[1] if labels.ndim == 2 else highest + 1
    wrong_width = labels.ndim == 2 and columns not in (1, num_classes)
    if lowest < 0 or highest >= num_classes or wrong_width:
        checkup.find(
            "LABELS_OUT_OF_RANGE",
            f"Labels go from {lowest} to {highest} ({columns} classes), the model has "
            f"{num_classes} outputs.",
            {"lowest": lowest, "highest": highest, "outputs": num_classes},
        )
        return
    counts = np.bincount(classes, minlength=num_classes)
    largest = float(counts.max() / len(classes))
    missing = [int(c) for c in np.flatnonzero(counts == 0)]
    checkup.measure("data.largest_class_share", largest)
    checkup.measure("data.missing_classes", len(missing))
    is_single = counts.max() == len(classes)
    too_large = (
        largest > min(0.9, thresholds.LARGEST_CLASS / num_classes)  # two classes: 90%
        and _chance_of_share(largest, num_classes, len(classes)) < thresholds.CHANCE
    )
    # With few examples a class can be missing by chance: P = (1 - 1/C)^N per class.
    missing_by_chance = num_classes * (1 - 1 / num_classes) ** len(classes)
    surely_missing = bool(missing) and missing_by_chance < thresholds.CHANCE
    if is_single or too_large or surely_missing:
        checkup.find(
            "CLASS_IMBALANCE",
            f"Class {counts.argmax()} is {100 * largest:.3g}% of the {len(classes)} labels "
            f"(even: {100 / num_classes:.3g}%){_never(missing)}.",
            {"counts": counts.tolist(), "largest_share": largest, "missing": missing},
            case="one class" if is_single else "uneven",
        )


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
    first = ", ".join(map(str, missing[:_SHOWN]))
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f", classes [{first}]{more} never occur"


def check_relation(checkup: Checkup, images: np.ndarray, classes: np.ndarray) -> None:
    """Check for INPUT_IGNORED (constant images) and LABELS_UNRELATED.

    To see whether the pixels carry information about the labels, a linear probe and the nearest
    neighbour are fitted on one half of the sample and scored on the other half.
    """
    pixels = images.reshape(len(images), -1)[:PROBE_EXAMPLES].astype(np.float64)
    classes = classes[:PROBE_EXAMPLES]
    spread = float(np.abs(pixels - pixels[0]).max())
    if spread == 0:
        checkup.find(
            "INPUT_IGNORED",
            f"All {len(pixels)} images are the same: every pixel is constant over the sample.",
            {"spread": spread},
            case="images",
        )
        return
    if len(pixels) < thresholds.PROBE_MIN_EXAMPLES or len(np.unique(classes)) < 2:
        return
    half = len(pixels) // 2
    if half < thresholds.PROBE_MIN_PER_CLASS * len(np.unique(classes)):
        return  # related labels cannot be learned from so few, either
    pixels = (pixels - pixels[:half].mean(0)) / (pixels[:half].std() + 1e-12)
    train, test = pixels[:half], pixels[half:]
    accuracy = max(
        float(np.mean(_ridge(train, classes[:half], test) == classes[half:])),
        float(np.mean(_nearest(train, classes[:half], test) == classes[half:])),
    )
    chance = float(np.bincount(classes[half:]).max() / len(test))
    sigma = float(np.sqrt(chance * (1 - chance) / len(test)))
    sigmas = (accuracy - chance) / max(sigma, 1e-12)
    checkup.measure("data.probe_accuracy", accuracy)
    checkup.measure("data.probe_sigmas", sigmas)
    if sigmas < thresholds.PROBE_SIGMAS:
        checkup.find(
            "LABELS_UNRELATED",
            "A linear probe and the nearest neighbour predict these labels from these images in "
            f"{accuracy:.1%} of {len(test)} examples; guessing the most frequent class gives "
            f"{chance:.1%}.",
            {"probe_accuracy": accuracy, "chance": chance, "examples": len(test)},
        )


def _ridge(train: np.ndarray, classes: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Predict the classes of `test` [M, P] by least squares on one-hot targets.

    It is solved in its dual form, because there are fewer examples than pixels.
    """
    targets = np.eye(int(classes.max()) + 1)[classes]
    mean = targets.mean(0)
    kernel = train @ train.T
    penalty = RIDGE * np.trace(kernel) / len(train)
    weights = np.linalg.solve(kernel + penalty * np.eye(len(train)), targets - mean)
    predicted: np.ndarray = np.argmax(test @ (train.T @ weights) + mean, axis=1)
    return predicted


def _nearest(train: np.ndarray, classes: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Predict for each row of `test` [M, P] the class of the nearest row of `train`."""
    distance = (train**2).sum(1)[None, :] - 2 * test @ train.T
    nearest: np.ndarray = classes[np.argmin(distance, axis=1)]
    return nearest
