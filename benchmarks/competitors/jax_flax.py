"""JAX: a Flax model and Optax' optimizer, with all images on the device.

One jitted function makes a step, and its state is donated.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import optax
from flax import linen as nn
from jax import numpy as jnp

from mnist_exp.config.group_schemas import ConvNetConfig, MlpConfig, ModelConfig
from mnist_exp.config.optimizer_schemas import AdamConfig
from mnist_exp.config.schema import Config
from mnist_exp.data import Split


class _Network(nn.Module):
    config: ModelConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Any) -> Any:
        match self.config:
            case ConvNetConfig() as convnet:
                for filters in convnet.filters:
                    x = nn.Conv(
                        filters,
                        (convnet.kernel_size,) * 2,
                        use_bias=convnet.conv_bias,
                        dtype=self.dtype,
                    )(x)
                    x = nn.max_pool(nn.relu(x), (2, 2), (2, 2), "SAME")
                x = x.reshape((len(x), -1))
                if convnet.dense_units is not None:
                    x = nn.relu(nn.Dense(convnet.dense_units, dtype=self.dtype)(x))
                x = nn.Dropout(convnet.dropout, deterministic=False)(x)
            case MlpConfig() as mlp:
                x = x.reshape((len(x), -1))
                for units in mlp.hidden_units:
                    x = nn.relu(nn.Dense(units, dtype=self.dtype)(x))
            case _:
                x = x.reshape((len(x), -1))
        return nn.Dense(10)(x)


def prepare(config: Config, train: Split, bfloat16: bool = False) -> Callable[[int], float]:
    """Measure a jitted step; `bfloat16` is what all layers but the readout compute in."""
    size = config.schedule.batch_size
    images, labels = jnp.asarray(train.images.astype(np.float32) / 255), jnp.asarray(train.labels)
    network = _Network(config.model, jnp.bfloat16 if bfloat16 else jnp.float32)
    rate = config.optimizer.learning_rate
    optimizer = optax.adam(rate) if isinstance(config.optimizer, AdamConfig) else optax.sgd(rate)
    reduce = {"mean": jnp.mean, "sum": jnp.sum}[config.loss.reduction]
    key = jax.random.key(0)
    weights = network.init({"params": key, "dropout": key}, images[:1])
    state = (weights, optimizer.init(weights))

    @partial(jax.jit, donate_argnums=0)
    def train_step(state: Any, batch: Any, key: Any) -> tuple[Any, Any]:
        weights, moments = state

        def cost(weights: Any) -> Any:
            logits = network.apply(weights, images[batch], rngs={"dropout": key})
            return reduce(optax.softmax_cross_entropy_with_integer_labels(logits, labels[batch]))

        value, gradients = jax.value_and_grad(cost)(weights)
        updates, moments = optimizer.update(gradients, moments, weights)
        return (optax.apply_updates(weights, updates), moments), value

    generator = np.random.default_rng(0)

    def run(steps: int) -> float:
        nonlocal state, key
        started = time.perf_counter()
        order = generator.permutation(len(images)).astype(np.int32)
        for step in range(steps):
            first = step * size % (len(images) - size + 1)
            key, own = jax.random.split(key)
            state, value = train_step(state, order[first : first + size], own)
        value.block_until_ready()
        return (time.perf_counter() - started) / steps

    return run
