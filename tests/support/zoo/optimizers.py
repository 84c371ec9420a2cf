"""Optimizers, right and wrong ones."""

from collections.abc import Callable
from typing import Any

import keras

ALL: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "sgd": lambda: keras.optimizers.SGD(0.01),
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(1e-3, epsilon=1e-8),
    "adamw": lambda: keras.optimizers.AdamW(),
    "rmsprop": lambda: keras.optimizers.RMSprop(),
    "adagrad": lambda: keras.optimizers.Adagrad(),
}


def adam(rate: Any = 1e-3) -> keras.optimizers.Optimizer:
    """Return Adam with a learning rate or a schedule."""
    return keras.optimizers.Adam(rate)


def sgd(rate: float = 0.1) -> keras.optimizers.Optimizer:
    """Return plain gradient descent."""
    return keras.optimizers.SGD(rate)


def warm_up() -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a schedule that begins with almost nothing and rises to 5e-3."""
    return keras.optimizers.schedules.CosineDecay(1e-6, 1000, warmup_target=5e-3, warmup_steps=100)


class ForgetfulSGD(keras.optimizers.SGD):
    """Gradient descent that leaves the first variable as it is."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update all variables but the first."""
        if self._get_variable_index(variable) > 0:
            super().update_step(gradient, variable, learning_rate)


class AscendingSGD(keras.optimizers.SGD):
    """Gradient descent that adds the gradient."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Go up the loss."""
        super().update_step(-gradient, variable, learning_rate)
