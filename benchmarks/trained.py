"""A process of `benchmarks.speedrun`: one training, its test accuracy and seconds so far after each epoch as JSON.

python -m benchmarks.trained (ours | pytorch) SEED EPOCHS
"""

import os
import sys
import tempfile
from itertools import accumulate

import numpy as np

from benchmarks.rounds import answers
from mnist_exp import data
from mnist_exp.data import Split


def main() -> None:
    name, seed, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with answers() as send, tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # where the run is tracked
        send(ours(seed) if name == "ours" else pytorch(seed, epochs))
        os.chdir("/")


def ours(seed: int) -> list[tuple[float, float]]:
    """A run as on the command line, tracked and all. Its seconds are those from the first step to the last."""
    import mnist_exp

    epochs = mnist_exp.run(["experiment=speedrun", f"seed={seed}"]).epochs
    seconds = accumulate(epoch.seconds for epoch in epochs)
    return [(epoch.test.accuracy, spent) for epoch, spent in zip(epochs, seconds, strict=True)]


def pytorch(seed: int, epochs: int) -> list[tuple[float, float]]:
    """PyTorch's example trains with all 60,000 images."""
    from benchmarks.competitors import pytorch_example

    dataset = data.load()
    parts = (dataset.val, dataset.train)
    train = Split(
        np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
    )
    return list(pytorch_example.train(train, dataset.test, seed, epochs))


if __name__ == "__main__":
    main()
