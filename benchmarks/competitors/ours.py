"""This project, through its public `fit`, with evaluation splits of one image."""

import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.competitors import keras_fit
from mnist_exp.config.group_schemas import OwnModelConfig
from mnist_exp.config.schema import Config
from mnist_exp.data import Dataset, Split
from mnist_exp.own_code.code import Own
from mnist_exp.training.loop import fit
from mnist_exp.training.program import Program, build_program


def prepare(
    config: Config, train: Split, own: bool = False, bfloat16: bool = False
) -> Callable[[int], float]:
    """Measure all of `fit`, with the order of the epochs and the copy of the images.

    `own` takes the model that the competitor `keras` trains, as a model of a user's own.
    """
    config = replace(config, precision="bfloat16" if bfloat16 else "float32")
    if own:
        model = keras_fit.model(config)
        named = replace(config, model=OwnModelConfig(build="benchmarks:model"))
        program = build_program(named, len(train), own=Own(model=model))
    else:
        program = build_program(config, len(train))
    data = Dataset(train=train, val=train.first(1), test=train.first(1), source="benchmark")

    def of_length(steps: int) -> Program:
        """Return the program for so many steps, with its graphs: they know the batch size only."""
        schedule = replace(config.schedule, epochs=None, max_steps=steps)
        other = replace(program, schedule=schedule)
        for name in ("train_steps", "train_remainder", "outputs"):
            other.__dict__[name] = getattr(program, name)  # as cached_property stores it
        return other

    def run(steps: int) -> float:
        timed = of_length(steps)
        started = time.perf_counter()
        for _ in fit(timed, data):
            pass
        return (time.perf_counter() - started) / steps

    return run
