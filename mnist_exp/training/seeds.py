"""The random streams of a run, all from its one seed.

They are independent: a change in the use of one leaves the others as they are.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

_STREAMS = {"weights": 0, "dropout": 1, "shuffling": 2, "figures": 3, "layers": 4}
Stream = Literal["weights", "dropout", "shuffling", "figures", "layers"]


def sequence(seed: int, stream: Stream, index: int = 0) -> np.random.SeedSequence:
    """Return the random stream of (seed, stream, index), for NumPy generators."""
    return np.random.SeedSequence(seed, spawn_key=(_STREAMS[stream], index))


def integer(seed: int, stream: Stream, index: int = 0) -> int:
    """Return a 31-bit seed of (seed, stream, index), for libraries that take a whole number."""
    return int(sequence(seed, stream, index).generate_state(1)[0] >> 1)


def integers(seed: int, stream: Stream, index: int = 0) -> tuple[int, int]:
    """Return two 31-bit numbers of (seed, stream, index)."""
    first, second = sequence(seed, stream, index).generate_state(2) >> 1
    return int(first), int(second)


def epoch_order(num_examples: int, seed: int, epoch: int) -> NDArray[np.int32]:
    """Return a permutation of range(num_examples) that depends on (seed, epoch) alone.

    `epoch` counts from 1.
    """
    generator = np.random.default_rng(sequence(seed, "shuffling", epoch))
    return generator.permutation(num_examples).astype(np.int32)
