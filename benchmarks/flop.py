"""Floating point operations of a training step, from the shapes of a model's layers."""

import math

import keras


def forward(layer: keras.layers.Layer) -> int:
    """Of one image through a dense or convolutional layer: a product and a sum for each weight at each place it is used.

    Other layers count as none: pooling, ReLU and biases are below 1% of the tutorials' CNNs.
    """
    if not isinstance(layer, keras.layers.Dense | keras.layers.Conv2D):
        return 0
    places = math.prod(layer.output.shape[1:-1])  # 1 for a dense layer
    return 2 * math.prod(layer.kernel.shape) * places


def training(model: keras.Model) -> int:
    """Of one image: forward, the gradient of the weights, and the gradient of the input, which the first layer needs not.

    Each costs as much as the forward pass. The optimizer, whose work does not grow with the batch, is not counted.
    """
    weighted = [flop for layer in model.layers if (flop := forward(layer))]
    return 3 * sum(weighted) - weighted[0]
