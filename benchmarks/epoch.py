"""A process of `benchmarks.scale`: one epoch on repeated training images.

    python -m benchmarks.epoch CASE IMAGES TIMES

It prints the number of images, the seconds and the peak memory as JSON.
"""

import sys
from dataclasses import replace

import numpy as np

from benchmarks import cases
from benchmarks.rounds import answers, peak_mb
from mnist_exp import data
from mnist_exp.data import Dataset, Split


def main() -> None:
    case, images, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with answers() as send:
        from mnist_exp.training.loop import fit
        from mnist_exp.training.program import build_program

        config = cases.config(case)
        some = data.load(train_limit=images).train
        train = Split(np.tile(some.images, (times, 1, 1, 1)), np.tile(some.labels, times))
        schedule = replace(config.schedule, epochs=1, max_steps=None)
        program = build_program(replace(config, schedule=schedule), len(train))
        few = train.first(1)
        (result,) = fit(program, Dataset(train=train, val=few, test=few, source="benchmark"))
        send({"images": result.examples, "seconds": result.seconds, "peak_mb": peak_mb()})


if __name__ == "__main__":
    main()
