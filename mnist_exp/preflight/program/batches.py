"""The inputs of a program, whatever structure of arrays it takes, cut by examples."""

from typing import Any, Self

import numpy as np
import tensorflow as tf


class Inputs:
    """Arrays [N, ...] of the same examples: one, or a dict, list or tuple of them.

    structure: the arrays as the model takes them; text is an array of objects.
    weights: how much each example counts [N] or [N, ...], or None where all count the same.
    """

    def __init__(self, structure: Any, weights: np.ndarray | None = None) -> None:
        self.structure = tf.nest.map_structure(np.asarray, structure)
        self.weights = None if weights is None else np.asarray(weights, np.float32)
        lengths = {len(array) for array in self.arrays}
        if len(lengths) != 1:
            raise ValueError(f"inputs must have the same length, got {sorted(lengths)}")

    @property
    def arrays(self) -> list[np.ndarray]:
        """Return every array; the order is that of `tf.nest.flatten`."""
        flat: list[np.ndarray] = tf.nest.flatten(self.structure)
        return flat

    @property
    def numbers(self) -> list[np.ndarray]:
        """Return every array that is not text."""
        return [array for array in self.arrays if array.dtype.kind in "fbiu"]

    @property
    def finite(self) -> np.ndarray:
        """Return for each example whether all its numbers are finite [N]."""
        rows = np.ones(len(self), bool)
        for array in self.numbers:
            rows &= np.isfinite(array).reshape(len(array), -1).all(axis=1)
        return rows

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, rows: slice | np.ndarray) -> Self:
        weights = None if self.weights is None else self.weights[rows]
        return type(self)(tf.nest.map_structure(lambda array: array[rows], self.structure), weights)

    def followed_by(self, others: Self) -> Self:
        """Return these examples and then the others."""
        pairs = zip(self.arrays, others.arrays, strict=True)
        joined = [np.concatenate(pair) for pair in pairs]
        weights = None
        if self.weights is not None and others.weights is not None:
            weights = np.concatenate([self.weights, others.weights])
        return type(self)(tf.nest.pack_sequence_as(self.structure, joined), weights)

    def exchanged(self, number: int, array: np.ndarray) -> Self:
        """Return these inputs with another array in the place of one of `arrays`."""
        arrays = [*self.arrays[:number], array, *self.arrays[number + 1 :]]
        return type(self)(tf.nest.pack_sequence_as(self.structure, arrays), self.weights)

    def tensors(self) -> Any:
        """Return the structure with a tensor for each array."""
        return tf.nest.map_structure(tf.constant, self.structure)

    def specs(self, batch: int | None = None) -> Any:
        """Return the structure with a tf.TensorSpec for each array.

        batch: how many examples; None for any number.
        """
        return tf.nest.map_structure(
            lambda array: tf.TensorSpec([batch, *array.shape[1:]], _dtype(array)), self.structure
        )

    def described(self) -> str:
        """Return the shape and dtype of every array, for a message."""
        return " and ".join(described(array) for array in self.arrays)


def described(array: Any) -> str:
    """Return the shape and dtype of an array or tensor [N, ...], for a message."""
    sizes = "".join(f", {size}" for size in array.shape[1:])
    return f"[N{sizes}] {_dtype(array).name}"


def _dtype(array: Any) -> tf.DType:
    return tf.string if array.dtype == object else tf.as_dtype(array.dtype)


def in_batches_of(size: int, count: int) -> list[np.ndarray]:
    """Return the rows of batches of exactly `size` that hold `count` examples.

    The last is filled up with the first examples.
    """
    whole = -(-count // size) * size
    return list(np.resize(np.arange(count), whole).reshape(-1, size))


def even(count: int) -> int:
    """Return the largest even number of examples up to `count`, or 1.

    The gradient of a narrow convolution of an odd number of examples can end the process in
    TensorFlow 2.21: it writes beyond its memory.
    """
    return max(1, count - count % 2)


def draw(generator: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Return the rows of a batch that is drawn from the first `count` examples, of even size."""
    return generator.choice(count, size=even(min(size, count)), replace=False)
