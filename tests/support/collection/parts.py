"""Parts of models that several programs of the collection have in common."""

from typing import Any

import keras
from keras import layers


class Positions(layers.Layer):
    """Adds a trained vector for each position to inputs [B, T, D]."""

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Make the vectors."""
        self.vectors = self.add_weight(shape=input_shape[1:], initializer="uniform")

    def call(self, inputs: Any) -> Any:
        """Return inputs with positions."""
        return inputs + self.vectors

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape of the inputs."""
        return input_shape


def patches(pictures: Any, size: int, width: int) -> Any:
    """Return [B, T, width]: the patches of pictures, each projected."""
    x = layers.Conv2D(width, size, strides=size)(pictures)
    return layers.Reshape((-1, width))(x)


def encoder_block(x: Any, heads: int = 2, rate: float = 0.1, activation: str = "gelu") -> Any:
    """Return [B, T, D] after attention and a dense part, both normalised first and with a skip."""
    width = x.shape[-1]
    normal = layers.LayerNormalization(epsilon=1e-6)(x)
    attention = layers.MultiHeadAttention(heads, max(width // heads, 1), dropout=rate)
    x = layers.Add()([attention(normal, normal), x])
    normal = layers.LayerNormalization(epsilon=1e-6)(x)
    hidden = layers.Dense(2 * width, activation=activation)(normal)
    hidden = layers.Dropout(rate)(hidden)
    return layers.Add()([layers.Dense(width)(hidden), x])


def normalizer(x: Any) -> keras.layers.Normalization:
    """Return a layer that scales features as it learnt from x."""
    layer = layers.Normalization()
    layer.adapt(x)
    return layer
