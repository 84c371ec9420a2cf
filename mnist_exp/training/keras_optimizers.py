"""The optimizers of Keras by name, with options of their own."""

from typing import Any

import keras
from keras.optimizers.schedules import LearningRateSchedule

from mnist_exp.config.optimizer_schemas import KerasOptimizerConfig
from mnist_exp.errors import ConfigError
from mnist_exp.training.fused_optimizers import FusedAdam, FusedRmsprop, FusedSgd
from mnist_exp.training.keras_options import check_options, made, unknown_name

_NOT_HERE = {
    "LossScaleOptimizer": "scales the loss for float16, and all is computed in float32 here",
    "MultiOptimizer": "is made from other optimizers, which settings cannot name",
    "Optimizer": "is the class that Keras' optimizers are made from",
}
_TAKEN = {
    "learning_rate": "it is the setting optimizer.learning_rate",
    "name": "the name of an optimizer has no effect here; optimizer.name chooses the class",
    "loss_scale_factor": "it is for float16, and all is computed in float32 here",
}
# The classes whose updates are one kernel, with the options that their kernel cannot follow.
_FUSED: dict[str, tuple[type, dict[str, Any], tuple[str, ...]]] = {
    "Adam": (FusedAdam, {}, ("amsgrad", "gradient_accumulation_steps")),
    "AdamW": (FusedAdam, {"weight_decay": 0.004}, ("amsgrad", "gradient_accumulation_steps")),
    "RMSprop": (FusedRmsprop, {}, ("centered",)),
    "SGD": (FusedSgd, {}, ()),
}


def build(
    config: KerasOptimizerConfig, rate: float | LearningRateSchedule
) -> keras.optimizers.Optimizer:
    """Return the optimizer. Raises ConfigError for a name or options that make none."""
    name, options = config.name, config.options
    if name in _NOT_HERE:
        raise ConfigError(f"optimizer.name={name}: it {_NOT_HERE[name]}")
    if name not in names():
        raise unknown_name("optimizer.name", name, names())
    kind = getattr(keras.optimizers, name)
    check_options(kind, "optimizer", options, _TAKEN)
    _check_average(options)
    if name in _FUSED and not any(options.get(option) for option in _FUSED[name][2]):
        kind, options = _FUSED[name][0], _FUSED[name][1] | options
    optimizer: keras.optimizers.Optimizer
    optimizer = made(kind, name, "optimizer", {**options, "learning_rate": rate})
    return optimizer


def names() -> list[str]:
    """Return the names of the optimizers of this version of Keras that can be used."""
    found = {
        name: kind
        for name, kind in vars(keras.optimizers).items()
        if isinstance(kind, type) and issubclass(kind, keras.optimizers.Optimizer)
    }
    return sorted(set(found) - set(_NOT_HERE))


def _check_average(options: dict[str, Any]) -> None:
    """Raise ConfigError for an average of the weights that would be used after the run alone."""
    if options.get("use_ema") and not options.get("ema_overwrite_frequency"):
        raise ConfigError(
            "optimizer.options.use_ema: the average would replace the weights after the last "
            "step, and the scores of the epochs would be those of other weights\n"
            "+optimizer.options.ema_overwrite_frequency=N replaces them after every N steps"
        )
