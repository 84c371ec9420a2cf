"""The memory that training a model needs.

That of this project's models is known before TensorFlow loads, that of a user's own once it is
built.
"""

import math
from collections.abc import Iterable
from itertools import pairwise

from mnist_exp.config.group_schemas import (
    ConvNetConfig,
    MlpConfig,
    ModelConfig,
    OwnModelConfig,
    SoftmaxConfig,
)
from mnist_exp.config.schema import Config
from mnist_exp.data import MNIST, Form
from mnist_exp.training.results import LayerRow

_BYTES = 4  # of a float32


def memory_needed(config: Config, num_train: int, form: Form = MNIST) -> int:
    """Return the bytes that training needs at the least.

    Counted are the weights with their gradient and Adam's two slots, and the activations and their
    gradients for one batch. The readout and all biases are left out.
    """
    batch = min(config.schedule.batch_size, num_train)
    return sum(
        _BYTES * (4 * weights + 2 * batch * outputs)
        for weights, outputs in layer_sizes(config.model, form)
    )


def memory_of(layers: Iterable[LayerRow], batch_size: int) -> int:
    """Return the bytes that training these layers needs at the least.

    Counted are the weights with their gradient, and the outputs and their gradients for one batch
    of the layers that have weights and outputs of a known shape.
    """
    needed = 0
    for layer in layers:
        outputs = 0
        if layer.parameters and layer.shape is not None:
            outputs = math.prod(side or 1 for side in layer.shape)
        needed += 2 * _BYTES * (layer.parameters + batch_size * outputs)
    return needed


def layer_sizes(config: ModelConfig, form: Form = MNIST) -> list[tuple[int, int]]:
    """Return (weights, outputs of one image) of each layer that `models.build` makes.

    The readout and all biases are left out, and all of a network of the user's own. Raises
    TypeError for a schema without a case here.
    """
    height, width, channels = form.image_shape
    match config:
        case SoftmaxConfig() | OwnModelConfig():
            return []
        case MlpConfig():
            widths = [height * width * channels, *config.hidden_units]
            return [(before * units, units) for before, units in pairwise(widths)]
        case ConvNetConfig():
            sizes = []
            for before, filters in pairwise([channels, *config.filters]):
                sizes.append((config.kernel_size**2 * before * filters, height * width * filters))
                height, width = -(-height // 2), -(-width // 2)
            if config.dense_units is not None:
                inputs = height * width * config.filters[-1]
                sizes.append((inputs * config.dense_units, config.dense_units))
            return sizes
        case _:
            raise TypeError(f"layer_sizes: no case for {type(config).__name__}")
