"""PyTorch with all images in one tensor, channels last: eager as in its tutorials, or compiled."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from mnist_exp.config.group_schemas import ConvNetConfig, MlpConfig
from mnist_exp.config.optimizer_schemas import AdamConfig
from mnist_exp.config.schema import Config
from mnist_exp.data import Split


def prepare(
    config: Config, train: Split, compiled: bool = False, bfloat16: bool = False
) -> Callable[[int], float]:
    """Measure PyTorch with its defaults.

    `compiled` compiles the model and uses the fused kernel of the optimizer.
    `bfloat16` computes model and loss under autocast, as PyTorch's recipes do.
    """
    size = config.schedule.batch_size
    images, labels = tensors(train)
    module = network(config)
    kind = torch.optim.Adam if isinstance(config.optimizer, AdamConfig) else torch.optim.SGD
    settings: dict[str, Any] = {"fused": True} if compiled else {}
    optimizer = kind(module.parameters(), lr=config.optimizer.learning_rate, **settings)
    model = torch.compile(module) if compiled else module
    loss_function = nn.CrossEntropyLoss(reduction=config.loss.reduction)

    def run(steps: int) -> float:
        started = time.perf_counter()
        order = torch.randperm(len(images))
        for step in range(steps):
            first = step * size % (len(images) - size + 1)
            batch = order[first : first + size]
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                loss = loss_function(model(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
        return (time.perf_counter() - started) / steps

    return run


def tensors(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all images as floats in [0, 1], channels last, and their labels."""
    pixels = torch.from_numpy(split.images.astype(np.float32) / 255).permute(0, 3, 1, 2)
    images = pixels.contiguous(memory_format=torch.channels_last)
    return images, torch.from_numpy(split.labels.astype(np.int64))


def network(config: Config) -> nn.Module:
    """Return the config's model, channels last."""
    return nn.Sequential(*_layers(config)).to(memory_format=torch.channels_last)


def _layers(config: Config) -> list[nn.Module]:
    match config.model:
        case ConvNetConfig() as convnet:
            stack: list[nn.Module] = []
            channels, side = 1, 28
            for filters in convnet.filters:
                stack += [
                    nn.Conv2d(
                        channels,
                        filters,
                        convnet.kernel_size,
                        padding="same",
                        bias=convnet.conv_bias,
                    ),
                    nn.ReLU(),
                    nn.MaxPool2d(2, ceil_mode=True),
                ]
                channels, side = filters, -(-side // 2)
            stack.append(nn.Flatten())
            width = channels * side * side
            if convnet.dense_units is not None:
                stack += [nn.Linear(width, convnet.dense_units), nn.ReLU()]
                width = convnet.dense_units
            if convnet.dropout:
                stack.append(nn.Dropout(convnet.dropout))
        case MlpConfig() as mlp:
            stack, width = [nn.Flatten()], 784
            for units in mlp.hidden_units:
                stack += [nn.Linear(width, units), nn.ReLU()]
                width = units
        case _:
            stack, width = [nn.Flatten()], 784
    return [*stack, nn.Linear(width, 10)]
