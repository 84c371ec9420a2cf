"""Turn inputs of any kind into tables of features, which cheap probes can learn from."""

import math
from collections.abc import Sequence

import numpy as np

MAX_FEATURES = 3072  # of a table; of more, some are drawn
MAX_SIDE = 28  # pixels; larger pictures are made smaller
MAX_WORDS = 1000  # the most frequent token ids, each with a column of its own
STANDARDISED = 256  # features, up to which each gets a deviation of 1: columns have own units


def views(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return tables [N, F] about the same examples, each with the mean 0 in every column.

    arrays: the inputs of a program, [N, ...] each.

    The first has everything that a linear probe can use: numbers as they are, the counts of token
    ids. The others have what is the same wherever it occurs, such as the frequencies of a series,
    and whole numbers as they are.
    """
    return [plain_view(arrays), *(table for a in arrays for table in _other_views(a))]


def plain_view(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the first of the `views`."""
    return np.concatenate([_plain(array) for array in arrays], axis=1)


def _plain(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fbiu":
        return _counts(_word_ids(array))
    return _counts(array) if is_tokens(array) else _numbers(array)


def _word_ids(texts: np.ndarray) -> np.ndarray:
    """Return the words of each example as numbers [N, words], -1 behind the last."""
    rows = [" ".join(map(str, row)).split() for row in texts.reshape(len(texts), -1)]
    ids = {word: n for n, word in enumerate(sorted({word for row in rows for word in row}))}
    table = np.full((len(rows), max(map(len, rows), default=1) or 1), -1)
    for row, words in enumerate(rows):
        table[row, : len(words)] = [ids[word] for word in words]
    return table


def is_tokens(array: np.ndarray) -> bool:
    """Return True for what can be the ids of tokens: whole numbers [N, T], some above 1."""
    if array.ndim != 2 or array.dtype.kind not in "iuf" or array.min() < 0 or array.max() < 2:
        return False
    return bool((array == np.round(array)).all())


def of_rarest_id(array: np.ndarray) -> float:
    """Return how often the rarest token or word of a typical example occurs among all of them.

    It is infinite for numbers that are no ids.
    """
    words = array.dtype.kind not in "fbiu"
    if not words and not is_tokens(array.reshape(len(array), -1)):
        return math.inf
    tokens = _word_ids(array) if words else array.reshape(len(array), -1)
    _, places, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    return float(np.median(counts[places.reshape(tokens.shape)].min(axis=1)))


def flat(array: np.ndarray) -> np.ndarray:
    """Return numbers [N, ...] as float64 [N, F], large pictures smaller."""
    if array.ndim == 4 and array.shape[3] <= 4:
        steps = [-(-side // MAX_SIDE) for side in array.shape[1:3]]
        rows, columns = (side // step for side, step in zip(array.shape[1:3], steps, strict=True))
        kept = array[:, : rows * steps[0], : columns * steps[1]].astype(np.float64)
        array = kept.reshape(-1, rows, steps[0], columns, steps[1], array.shape[3]).mean((2, 4))
    table = array.reshape(len(array), -1)
    if table.shape[1] > MAX_FEATURES:
        chosen = np.random.default_rng(0).choice(table.shape[1], MAX_FEATURES, replace=False)
        table = table[:, np.sort(chosen)]
    return table.astype(np.float64)


def _numbers(array: np.ndarray) -> np.ndarray:
    return scaled(flat(array))


def _counts(tokens: np.ndarray) -> np.ndarray:
    """Return how often each of the most frequent ids occurs in each example, [N, words]."""
    ids, places, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    kept = np.argsort(-counts)[:MAX_WORDS]
    column = np.full(len(ids), len(kept))  # all others together
    column[kept] = np.arange(len(kept))
    table = np.zeros((len(tokens), len(kept) + 1))
    rows = np.repeat(np.arange(len(tokens)), tokens.shape[1])
    np.add.at(table, (rows, column[places.reshape(-1)]), 1)
    return scaled(np.sqrt(table))


def _other_views(array: np.ndarray) -> list[np.ndarray]:
    if array.dtype.kind not in "fbiu":
        return []
    if is_tokens(array):
        return [_numbers(array)]
    if array.ndim == 4 and array.shape[3] <= 4:
        pictures = flat(array).reshape(len(array), -1, array.shape[3])
        sides = [side // -(-side // MAX_SIDE) for side in array.shape[1:3]]
        if pictures.shape[1] != sides[0] * sides[1]:
            return []
        pictures = pictures.reshape(len(array), *sides, array.shape[3])
        spectrum = np.abs(np.fft.rfft2(pictures, axes=(1, 2)))[:, :8, :8]
        return [_with_moments(spectrum, pictures, (1, 2))]
    if array.ndim in (2, 3) and array.shape[1] >= 8 and array[0].size <= MAX_FEATURES:
        series = array.astype(np.float64).reshape(len(array), array.shape[1], -1)
        return [_with_moments(np.abs(np.fft.rfft(series, axis=1)), series, (1,))]
    return []


def _with_moments(spectrum: np.ndarray, values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return a spectrum with the mean and deviation of every channel, [N, F]."""
    parts = (spectrum.reshape(len(values), -1), values.mean(axes), values.std(axes))
    return scaled(np.concatenate(parts, axis=1), each=True)


def scaled(table: np.ndarray, *, each: bool = False) -> np.ndarray:
    """Return a table with the mean 0 in every column and deviations of about 1.

    each: give every column a deviation of 1; always so for tables that are not wide.
    """
    centred = table - table.mean(axis=0)
    deviation = centred.std(axis=0)
    if not each and table.shape[1] > STANDARDISED:
        deviation = np.full(table.shape[1], np.sqrt(np.mean(deviation**2)))
    scaled = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-12)
    clipped: np.ndarray = np.clip(scaled, -10, 10)  # a far value must not outweigh all others
    return clipped
