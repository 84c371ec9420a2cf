"""Training in bfloat16: layers compute in it; weights, loss, sums and evaluation are float32."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import keras
import tensorflow as tf

from mnist_exp.config.schema import Config

_MIXED = "mixed_bfloat16"  # Keras' name: a layer casts its inputs and float32 weights to bfloat16
_SIDE = 768  # of the matrices whose product is timed; it takes a few milliseconds
_PRODUCTS = 10
# With units for bfloat16 the product takes half the time (0.54 on an AMD Zen 4), without them three
# times as long (3.0 on the same processor with ONEDNN_MAX_CPU_ISA=AVX512_CORE).
_SLOW = 1.3


@contextmanager
def training_in(precision: str, model: keras.Model) -> Iterator[None]:
    """Let the layers of a model that is compiled in the block compute in this precision.

    In bfloat16, the last layer with weights and those after it stay in float32: logits of 8 bits
    would be too coarse for the loss. The weights are float32 in any case, and so is the model
    outside of the block.
    """
    layers = [] if precision == "float32" else _before_the_readout(model)
    policies = [layer.dtype_policy for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = _MIXED
        yield
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer.dtype_policy = policy


def _before_the_readout(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers before the last one that has weights."""
    layers = list(model._flatten_layers(include_self=False))
    weighted = [number for number, layer in enumerate(layers) if layer.trainable_weights]
    return layers[: weighted[-1]] if weighted else layers


def warnings(config: Config) -> list[str]:
    """Return a warning if the processor computes slower in the precision than in float32.

    It has no units for bfloat16 then, and TensorFlow computes in float32 and converts.
    """
    if config.precision == "float32" or (slowdown := bfloat16_slowdown()) < _SLOW:
        return []
    warning = (
        "precision=bfloat16: this processor has no fast bfloat16: a matrix product takes "
        f"{slowdown:.1f} times as long as in float32, and training will, too"
    )
    return [warning]


@cache
def bfloat16_slowdown() -> float:
    """Return how many times as long as in float32 a matrix product takes in bfloat16, measured.

    That tells more than the processor's name: whether TensorFlow uses the units counts. It takes a
    few hundredths of a second, and more where bfloat16 is slow.
    """
    matrices = [tf.ones([_SIDE, _SIDE], kind) for kind in (tf.float32, tf.bfloat16)]
    seconds: list[list[float]] = [[], []]
    for _ in range(_PRODUCTS):
        for matrix, times in zip(matrices, seconds, strict=True):
            started = time.perf_counter()
            tf.matmul(matrix, matrix).numpy()
            times.append(time.perf_counter() - started)
    wide, narrow = (min(times) for times in seconds)  # other programs can only add to a time
    return narrow / wide
