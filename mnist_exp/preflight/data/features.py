"""Judge the values of the inputs by themselves."""

from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.views import is_tokens
from mnist_exp.preflight.program.batches import Inputs

_SHOWN = 5  # features in a message


def check_non_finite(checkup: Checkup, inputs: Inputs, labels: Any, *, gaps: bool = False) -> None:
    """Check for INPUT_NON_FINITE, in the inputs [N, ...] and in the labels [N, ...] of each output.

    They are all examples that were given: the other checks look at the finite ones.
    gaps: True if the loss leaves out labels that are NaN.
    """
    for case, arrays in (("", inputs.arrays), ("labels", _flat(labels))):
        numbers = [np.asarray(a) for a in arrays if np.asarray(a).dtype.kind == "f"]
        nan_is_wrong = not (case and gaps)
        wrong = [np.isinf(array) | (np.isnan(array) & nan_is_wrong) for array in numbers]
        tables = [array.reshape(len(array), -1) for array in wrong]
        if not any(table.any() for table in tables):
            continue
        rows = int(np.any([table.any(axis=1) for table in tables], axis=0).sum())
        columns = [np.flatnonzero(table.any(axis=0)) for table in tables]
        shown = ", ".join(str(n) for table in columns for n in table[:_SHOWN])
        one = sum(len(table) for table in columns) == 1
        feature = (
            f"Feature {shown} of the inputs has" if one else f"Features {shown} of the inputs have"
        )
        what = feature if case == "" else "The labels have"
        checkup.find(
            "INPUT_NON_FINITE",
            f"{what} NaN or infinite values, in {rows} of {len(inputs)} examples.",
            {"examples": rows, "features": [table.tolist() for table in columns]},
            case="labels" if case else "",
        )


def check_constant(checkup: Checkup, inputs: Inputs) -> None:
    """Check for INPUT_IGNORED, where all examples are the same, and for INPUT_CONSTANT."""
    arrays = [array for array in inputs.arrays if array.dtype.kind in "fbiu" and array.size]
    spreads = [array.max(axis=0) != array.min(axis=0) for array in arrays]
    text = len(arrays) < len(inputs.arrays)
    if not text and not any(spread.any() for spread in spreads):
        checkup.find(
            "INPUT_IGNORED",
            f"All {len(inputs)} examples are the same: every feature is constant over the sample.",
            {"spread": 0.0},
            case="images",
        )
        return
    for number, (array, varies) in enumerate(zip(arrays, spreads, strict=True)):
        share, what = _constant(array, varies)
        if share > 0:
            checkup.find(
                "INPUT_CONSTANT",
                f"{share:.0%} of the {what} of input {number} never vary, over {len(array)} "
                "examples.",
                {"input": number, "share": share},
                case="features",
            )
        same = _share_of_one_value(array)
        checkup.measure_largest("input.same_share", same)
        if same > thresholds.SAME_SHARE:
            checkup.find(
                "INPUT_CONSTANT",
                f"{same:.1%} of all values of input {number} are the same one.",
                {"input": number, "share": same},
                case="values",
            )


def _constant(array: np.ndarray, varies: np.ndarray) -> tuple[float, str]:
    """Return the share of what never varies and its name, 0 where that is no matter."""
    if not varies.any():
        return 1.0, "features"
    if array.ndim == 4 and array.shape[3] in (3, 4):
        return float(1 - varies.any(axis=(0, 1)).mean()), "channels"
    share = float(1 - varies.mean())
    many = array.ndim == 2 and not is_tokens(array) and share > thresholds.CONSTANT_SHARE
    return (share if many else 0.0), "features"


def _share_of_one_value(array: np.ndarray) -> float:
    """Return how large a share of pictures or tokens is their most frequent value, else 0."""
    if array.ndim != 4 and not is_tokens(array):
        return 0.0
    _, counts = np.unique(array[:500], return_counts=True)
    return float(counts.max() / counts.sum())


def _flat(labels: Any) -> list[np.ndarray]:
    """Return the labels of every output, none for a program without labels."""
    return [] if labels is None else list(tf.nest.flatten(labels))
