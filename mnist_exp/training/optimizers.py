"""Keras optimizers from their configs, each update one kernel of TensorFlow where there is one."""

import keras

from mnist_exp.config.group_schemas import ScheduleConfig
from mnist_exp.config.optimizer_schemas import (
    AdagradConfig,
    AdamConfig,
    AdamwConfig,
    KerasOptimizerConfig,
    MomentumConfig,
    OptimizerConfig,
    RmspropConfig,
    SgdConfig,
)
from mnist_exp.training import keras_optimizers
from mnist_exp.training.fused_optimizers import FusedAdam, FusedRmsprop, FusedSgd
from mnist_exp.training.schedules import learning_rate


def build(
    config: OptimizerConfig, schedule: ScheduleConfig, total_steps: int
) -> keras.optimizers.Optimizer:
    """Return the optimizer of a run of `total_steps` steps, over which its rate changes.

    Raises ConfigError for an optimizer of Keras that cannot be used.
    """
    rate = learning_rate(config.learning_rate, schedule, total_steps)
    match config:
        case SgdConfig():
            return FusedSgd(rate)
        case MomentumConfig():
            return FusedSgd(rate, momentum=config.momentum, nesterov=config.nesterov)
        case AdamConfig():  # AdamwConfig too
            decay = config.weight_decay if isinstance(config, AdamwConfig) else None
            return FusedAdam(rate, config.beta_1, config.beta_2, config.epsilon, weight_decay=decay)
        case RmspropConfig():
            return FusedRmsprop(rate, config.rho, config.momentum, config.epsilon)
        case AdagradConfig():
            # TensorFlow's fused kernel adds epsilon outside of the root, Keras inside.
            return keras.optimizers.Adagrad(
                rate, initial_accumulator_value=config.initial_accumulator, epsilon=config.epsilon
            )
        case KerasOptimizerConfig():
            return keras_optimizers.build(config, rate)
        case _:
            raise TypeError(f"no optimizer for {type(config).__name__}")
