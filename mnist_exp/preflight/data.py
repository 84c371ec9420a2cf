"""The images and labels by themselves, before any model."""

from typing import Any

import numpy as np

from . import thresholds
from .report import Finding

PROBE_EXAMPLES = 600  # more does not separate better, and the linear probe is cubic in it
RIDGE = 1.0  # penalty of the linear probe, relative to the mean squared length of an image


def check_labels(
    labels: np.ndarray, classes: np.ndarray, num_classes: int, statistics: dict[str, Any]
) -> list[Finding]:
    """LABELS_OUT_OF_RANGE and CLASS_IMBALANCE. classes [N] are integers."""
    lowest, highest = int(classes.min()), int(classes.max())
    if (
        lowest < 0
        or highest >= num_classes
        or (labels.ndim == 2 and labels.shape[1] not in (1, num_classes))
    ):
        wide = labels.shape[1] if labels.ndim == 2 else highest + 1
        return [
            Finding(
                "LABELS_OUT_OF_RANGE",
                "error",
                f"Labels go from {lowest} to {highest} ({wide} classes), the model has {num_classes} outputs.",
                "Number the classes from 0, and give the model one output per class.",
                {"lowest": lowest, "highest": highest, "outputs": num_classes},
            )
        ]
    counts = np.bincount(classes, minlength=num_classes)
    largest = float(counts.max() / len(classes))
    missing = [int(c) for c in np.flatnonzero(counts == 0)]
    statistics["data.largest_class_share"] = largest
    statistics["data.missing_classes"] = float(len(missing))
    too_large = largest > min(0.9, thresholds.LARGEST_CLASS / num_classes)  # two classes: 90%
    # With few examples a class can be missing by chance: P = (1 - 1/C)^N per class.
    missing_by_chance = num_classes * (1 - 1 / num_classes) ** len(classes)
    surely_missing = bool(missing) and missing_by_chance < thresholds.CHANCE
    if not too_large and not surely_missing:
        return []
    single = counts.max() == len(classes)
    message = f"Class {counts.argmax()} is {largest:.0%} of the {len(classes)} labels (even: {1 / num_classes:.0%})"
    message += f", classes {missing} never occur." if missing else "."
    return [
        Finding(
            "CLASS_IMBALANCE",
            "error" if single else "warning",
            message,
            "Shuffle before taking a part of a sorted set; otherwise weigh the classes, and don't trust accuracy alone.",
            {"counts": counts.tolist(), "largest_share": largest, "missing": missing},
        )
    ]


def check_relation(
    images: np.ndarray, classes: np.ndarray, statistics: dict[str, Any]
) -> list[Finding]:
    """INPUT_IGNORED (constant images) and LABELS_UNRELATED: do the pixels say anything about the labels?

    A linear probe and the nearest neighbour are fitted on half the sample and scored on the other half.
    """
    pixels = images.reshape(len(images), -1)[:PROBE_EXAMPLES].astype(np.float64)
    classes = classes[:PROBE_EXAMPLES]
    spread = float(np.abs(pixels - pixels[0]).max())
    if spread == 0:
        return [
            Finding(
                "INPUT_IGNORED",
                "error",
                f"All {len(pixels)} images are the same: every pixel is constant over the sample.",
                "Look at what the input pipeline returns; an integer division of 0..255 by 255 gives this.",
                {"spread": spread},
            )
        ]
    if len(pixels) < thresholds.PROBE_MIN_EXAMPLES or len(np.unique(classes)) < 2:
        return []
    half = len(pixels) // 2
    pixels = (pixels - pixels[:half].mean(0)) / (pixels[:half].std() + 1e-12)
    train, test = pixels[:half], pixels[half:]
    accuracy = max(
        float(np.mean(_ridge(train, classes[:half], test) == classes[half:])),
        float(np.mean(_nearest(train, classes[:half], test) == classes[half:])),
    )
    chance = float(np.bincount(classes[half:]).max() / len(test))
    sigma = float(np.sqrt(chance * (1 - chance) / len(test)))
    statistics["data.probe_accuracy"] = accuracy
    statistics["data.probe_sigmas"] = (accuracy - chance) / max(sigma, 1e-12)
    if statistics["data.probe_sigmas"] >= thresholds.PROBE_SIGMAS:
        return []
    return [
        Finding(
            "LABELS_UNRELATED",
            "error",
            f"A linear probe and the nearest neighbour predict these labels from these images in {accuracy:.1%} of "
            f"{len(test)} examples; guessing the most frequent class gives {chance:.1%}.",
            "Check that images and labels were shuffled together, sorted together and read from the same split.",
            {"probe_accuracy": accuracy, "chance": chance, "examples": len(test)},
        )
    ]


def _ridge(train: np.ndarray, classes: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Least squares on one-hot targets, in its dual form because there are fewer examples than pixels."""
    targets = np.eye(int(classes.max()) + 1)[classes]
    mean = targets.mean(0)
    kernel = train @ train.T
    penalty = RIDGE * np.trace(kernel) / len(train)
    weights = np.linalg.solve(kernel + penalty * np.eye(len(train)), targets - mean)
    return np.argmax(test @ (train.T @ weights) + mean, axis=1)


def _nearest(train: np.ndarray, classes: np.ndarray, test: np.ndarray) -> np.ndarray:
    distance = (train**2).sum(1)[None, :] - 2 * test @ train.T
    return classes[np.argmin(distance, axis=1)]
