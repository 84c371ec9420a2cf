"""Keep preflight out of the caller's random streams."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED
from tensorflow.python.eager import context as tf_context

# TensorFlow caches a kernel, with the position of its random stream, per (global seed, op seed).
# Seeds that a caller is unlikely to use keep preflight from advancing the caller's kernels.
_SEED_OFFSET = 0x5EED_0000


@contextmanager
def isolated_random_state(seed: int) -> Iterator[None]:
    """Seed Python, NumPy, TensorFlow and Keras from `seed` inside the block.

    After the block, the caller's random state is what it was before.
    TensorFlow and Keras have no public way to read their global state, hence the private names.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    context = tf_context.context()
    tf_seed, tf_rng = context._seed, getattr(context, "_rng", None)
    keras_state = {
        name: global_state.get_global_attribute(name)
        for name in (GLOBAL_SEED_GENERATOR, GLOBAL_RANDOM_SEED)
    }
    random.seed(seed)
    np.random.seed(seed % 2**32)
    context._seed = (_SEED_OFFSET + seed) % 2**31
    context._rng = random.Random(context._seed)
    global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)
    global_state.set_global_attribute(GLOBAL_RANDOM_SEED, seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        context._seed, context._rng = tf_seed, tf_rng
        for name, value in keras_state.items():
            global_state.set_global_attribute(name, value)
