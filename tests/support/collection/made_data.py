"""Small data for the programs of the collection, all made here or shipped with a library."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import tree
from sklearn import datasets

from tests.support.zoo.programs import sample

Data = tuple[np.ndarray, np.ndarray]
PAD = 0  # the token that fills short sentences


def mnist(seed: int, count: int = 2000) -> Data:
    """float32 [count, 28, 28, 1] in [0, 1] and int32 [count]."""
    return sample(seed, count)


def shuffled(seed: int, *arrays: np.ndarray) -> Any:
    """Return the arrays in one random order of their rows."""
    order = np.random.default_rng(seed).permutation(len(arrays[0]))
    return tuple(array[order] for array in arrays)


def split(x: Any, y: Any, share: float = 0.8) -> tuple[Any, Any]:
    """Return (x, y) of the first share of the rows and (x, y) of the rest.

    x: an array, or a dict or list of arrays.
    """
    rows = int(share * len(y))
    train, rest = (
        tree.map_structure(lambda values, part=part: values[part], x)
        for part in (slice(rows), slice(rows, None))
    )
    return (train, y[:rows]), (rest, y[rows:])


def standardized(x: np.ndarray) -> np.ndarray:
    """Return every feature with mean 0 and standard deviation 1, float32."""
    scale = x.std(axis=0) + 1e-8
    return ((x - x.mean(axis=0)) / scale).astype(np.float32)


def _shipped(load: Callable[..., Any]) -> Callable[[int], Data]:
    @functools.cache
    def loaded() -> Data:
        x, y = load(return_X_y=True)
        return x.astype(np.float32), y

    def rows(seed: int) -> Data:
        x, y = shuffled(seed, *loaded())
        return x, y.astype(np.int32 if y.dtype.kind == "i" else np.float32)

    return rows


iris = _shipped(datasets.load_iris)  # float32 [150, 4], unscaled; 3 classes
wine = _shipped(datasets.load_wine)  # float32 [178, 13], unscaled; 3 classes
breast_cancer = _shipped(datasets.load_breast_cancer)  # float32 [569, 30], unscaled; 2 classes
diabetes = _shipped(datasets.load_diabetes)  # float32 [442, 10] near 0.05; targets 25 to 346
_flat_digits = _shipped(datasets.load_digits)


def digits(seed: int) -> Data:
    """float32 [1797, 8, 8, 1] in [0, 1] and int32 [1797], 10 classes."""
    x, y = _flat_digits(seed)
    return x.reshape(-1, 8, 8, 1) / 16, y


def moons(seed: int, count: int = 1000, noise: float = 0.15) -> Data:
    """float32 [count, 2] and int32 [count]: two half circles, one in the other."""
    x, y = datasets.make_moons(count, noise=noise, random_state=seed)
    return x.astype(np.float32), y.astype(np.int32)


def xor(seed: int, count: int = 1000) -> Data:
    """float32 [count, 2] near the corners of a square and int32 [count], their exclusive or."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (count, 2))
    x = bits + rng.normal(0, 0.15, (count, 2))
    return x.astype(np.float32), (bits[:, 0] ^ bits[:, 1]).astype(np.int32)


def table(seed: int, count: int = 1500, features: int = 12, classes: int = 4) -> Data:
    """float32 [count, features] about 0 and int32 [count], clusters of a made table."""
    x, y = datasets.make_classification(
        count, features, n_informative=features // 2, n_redundant=2, n_classes=classes,
        n_clusters_per_class=1, class_sep=1.5, random_state=seed,
    )  # fmt: skip
    return x.astype(np.float32), y.astype(np.int32)


def imbalanced(seed: int, count: int = 3000, share: float = 0.06) -> Data:
    """float32 [count, 12] and int32 [count], of which about a share is 1 (fraud, defects)."""
    x, y = datasets.make_classification(
        count, 12, n_informative=6, weights=[1 - share], class_sep=1.6, random_state=seed
    )
    return x.astype(np.float32), y.astype(np.int32)


def multilabel(seed: int, count: int = 1500, labels: int = 5) -> Data:
    """float32 [count, 20] about 0 and int32 [count, labels] of 0 and 1, some of them together."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 20)).astype(np.float32)
    weights = rng.normal(size=(20, labels))
    scores = x @ weights / 2 + rng.normal(0, 0.3, (count, labels))
    return x, (scores > 0.5).astype(np.int32)


def fuel(seed: int, count: int = 800) -> Data:
    """float32 [count, 7] in units of their own (cylinders, weight, ...) and miles per gallon."""
    rng = np.random.default_rng(seed)
    cylinders = rng.choice([4, 6, 8], count, p=[0.5, 0.2, 0.3]).astype(float)
    displacement = 30 * cylinders + rng.normal(0, 20, count)
    power = 18 * cylinders + rng.normal(0, 12, count)
    weight = 1200 + 320 * cylinders + rng.normal(0, 250, count)
    acceleration = 22 - 0.06 * power + rng.normal(0, 1.5, count)
    year = rng.integers(70, 83, count).astype(float)
    origin = rng.integers(1, 4, count).astype(float)
    mpg = 46 - 0.0075 * weight - 0.05 * power + 0.6 * (year - 76) + origin
    mpg = np.maximum(mpg + rng.normal(0, 1.5, count), 9)
    x = np.stack([cylinders, displacement, power, weight, acceleration, year, origin], 1)
    return x.astype(np.float32), mpg.astype(np.float32)


def houses(seed: int, count: int = 1200) -> Data:
    """float32 [count, 8], standardised, and prices about 200,000."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 8)).astype(np.float32)
    value = 0.5 * x[:, 0] + 0.3 * x[:, 1] * x[:, 2] - 0.3 * np.abs(x[:, 3]) + 0.2 * x[:, 4]
    price = 200_000 * np.exp(0.4 * value + rng.normal(0, 0.05, count))
    return x, price.astype(np.float32)


def series(seed: int, length: int = 1500, features: int = 1) -> np.ndarray:
    """float32 [length, features]: sines of several periods, a slow wave and noise, about 0."""
    rng = np.random.default_rng(seed)
    time = np.arange(length)[:, None]
    phase = rng.uniform(0, 2 * np.pi, features)
    daily, weekly = np.sin(2 * np.pi * time / 24 + phase), np.sin(2 * np.pi * time / 168 + phase)
    noise = rng.normal(0, 0.1, (length, features))
    return (daily + 0.5 * weekly + noise).astype(np.float32)


def windows(values: np.ndarray, past: int, ahead: int = 1) -> Data:
    """Return float32 [N, past, features] and the first feature's next values [N, ahead]."""
    starts = range(len(values) - past - ahead + 1)
    x = np.stack([values[start : start + past] for start in starts])
    y = np.stack([values[start + past : start + past + ahead, 0] for start in starts])
    return x, y


def waves(
    seed: int, count: int = 1200, steps: int = 48, channels: int = 1, classes: int = 3
) -> Data:
    """float32 [count, steps, channels] and int32 [count]: the class is the wave's frequency."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, count)
    phase = rng.uniform(0, 2 * np.pi, (count, 1, channels))
    turns = 2 * np.pi * (2 + 2 * y)[:, None, None] * np.linspace(0, 1, steps)[None, :, None]
    x = np.sin(turns + phase) + rng.normal(0, 0.3, (count, steps, channels))
    return x.astype(np.float32), y.astype(np.int32)


def sentences(
    seed: int, count: int = 2000, words: int = 200, steps: int = 24, classes: int = 2
) -> Data:
    """int32 [count, steps] of words 1 to words - 1, and int32 [count]: what they are about.

    Every class has a twentieth of the words as its own; the class with most of them is the label.
    """
    rng = np.random.default_rng(seed)
    own = max((words - 1) // 20, 3)
    y = rng.integers(0, classes, count)
    tokens = rng.integers(1 + own * classes, words, (count, steps))
    telling = rng.random((count, steps)) < 0.25
    mine = 1 + own * y[:, None] + rng.integers(0, own, (count, steps))
    return np.where(telling, mine, tokens).astype(np.int32), y.astype(np.int32)


def padded(
    seed: int, count: int = 2000, words: int = 200, steps: int = 24, classes: int = 2
) -> Data:
    """Sentences of 8 to `steps` words, filled with PAD at the end."""
    x, y = sentences(seed, count, words, steps, classes)
    lengths = np.random.default_rng(seed + 1).integers(8, steps + 1, count)
    return np.where(np.arange(steps) < lengths[:, None], x, PAD).astype(np.int32), y


def tagged(seed: int, count: int = 1200, words: int = 60, steps: int = 12, tags: int = 4) -> Data:
    """int32 [count, steps] words and int32 [count, steps] tags.

    A word has a tag of its own, which is the next one after a word of the last tag.
    """
    rng = np.random.default_rng(seed)
    x = rng.integers(1, words, (count, steps))
    own = x % tags
    previous = np.concatenate([np.zeros((count, 1), int), own[:, :-1]], axis=1)
    y = np.where(previous == tags - 1, (own + 1) % tags, own)
    return x.astype(np.int32), y.astype(np.int32)


def _shapes(seed: int, count: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return backgrounds [count, size, size, 3], masks [count, size, size] and kinds [count].

    Kinds: 0 a disc, 1 a square, 2 a cross.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    kind = rng.integers(0, 3, count)
    radius = rng.uniform(size / 6, size / 4, (count, 1, 1))
    centre = rng.uniform(size / 4, 3 * size / 4, (2, count, 1, 1))
    down, across = np.abs(rows - centre[0]), np.abs(columns - centre[1])
    disc = down**2 + across**2 < radius**2
    square = np.maximum(down, across) < 0.9 * radius
    cross = (np.minimum(down, across) < 1) & (np.maximum(down, across) < 1.4 * radius)
    mask = np.choose(kind[:, None, None], [disc, square, cross])
    return rng.uniform(0, 0.4, (count, size, size, 3)), mask, kind


def pictures(seed: int, count: int = 1200, size: int = 16, classes: int = 6) -> Data:
    """float32 [count, size, size, 3] in [0, 1] and int32 [count]: the shape, and its colour.

    classes: 3 for the shape alone, 6 for a shape that is red or blue.
    """
    x, mask, kind = _shapes(seed, count, size)
    blue = np.random.default_rng(seed + 1).integers(0, 2, count)
    colour = np.array([[0.9, 0.3, 0.3], [0.3, 0.3, 0.9]])[blue]
    x = np.where(mask[..., None], colour[:, None, None], x)
    return x.astype(np.float32), (kind + 3 * blue if classes == 6 else kind).astype(np.int32)


def masks(seed: int, count: int = 600, size: int = 16) -> Data:
    """float32 [count, size, size, 3] in [0, 1] and float32 [count, size, size, 1] of 0 and 1."""
    x, mask, _ = _shapes(seed, count, size)
    x = np.where(mask[..., None], x + 0.35, x)
    return x.astype(np.float32), mask[..., None].astype(np.float32)


def class_masks(seed: int, count: int = 600, size: int = 16) -> Data:
    """float32 [count, size, size, 3] and int32 [count, size, size]: 0 background, 1 red, 2 blue."""
    x, mask, _ = _shapes(seed, count, size)
    blue = np.random.default_rng(seed + 1).integers(0, 2, count)
    colour = np.array([[0.5, 0, 0], [0, 0, 0.5]])[blue]
    x = np.where(mask[..., None], x + colour[:, None, None], x)
    return x.astype(np.float32), (mask * (1 + blue[:, None, None])).astype(np.int32)


def clips(seed: int, count: int = 600, frames: int = 6, size: int = 12) -> Data:
    """float32 [count, frames, size, size, 1] of a moving dot and int32 [count]: which way."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, count)
    step = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])[y]
    place = rng.integers(0, size, (count, 2))
    x = rng.uniform(0, 0.2, (count, frames, size, size, 1))
    for frame in range(frames):
        at = (place + frame * step) % size
        x[np.arange(count), frame, at[:, 0], at[:, 1], 0] = 1
    return x.astype(np.float32), y.astype(np.int32)


def two_inputs(seed: int, count: int = 1500) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return {"words": int32 [count, 12], "numbers": float32 [count, 6]} and int32 [count].

    The label is 1 if the words' topic and the numbers together speak for it.
    """
    rng = np.random.default_rng(seed)
    words, topic = sentences(seed, count, words=100, steps=12)
    numbers = rng.normal(size=(count, 6)).astype(np.float32)
    score = 1.5 * (2 * topic - 1) + numbers[:, 0] + numbers[:, 1] + rng.normal(0, 0.3, count)
    return {"words": words, "numbers": numbers}, (score > 0).astype(np.int32)
