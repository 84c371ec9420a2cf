"""Judge the labels by themselves, before any model."""

import numpy as np

from mnist_exp.preflight.checkup import Checkup


def check_labels(
    checkup: Checkup, labels: np.ndarray, classes: np.ndarray, num_classes: int
) -> None:
    """Check for LABELS_OUT_OF_RANGE.

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
