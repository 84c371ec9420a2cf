"""What a run predicts for its test images, as the artifact `predictions/test.npz`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data.classes import MOST_CLASSES
from mnist_exp.outside.foreign_files import read_npz
from mnist_exp.sweeper.foreign_text import printable

ARTIFACT = "predictions/test.npz"
MOST_BYTES = 2**29  # of the arrays: 250,000 images of 1,000 classes
_MOST_WHOLE = 100  # classes whose probabilities are float32; of more, they are rounded and packed
_KINDS = {"label": ("iu", 1), "prediction": ("iu", 1), "probability": ("f", 2)}


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a run predicts for its test images."""

    label: NDArray[np.integer]
    """[N]"""
    prediction: NDArray[np.integer]
    """[N]"""
    probability: NDArray[np.floating]
    """[N, K]"""
    class_names: tuple[str, ...] | None
    """The names of the K classes; None for an earlier run, which did not record them."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the K classes, or their numbers."""
        return self.class_names or tuple(map(str, range(self.probability.shape[1])))

    def is_of_same_images(self, other: "Predictions") -> bool:
        """Return whether the images have the same labels, which stand for the same classes."""
        names = {self.class_names, other.class_names} - {None}
        same_classes = self.probability.shape[1] == other.probability.shape[1] and len(names) < 2
        return same_classes and np.array_equal(self.label, other.label)


def save(
    file: Path,
    labels: NDArray[np.integer],
    probabilities: NDArray[np.float32],
    class_names: Sequence[str],
) -> None:
    """Write labels [N], predictions [N], probabilities [N, K] and the K names into an .npz file.

    The probabilities of very many classes, most of which are close to 0, are float16: those of
    10,000 images and 1,000 classes are 20 MB and not 40, and less when they are packed.
    """
    is_wide = len(class_names) > _MOST_WHOLE
    write = np.savez_compressed if is_wide else np.savez
    write(
        file,
        label=labels,
        prediction=probabilities.argmax(axis=1),
        probability=probabilities.astype(np.float16) if is_wide else probabilities,
        class_names=np.array(class_names, dtype=np.str_),
    )


def read(content: bytes) -> Predictions | None:
    """Return the predictions that a run recorded, or None if they are none of this form."""
    try:
        arrays = read_npz(content, _KINDS, MOST_BYTES)
    except ValueError:
        return None
    label, prediction, probability = (arrays[name] for name in _KINDS)
    classes = probability.shape[1]
    if not (label.shape == prediction.shape == probability.shape[:1] and classes > 1):
        return None
    if classes > MOST_CLASSES or not np.isfinite(probability).all():
        return None
    if not all(((values >= 0) & (values < classes)).all() for values in (label, prediction)):
        return None
    return Predictions(
        label=label,
        prediction=prediction,
        probability=probability,
        class_names=_class_names(content, classes),
    )


def _class_names(content: bytes, classes: int) -> tuple[str, ...] | None:
    """Return the names, printable; None if there are none, or not one for each class."""
    try:
        recorded = read_npz(content, {"class_names": ("U", 1)}, MOST_BYTES)["class_names"]
        names = tuple(printable(str(name)) for name in recorded)
    except (ValueError, SystemError):  # numpy has both for what is no letter
        return None
    return names if len(names) == classes else None
