"""This project, through its public `fit`, with evaluation splits of one image."""

import time
from collections.abc import Callable
from dataclasses import replace

from mnist_exp.config.schema import Config
from mnist_exp.data import Dataset, Split
from mnist_exp.training import loop as training
from mnist_exp.training.program import build_program


def prepare(config: Config, train: Split) -> Callable[[int], float]:
    """Measure all of `fit`, with the order of the epochs and the copy of the images."""
    program = build_program(config, len(train))
    data = Dataset(train, train.first(1), train.first(1), "benchmark")

    def run(steps: int) -> float:
        schedule = replace(config.schedule, epochs=None, max_steps=steps)
        started = time.perf_counter()
        for _ in training.fit(program, data, schedule):
            pass
        return (time.perf_counter() - started) / steps

    return run
