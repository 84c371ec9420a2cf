"""The learning rate over the steps of a run."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule

from mnist_exp.config.group_schemas import (
    CosineScheduleConfig,
    OneCycleScheduleConfig,
    ScheduleConfig,
)


def learning_rate(
    rate: float, schedule: ScheduleConfig, total_steps: int
) -> float | LearningRateSchedule:
    """Return the rate, or how it changes over a run of `total_steps` steps."""
    match schedule:
        case CosineScheduleConfig():
            return Annealed(rate, 0, total_steps, rate, schedule.final_fraction * rate)
        case OneCycleScheduleConfig():
            return Annealed(
                rate,
                round(schedule.warmup_fraction * total_steps),
                total_steps,
                schedule.initial_fraction * rate,
                schedule.final_fraction * rate,
            )
        case _:
            return rate


@keras.saving.register_keras_serializable("mnist_exp")
class Annealed(LearningRateSchedule):
    """A rate that rises and falls, both along half a cosine.

    It rises from `initial` to `peak` over `warmup_steps`, and then falls to `final` at the last of
    `total_steps` steps. Steps count from 0.
    """

    def __init__(
        self, peak: float, warmup_steps: int, total_steps: int, initial: float, final: float
    ) -> None:
        self.peak, self.initial, self.final = peak, initial, final
        self.warmup_steps, self.total_steps = warmup_steps, total_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Return the rate at a step."""
        step = tf.cast(step, tf.float32)
        rising = _half_cosine(self.initial, self.peak, step / max(self.warmup_steps, 1))
        last = self.total_steps - 1
        falling = _half_cosine(
            self.peak, self.final, (step - self.warmup_steps) / max(last - self.warmup_steps, 1)
        )
        return tf.where(step < self.warmup_steps, rising, falling)

    def get_config(self) -> dict[str, Any]:
        """Return what the object is made from, for Keras to save."""
        return {
            name: getattr(self, name)
            for name in ("peak", "warmup_steps", "total_steps", "initial", "final")
        }


def _half_cosine(start: float, end: float, fraction: tf.Tensor) -> tf.Tensor:
    return end + (start - end) * (1 + tf.cos(math.pi * tf.clip_by_value(fraction, 0.0, 1.0))) / 2
