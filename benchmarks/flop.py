"""Floating point operations of a training step, from the shapes of a model's layers."""

import math

import keras


def forward(layer: keras.layers.Layer) -> int:
    """Return the FLOP of one image in a dense or convolutional layer.

    They are one product and one sum for each weight, at each place where it is used. Other layers
    count as 0: pooling, ReLU and biases are below 1% of the FLOP of the tutorials' CNNs.
    """
    if not isinstance(layer, keras.layers.Dense | keras.layers.Conv2D):
        return 0
    places = math.prod(layer.output.shape[1:-1])  # 1 for a dense layer
    return 2 * math.prod(layer.kernel.shape) * places


def training(model: keras.Model) -> int:
    """Return the FLOP of one image in a training step.

    A layer computes the forward pass, the gradient of the weights and the gradient of the input,
    each with the same FLOP. The first layer needs no gradient of the input. The optimizer is not
    counted, because its work does not grow with the batch.
    """
    weighted = [flop for layer in model.layers if (flop := forward(layer))]
    return 3 * sum(weighted) - weighted[0]
