"""The numbers of the notebook's wrong loss that results.md tells, and results.csv keeps."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PREFIX = "bug: "  # of these quantities in results.csv
_ENDINGS = ("literal", "stable")  # those whose numbers are kept


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The trained model, with one of the losses."""

    steps: int
    test_loss: float  # mean per test image
    largest_weight: float  # largest absolute value of weights and biases
    tied: tuple[int, ...]  # classes that share the largest logit exactly, on every test image
    predicted: tuple[int, ...]  # classes given to test images; argmax takes the first of ties
    right: int  # test images
    course: NDArray[np.float64]  # [points, 3] of training: step, cost and accuracy


@dataclass(frozen=True, kw_only=True)
class Bug:
    """The notebook's wrong loss before and after training.

    Losses are means per training image; gradients are those of the sum over all training images.
    The curves are the losses of one image when one logit moves and the others stay 0; the cross
    entropy is that of an image of the class whose logit moves.
    """

    images: int  # training images
    test_images: int
    zeros: int  # test images that show a 0
    loss_at_start: float
    probabilities_at_start: tuple[float, ...]  # the different values that occur
    gradient_at_start: float  # largest absolute entry, of weights and biases
    meant_gradient_at_start: float  # the same of the loss that was meant
    literal: Ending  # with the log of softmax, as the notebook and the preset have it
    stable: Ending  # with log-softmax: the same loss, rounded in another way
    meant: Ending | None  # with the loss that was meant; results.csv does not keep it
    logit: NDArray[np.float64]  # [points]
    entropy: NDArray[np.float32]  # [points]
    cross_entropy: NDArray[np.float32]  # [points]

    @property
    def has_curves(self) -> bool:
        """Whether it was measured here, and can be drawn; results.csv keeps numbers alone."""
        return self.meant is not None


def numbers(bug: Bug) -> Iterator[tuple[str, float]]:
    """Yield (name, number); what has several numbers gives several."""
    named = list(vars(bug).items())
    for form in _ENDINGS:
        named += [(f"{form} {name}", value) for name, value in vars(getattr(bug, form)).items()]
    for name, value in named:
        if isinstance(value, int | float | tuple):
            yield from (
                (name, number) for number in (value if isinstance(value, tuple) else (value,))
            )


def from_numbers(lines: pd.DataFrame) -> Bug | None:
    """Return what `numbers` gave, from its lines (`quantity`, `value`); None if one is missing."""
    found = {
        str(quantity).removeprefix(PREFIX): [float(value) for value in values]
        for quantity, values in lines.groupby("quantity")["value"]
    }

    def ending(form: str) -> Ending:
        tied, predicted = (
            tuple(int(number) for number in found.get(f"{form} {name}", []))
            for name in ("tied", "predicted")
        )
        return Ending(
            steps=int(found[f"{form} steps"][0]),
            test_loss=found[f"{form} test_loss"][0],
            largest_weight=found[f"{form} largest_weight"][0],
            tied=tied,
            predicted=predicted,
            right=int(found[f"{form} right"][0]),
            course=np.empty((0, 3)),
        )

    no_curve = np.empty(0)
    try:
        return Bug(
            images=int(found["images"][0]),
            test_images=int(found["test_images"][0]),
            zeros=int(found["zeros"][0]),
            loss_at_start=found["loss_at_start"][0],
            probabilities_at_start=tuple(found["probabilities_at_start"]),
            gradient_at_start=found["gradient_at_start"][0],
            meant_gradient_at_start=found["meant_gradient_at_start"][0],
            literal=ending("literal"),
            stable=ending("stable"),
            meant=None,
            logit=no_curve,
            entropy=no_curve.astype(np.float32),
            cross_entropy=no_curve.astype(np.float32),
        )
    except KeyError:
        return None
