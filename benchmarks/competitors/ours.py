"""This project, through its public `fit`, with evaluation splits of one image."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from mnist_exp.config.schema import Config
from mnist_exp.data import Dataset, Split
from mnist_exp.training.loop import fit
from mnist_exp.training.program import Program, build_program


def prepare(config: Config, train: Split) -> Callable[[int], float]:
    """Measure all of `fit`, with the order of the epochs and the copy of the images."""
    program = build_program(config, len(train))
    data = Dataset(train=train, val=train.first(1), test=train.first(1), source="benchmark")

    @cache
    def compiled(steps: int) -> Program:
        """The same program, for runs of this length."""
        schedule = replace(config.schedule, epochs=None, max_steps=steps)
        of_length = replace(program, schedule=schedule)
        of_length.train_steps.get_concrete_function()
        return of_length

    def run(steps: int) -> float:
        of_length = compiled(steps)
        started = time.perf_counter()
        for _ in fit(of_length, data):
            pass
        return (time.perf_counter() - started) / steps

    return run
