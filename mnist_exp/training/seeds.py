"""One seed spawns independent random streams, so that changing the use of one leaves the others as they are."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

_STREAMS = {"weights": 0, "dropout": 1, "shuffling": 2, "figures": 3}
Stream = Literal["weights", "dropout", "shuffling", "figures"]


def sequence(seed: int, stream: Stream, index: int = 0) -> np.random.SeedSequence:
    """The random stream of (seed, stream, index), for NumPy generators."""
    return np.random.SeedSequence(seed, spawn_key=(_STREAMS[stream], index))


def integer(seed: int, stream: Stream, index: int = 0) -> int:
    """A 31-bit seed of (seed, stream, index), for libraries that take a whole number."""
    return int(sequence(seed, stream, index).generate_state(1)[0] >> 1)


def epoch_order(num_examples: int, seed: int, epoch: int) -> NDArray[np.int32]:
    """A permutation of range(num_examples) that depends on nothing but (seed, epoch); epoch is 1-based."""
    return (
        np.random.default_rng(sequence(seed, "shuffling", epoch))
        .permutation(num_examples)
        .astype(np.int32)
    )
