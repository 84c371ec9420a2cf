"""A process of `benchmarks.speedrun`: one training.

    python -m benchmarks.trained ours SEED
    python -m benchmarks.trained pytorch SEED EPOCHS

It prints the test accuracy and the seconds of training so far after each epoch, as JSON.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from itertools import accumulate

import numpy as np

from benchmarks.rounds import answers
from mnist_exp import data
from mnist_exp.data import Split

Curve = list[tuple[float, float]]  # (test accuracy, seconds of training so far) after each epoch


def main() -> None:
    trainings: dict[str, Callable[..., Curve]] = {"ours": ours, "pytorch": pytorch}
    train = trainings[sys.argv[1]]
    with answers() as send, tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # the run and its store are written here
        send(train(*map(int, sys.argv[2:])))
        os.chdir("/")


def ours(seed: int) -> Curve:
    """Train as on the command line, with tracking. The seconds are those of the training steps."""
    import mnist_exp

    epochs = mnist_exp.run(["experiment=speedrun", f"seed={seed}"]).epochs
    accuracies = [epoch.test.accuracy for epoch in epochs if epoch.test is not None]
    seconds = accumulate(epoch.seconds for epoch in epochs)
    return list(zip(accuracies, seconds, strict=True))


def pytorch(seed: int, epochs: int) -> Curve:
    """Train PyTorch's example, which uses all 60,000 images."""
    from benchmarks.competitors import pytorch_example

    dataset = data.load()
    parts = (dataset.val, dataset.train)
    train = Split(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
    return list(pytorch_example.train(train, dataset.test, seed, epochs))


if __name__ == "__main__":
    main()
