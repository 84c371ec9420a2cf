"""Take steps of an optimizer, which is traced once for all learning rates."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class CannotCopy(Exception):
    """An optimizer of one's own whose config does not have all its settings."""


def core(optimizer: Any) -> Any:
    """Return the optimizer that a loss-scaling one wraps, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def copy_optimizer(
    optimizer: Any, scale: Any = 1.0, rate: Any = None, **changes: Any
) -> keras.optimizers.Optimizer:
    """Return a fresh copy of an optimizer, its learning rate (or another) times `scale`.

    Loss scaling and gradient accumulation are left out: they do not change what a step on one batch
    does. changes: other values for its hyperparameters. Raises CannotCopy where its config has not
    all that its `__init__` takes.
    """
    optimizer = core(optimizer)
    rate = optimizer._learning_rate if rate is None else rate
    # Only hyperparameters go through the config: a schedule need not be serialisable, so the copy
    # gets it as it is.
    bare = object.__new__(type(optimizer))
    bare.__dict__.update(optimizer.__dict__)
    bare.__dict__["_learning_rate"] = None
    config = bare.get_config()
    once = {"loss_scale_factor": None, "gradient_accumulation_steps": None}
    config |= {name: value for name, value in once.items() if name in config}
    if not callable(rate):
        rate = float(np.asarray(rate))
    config |= changes | {"learning_rate": _ScaledRate(rate, scale)}
    try:
        copy = type(optimizer).from_config(config)
    except Exception as error:
        raise CannotCopy from error
    alike = _settings(optimizer, config) == _settings(copy, config)
    if _has_config_of_parent(type(optimizer)) and not alike:
        raise CannotCopy
    return copy


def _has_config_of_parent(kind: type) -> bool:
    """Return True for a class that has an `__init__`, and leaves `get_config` to its parent."""
    first = next(one for one in kind.__mro__ if {"__init__", "get_config"} & vars(one).keys())
    return "get_config" not in vars(first)


def _settings(optimizer: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers and texts that an optimizer has beside those of its config."""
    return {
        name: value
        for name, value in vars(optimizer).items()
        if isinstance(value, int | float | str) and name not in config and name != "built"
    }


class _ScaledRate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate, of a number, a schedule or a function, times a factor."""

    def __init__(self, inner: Any, scale: Any):
        self.inner, self.scale = inner, scale

    def __call__(self, step: Any) -> Any:
        if isinstance(self.inner, keras.optimizers.schedules.LearningRateSchedule):
            return self.inner(step) * self.scale
        return (self.inner() if callable(self.inner) else self.inner) * self.scale


class OwnSteps:
    """Steps of a copy of a program's optimizer.

    optimized: the variables as the model lists them: an optimizer may tell Keras' apart by their
        path.
    trained: the same as TensorFlow's. changes: other values for hyperparameters.
    """

    def __init__(
        self, optimizer: Any, optimized: Sequence[Any], trained: Sequence[Any], **changes: Any
    ):
        self._scale = tf.Variable(1.0, trainable=False)
        copy = copy_optimizer(optimizer, self._scale, **changes)
        copy.build(optimized)

        def apply(values: list[tf.Tensor]) -> None:
            copy.apply(values, optimized)

        # Traced here, because TensorFlow warns of retracing when one process checks several
        # programs.
        self._apply = tf.function(apply, autograph=False).get_concrete_function(_specs(trained))
        self._state = [(variable, variable.numpy()) for variable in copy.variables]

    def start(self, scale: float = 1.0) -> Callable[[list[tf.Tensor]], None]:
        """Forget all steps; return a step from gradients, with the learning rate times `scale`."""
        for variable, value in self._state:
            variable.assign(value)
        self._scale.assign(scale)
        return self._apply  # type: ignore[no-any-return]


class AdamSteps:
    """Steps of Adam, to tell a program that cannot learn from one that learns slowly."""

    def __init__(self, trained: Sequence[Any]):
        self._moments = [(_zeros(v), _zeros(v)) for v in trained]

        def apply(values: list[tf.Tensor], rate: Any, first_decay: Any, second_decay: Any) -> None:
            for variable, (first, second), value in zip(
                trained, self._moments, values, strict=True
            ):
                rates = (tf.cast(r, variable.dtype) for r in (first_decay, second_decay, rate))
                beta1_power, beta2_power, lr = rates
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle,
                    m=first.handle,
                    v=second.handle,
                    beta1_power=beta1_power,
                    beta2_power=beta2_power,
                    lr=lr,
                    beta1=0.9,
                    beta2=0.999,
                    epsilon=1e-8,
                    grad=tf.cast(value, variable.dtype),
                )

        scalar = tf.TensorSpec([], tf.float32)
        self._apply = tf.function(apply, autograph=False).get_concrete_function(
            _specs(trained), scalar, scalar, scalar
        )

    def start(self, rate: float) -> Callable[[list[tf.Tensor]], None]:
        """Forget all steps; return a step from gradients, with this learning rate."""
        for moment in (moment for pair in self._moments for moment in pair):
            moment.assign(tf.zeros_like(moment))
        powers = [1.0, 1.0]

        def step(values: list[tf.Tensor]) -> None:
            powers[:] = powers[0] * 0.9, powers[1] * 0.999
            self._apply(values, tf.constant(rate), tf.constant(powers[0]), tf.constant(powers[1]))

        return step


class Steps:
    """What takes steps of a program; nothing is traced before it is asked for.

    The arguments are those of `OwnSteps`.
    """

    def __init__(self, optimizer: Any, optimized: Sequence[Any], trained: Sequence[Any]):
        self._parts = optimizer, optimized, trained

    @functools.cached_property
    def own(self) -> OwnSteps:
        """Return steps of a copy of the optimizer."""
        return self.changed()

    @functools.cached_property
    def held(self) -> OwnSteps:
        """Return steps of a copy whose learning rate is 1, without a schedule."""
        return self.changed(rate=1.0)

    def changed(self, **changes: Any) -> OwnSteps:
        """Return steps of a copy with other hyperparameters."""
        return OwnSteps(*self._parts, **changes)

    @functools.cached_property
    def adam(self) -> AdamSteps:
        """Return steps of Adam."""
        return AdamSteps(self._parts[2])


def _zeros(variable: Any) -> tf.Variable:
    return tf.Variable(tf.zeros_like(variable), trainable=False)


def _specs(variables: Sequence[Any]) -> list[tf.TensorSpec]:
    return [tf.TensorSpec(variable.shape, variable.dtype) for variable in variables]
