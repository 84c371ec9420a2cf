"""Keras' own `fit` on arrays in memory, with the model as Keras' documentation would write it."""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from mnist_exp.config.group_schemas import ConvNetConfig, MlpConfig
from mnist_exp.config.optimizer_schemas import AdamConfig
from mnist_exp.config.schema import Config
from mnist_exp.data import Split


class _Clock(keras.callbacks.Callback):
    """Add up the seconds of the epochs of one fit, without what fit does before the first."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds += time.perf_counter() - self._started


def prepare(
    config: Config, train: Split, steps_per_execution: int = 1, bfloat16: bool = False
) -> Callable[[int], float]:
    """Measure `fit`; `bfloat16` sets Keras' own policy for it, for all layers."""
    if bfloat16:
        keras.config.set_dtype_policy("mixed_bfloat16")
    images, labels = train.images.astype(np.float32) / 255, train.labels
    size = config.schedule.batch_size
    network = model(config)
    rate = config.optimizer.learning_rate
    adam = isinstance(config.optimizer, AdamConfig)
    reduction = {"mean": "sum_over_batch_size", "sum": "sum"}[config.loss.reduction]
    network.compile(
        keras.optimizers.Adam(rate) if adam else keras.optimizers.SGD(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction),
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )

    def run(steps: int) -> float:
        """Run at most an epoch of steps, rounded to whole executions."""
        steps = min(max(steps // steps_per_execution, 1) * steps_per_execution, len(images) // size)
        clock = _Clock()
        network.fit(
            images[: steps * size], labels[: steps * size], size, verbose=0, callbacks=[clock]
        )
        return clock.seconds / steps

    return run


def model(config: Config) -> keras.Model:
    """Return the model of the config, as Keras' documentation would write it."""
    return keras.Sequential([keras.Input((28, 28, 1)), *_layers(config)])


def _layers(config: Config) -> list[layers.Layer]:
    match config.model:
        case ConvNetConfig() as convnet:
            stack: list[layers.Layer] = []
            for filters in convnet.filters:
                stack += [
                    layers.Conv2D(
                        filters,
                        convnet.kernel_size,
                        padding="same",
                        activation="relu",
                        use_bias=convnet.conv_bias,
                    ),
                    layers.MaxPooling2D(2, padding="same"),
                ]
            stack.append(layers.Flatten())
            if convnet.dense_units is not None:
                stack.append(layers.Dense(convnet.dense_units, activation="relu"))
            if convnet.dropout:
                stack.append(layers.Dropout(convnet.dropout))
        case MlpConfig() as mlp:
            stack = [
                layers.Flatten(),
                *(layers.Dense(units, activation="relu") for units in mlp.hidden_units),
            ]
        case _:
            stack = [layers.Flatten()]
    return [*stack, layers.Dense(10)]
