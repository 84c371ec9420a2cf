"""Images of any form, made up: classes that differ in colour and pattern."""

from collections.abc import Sequence

import numpy as np

from mnist_exp.data import Form, Split

# Names that are long, in other scripts, or read as something else by a program on their way.
ODD_NAMES = (
    "T-shirt/top",
    "no $x$ crack",
    "a <b> & 'c'",
    "きつね",
    "собака",
    "حصان",
    "🦊 fox",
    "a name that is longer than any page has room for, and that says little at its beginning",
    "05",
    "None",
)


def names(count: int) -> tuple[str, ...]:
    """Return so many names of classes, the odd ones first."""
    return (*ODD_NAMES, *(f"n{i:04d} thing" for i in range(len(ODD_NAMES), count)))[:count]


def made(
    shape: tuple[int, int, int], class_names: Sequence[str], count: int = 60
) -> tuple[Form, Split]:
    """Return a form, and images of it whose classes take turns."""
    form = Form(image_shape=shape, class_names=tuple(class_names))
    labels = (np.arange(count) % form.num_classes).astype(np.int32)
    rows, columns, channels = np.meshgrid(*map(np.arange, shape), indexing="ij")
    waves = np.sin((rows + 2 * columns) / 4 + (1 + channels) * labels[:, None, None, None])
    return form, Split((127 * (1 + waves)).astype(np.uint8), labels)


def probabilities(split: Split, classes: int, wrong: Sequence[int] = ()) -> np.ndarray:
    """Return probabilities [N, K] that are right with 0.9, but wrong with 0.6 for some images.

    What a wrong one takes an image for is the class after its own.
    """
    rows = np.arange(len(split))
    found = np.full((len(split), classes), 0.1 / max(classes - 1, 1), np.float32)
    found[rows, split.labels] = 0.9
    for index in wrong:
        label = split.labels[index]
        found[index, label], found[index, (label + 1) % classes] = 0.1, 0.6
    return found
