"""This project, through its public `fit`, evaluation sets reduced to one image."""

import time
from collections.abc import Callable
from dataclasses import replace

from mnist_exp.config.schema import Config
from mnist_exp.data import Dataset, Split
from mnist_exp.training import loop as training
from mnist_exp.training.program import build_program


def prepare(config: Config, train: Split) -> Callable[[int], float]:
    """The time is that of all of `fit`: the order of the epochs and the copy of the images are in it."""
    program = build_program(config, len(train))
    data = Dataset(train, train.first(1), train.first(1), "benchmark")

    def run(steps: int) -> float:
        schedule = replace(config.schedule, epochs=None, max_steps=steps)
        started = time.perf_counter()
        for _ in training.fit(program, data, schedule):
            pass
        return (time.perf_counter() - started) / steps

    return run
