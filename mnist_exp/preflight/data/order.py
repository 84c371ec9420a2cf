"""Judge the order in which a dataset gives the classes."""

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup


def check_order(checkup: Checkup, classes: np.ndarray, batch_size: int) -> None:
    """Check for CLASS_IMBALANCE of batches: each holds hardly more than the class that is next.

    Batches that are made of one class on purpose, as of real and of made pictures in turn, change
    from one to the next; those of a sorted set do not.

    classes: [N], in the order in which the program gets them.
    """
    batches = len(classes) // batch_size
    if batches < thresholds.ORDER_BATCHES or batch_size < thresholds.ORDER_BATCH_SIZE:
        return
    values, numbers = np.unique(classes[: batches * batch_size], return_inverse=True)
    counts = np.zeros((batches, len(values)))
    np.add.at(counts, (np.repeat(np.arange(batches), batch_size), numbers.reshape(-1)), 1)
    shares = counts / batch_size
    overall = shares.mean(axis=0)
    variance = 1 - float((overall**2).sum())
    if variance <= 0:
        return
    apart = shares - overall
    squares = float((apart**2).sum())
    by_chance = (batches - 1) / (batches * batch_size - 1)
    between = (squares / batches / variance - by_chance) / (1 - by_chance)
    alike = float((apart[1:] * apart[:-1]).sum()) / max(squares, 1e-30)
    if between > thresholds.ORDERED and alike > thresholds.ORDER_ALIKE:
        largest = float(np.median(shares.max(axis=1)))
        checkup.find(
            "CLASS_IMBALANCE",
            f"The examples come in the order of the classes: of a typical batch of {batch_size}, "
            f"{largest:.0%} are one class, which is {overall.max():.0%} of all at most.",
            {"largest_share": largest, "between": between},
            case="order",
        )
