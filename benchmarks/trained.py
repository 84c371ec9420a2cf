"""A process of `benchmarks.speedrun`: one training.

    python -m benchmarks.trained ours SEED
    python -m benchmarks.trained ours_float32 SEED
    python -m benchmarks.trained pytorch_tuned SEED
    python -m benchmarks.trained pytorch_tuned_compiled SEED
    python -m benchmarks.trained pytorch SEED EPOCHS

It prints the test accuracy and the seconds of training so far after each epoch, as JSON.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import accumulate

import numpy as np

from benchmarks.rounds import answers
from mnist_exp import data
from mnist_exp.data import Split

Curve = list[tuple[float, float]]  # (test accuracy, seconds of training so far) after each epoch


def main() -> None:
    trainings: dict[str, Callable[..., Curve]] = {
        "ours": ours,
        "ours_float32": partial(ours, precision="float32"),
        "pytorch_tuned": pytorch_tuned,
        "pytorch_tuned_compiled": partial(pytorch_tuned, compiled=True),
        "pytorch": pytorch,
    }
    train = trainings[sys.argv[1]]
    with answers() as send, tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # the run and its store are written here
        send(train(*map(int, sys.argv[2:])))
        os.chdir("/")


def ours(seed: int, precision: str = "bfloat16") -> Curve:
    """Train as on the command line, with tracking. The seconds are those of the training steps."""
    import mnist_exp

    epochs = mnist_exp.run(["experiment=speedrun", f"precision={precision}", f"seed={seed}"]).epochs
    accuracies = [epoch.test.accuracy for epoch in epochs if epoch.test is not None]
    seconds = accumulate(epoch.seconds for epoch in epochs)
    return list(zip(accuracies, seconds, strict=True))


def pytorch_tuned(seed: int, *, compiled: bool = False) -> Curve:
    """Train the network of `experiment=speedrun` with its settings in PyTorch."""
    from benchmarks.competitors import pytorch_tuned
    from mnist_exp.config.tree import compose

    dataset = data.load()
    config = compose(["experiment=speedrun"]).config
    return list(pytorch_tuned.train(config, dataset.train, dataset.test, seed, compiled=compiled))


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
