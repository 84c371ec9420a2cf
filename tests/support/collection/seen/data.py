"""Data that several programs of this half share."""

import numpy as np
from sklearn import datasets

from tests.support.collection.made_data import Data, mnist


def colour_digits(seed: int, count: int = 1500) -> Data:
    """float32 [count, 14, 14, 3] in [0, 1], digits in a random colour, and int32 [count]."""
    x, y = mnist(seed, count)
    colour = np.random.default_rng(seed).uniform(0.4, 1, (count, 1, 1, 3))
    return (x[:, ::2, ::2] * colour).astype(np.float32), y


def circles(seed: int, count: int = 1000) -> Data:
    """float32 [count, 2] and int32 [count]: a circle within another."""
    x, y = datasets.make_circles(count, noise=0.08, factor=0.5, random_state=seed)
    return x.astype(np.float32), y.astype(np.int32)


def moved_digits(seed: int, count: int = 1500) -> Data:
    """float32 [count, 28, 28, 1] and float32 [count, 2]: how far a digit was moved, in sixes."""
    x, _ = mnist(seed, count)
    moves = np.random.default_rng(seed).integers(-6, 7, (count, 2))
    moved = [np.roll(one, move, (0, 1)) for one, move in zip(x, moves, strict=True)]
    return np.stack(moved), (moves / 6).astype(np.float32)


def parabola(seed: int, count: int = 400) -> Data:
    """float32 [count, 1] in -5..5 and float32 [count], their squares."""
    x = np.random.default_rng(seed).uniform(-5, 5, (count, 1)).astype(np.float32)
    return x, x[:, 0] ** 2


def ratings(seed: int, count: int = 2500) -> tuple[list[np.ndarray], np.ndarray]:
    """Return ids of readers and books, int32 [count, 1] each, and float32 [count], what they say.

    Readers are 0..59 and books 0..39.
    """
    generator = np.random.default_rng(seed)
    readers, books = (generator.integers(0, n, count) for n in (60, 40))
    kind, liked = generator.normal(size=60), generator.normal(size=40)
    said = kind[readers] + liked[books] + generator.normal(0, 0.2, count)
    return [ids[:, None].astype(np.int32) for ids in (readers, books)], said.astype(np.float32)
