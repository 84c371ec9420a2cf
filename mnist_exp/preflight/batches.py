"""The inputs of a program, whatever structure of arrays it takes, cut by examples."""

from typing import Any, Self

import numpy as np
import tensorflow as tf


class Inputs:
    """Arrays [N, ...] of the same examples: one, or a dict, list or tuple of them.

    structure: the arrays as the model takes them.
    """

    def __init__(self, structure: Any) -> None:
        self.structure = tf.nest.map_structure(np.asarray, structure)
        lengths = {len(array) for array in self.arrays}
        if len(lengths) != 1:
            raise ValueError(f"inputs must have the same length, got {sorted(lengths)}")

    @property
    def arrays(self) -> list[np.ndarray]:
        """Return every array; the order is that of `tf.nest.flatten`."""
        flat: list[np.ndarray] = tf.nest.flatten(self.structure)
        return flat

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, rows: slice | np.ndarray) -> Self:
        return type(self)(tf.nest.map_structure(lambda array: array[rows], self.structure))

    def followed_by(self, others: Self) -> Self:
        """Return these examples and then the others."""
        pairs = zip(self.arrays, others.arrays, strict=True)
        joined = [np.concatenate(pair) for pair in pairs]
        return type(self)(tf.nest.pack_sequence_as(self.structure, joined))

    def tensors(self) -> Any:
        """Return the structure with a tensor for each array."""
        return tf.nest.map_structure(tf.constant, self.structure)

    def specs(self) -> Any:
        """Return the structure with a tf.TensorSpec for any number of examples for each array."""
        return tf.nest.map_structure(
            lambda array: tf.TensorSpec([None, *array.shape[1:]], array.dtype), self.structure
        )
