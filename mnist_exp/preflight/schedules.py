"""Read the learning rate over a whole run, of a number, a schedule or a function."""

import functools
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from mnist_exp.preflight.steps import core

READINGS = 60  # steps at which a schedule is read


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The learning rate over the steps of a run.

    optimizer: whose rate it is.
    steps: how many steps the run has.
    """

    optimizer: Any
    steps: int

    @functools.cached_property
    def readings(self) -> tuple[np.ndarray, np.ndarray]:
        """Return steps, close to each other at first, and the rates at them."""
        steps = np.unique(np.geomspace(1, max(self.steps, 1), READINGS).astype(int) - 1)
        return steps, np.array([rate_at(self.optimizer, int(step)) for step in steps])

    @property
    def first(self) -> float:
        """Return the rate of the first step."""
        return float(self.readings[1][0])

    @property
    def peak(self) -> float:
        """Return the largest rate of the run."""
        return float(self.readings[1].max())

    @property
    def constant(self) -> bool:
        """Return True if all steps have the same rate."""
        return bool(np.ptp(self.readings[1]) == 0)

    @property
    def full_steps(self) -> float:
        """Return how many steps at the peak would go as far as all of the run's steps together."""
        steps, rates = self.readings
        if self.peak <= 0:
            return float(self.steps)
        total = np.trapezoid(rates, steps) + rates[-1]
        return float(total) / self.peak

    @property
    def warmup(self) -> float:
        """Return how many times as large as the first rate the peak is; infinite above 0."""
        if self.peak == self.first:
            return 1.0
        return self.peak / self.first if self.first > 0 else float("inf")


def rate_at(optimizer: Any, step: int) -> float:
    """Return the learning rate of one step, counted from 0."""
    rate = core(optimizer)._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate = rate(step)
    elif callable(rate):
        rate = rate()
    return float(np.asarray(rate))
