"""What a program of the zoo consists of, and how one recipe makes it in several architectures."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from mnist_exp import data
from tests.support.zoo.losses import mean
from tests.support.zoo.models import cnn, cnn3x3, cnn5x5, mlp, softmax
from tests.support.zoo.optimizers import adam

EXAMPLES = 800
MODELS = {"softmax": softmax, "mlp": mlp, "cnn": cnn, "cnn3x3": cnn3x3, "cnn5x5": cnn5x5}
ARCHITECTURES = ("softmax", "mlp", "cnn")
SOFTMAX, MLP, CNN, HIDDEN = ("softmax",), ("mlp",), ("cnn",), ("mlp", "cnn")

Sample = tuple[np.ndarray, np.ndarray]
Make = Callable[..., keras.Model]  # one of MODELS: (init, seed, head, ...) -> model
Model = Callable[[Make, int], Any]


class Arguments(NamedTuple):
    """The arguments of `check`."""

    model: Any
    loss: Callable[[Any, Any], Any]
    optimizer: Any
    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One program of the zoo.

    code: the finding to expect; None for a good program.
    build: makes the program from a seed.
    """

    name: str
    architecture: str
    code: str | None
    build: Callable[[int], Arguments]


@functools.cache
def _mnist() -> data.Split:
    return data.load(train_limit=20_000).train


def sample(seed: int, count: int = EXAMPLES) -> Sample:
    """float32 [count, 28, 28, 1] in [0, 1] and int32 [count]; another part for every seed."""
    split = _mnist()
    start = (seed * count) % (len(split) - count)
    part = slice(start, start + count)
    return split.images[part].reshape(-1, 28, 28, 1).astype(np.float32) / 255, split.labels[part]


def with_images(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[int], Sample]:
    """Return a function from a seed to a sample whose images are changed."""

    def changed(seed: int) -> Sample:
        images, labels = sample(seed)
        return change(images), labels

    return changed


def with_labels(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[int], Sample]:
    """Return a function from a seed to a sample whose labels are changed."""

    def changed(seed: int) -> Sample:
        images, labels = sample(seed)
        return images, change(labels)

    return changed


def with_classes(
    keep: Callable[[np.ndarray], np.ndarray], count: int = 2000
) -> Callable[[int], Sample]:
    """Return a function from a seed to those of `count` examples whose labels are kept."""

    def kept(seed: int) -> Sample:
        images, labels = sample(seed, count)
        rows = keep(labels)
        return images[rows], labels[rows]

    return kept


def init(name: str, **options: Any) -> Model:
    """Return a function that makes a model with an initialisation, and options such as `units`."""
    return lambda make, seed: make(name, seed, **options)


def head(*layer: Callable[[], Any], init: str = "glorot") -> Model:
    """Return a function that makes a model with layers after its readout."""
    return lambda make, seed: make(init, seed, [new() for new in layer])


def extra(layer: Callable[[], Any]) -> Model:
    """Return a function that makes a model with a layer after its first hidden one."""
    return lambda make, seed: make("glorot", seed, extra=[layer()])


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A program in one or more architectures; what is not given is right.

    on: names of MODELS.
    model: makes the model from one of MODELS and a seed.
    optimizer: makes the optimizer.
    data: makes images and labels from a seed.
    """

    on: tuple[str, ...] = ARCHITECTURES
    model: Model = init("glorot")  # noqa: RUF009
    loss: Callable[[Any, Any], Any] = mean
    optimizer: Callable[[], Any] = adam
    data: Callable[[int], Sample] = sample

    def build(self, architecture: str, seed: int) -> Arguments:
        """Make the program in one of MODELS."""
        model = self.model(MODELS[architecture], seed)
        return Arguments(model, self.loss, self.optimizer(), *self.data(seed))

    def entry(self, architecture: str, name: str, code: str | None = None) -> Entry:
        """Return the program in one architecture under a name of its own."""
        build = functools.partial(self.build, architecture)
        return Entry(name=name, architecture=architecture, code=code, build=build)
