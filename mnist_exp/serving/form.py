"""What a network takes and answers: the size of its images, and the names of the classes.

A copy of this file is part of every logged model, so it imports Python's own modules only.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = "form.json"


@dataclass(frozen=True, kw_only=True)
class Form:
    """The form of the images that a network was trained on.

    Attributes:
        image_shape: Height and width in pixels, and 1 channel (grey) or 3 (red, green, blue).
        class_names: The names of the K classes, by label.
    """

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    @property
    def is_digits(self) -> bool:
        """Whether the images are digits as MNIST has them: 28x28, grey, classes 0 to 9."""
        return self == DIGITS

    @property
    def array_shapes(self) -> str:
        """The shapes of arrays of N images, in words."""
        height, width, channels = self.image_shape
        flat = f"[N, {height}, {width}] or " if channels == 1 else ""
        return f"{flat}[N, {height}, {width}, {channels}]"


DIGITS = Form(image_shape=(28, 28, 1), class_names=tuple("0123456789"))


def load(folder: Path) -> Form:
    """Read the form in the folder of a logged model; that of an earlier version takes digits."""
    path = folder / FILE
    if not path.exists():
        return DIGITS
    return parsed(path.read_bytes())


def parsed(content: bytes) -> Form:
    """Return the form in the content of its file. Raises ValueError for another content."""
    try:
        values = json.loads(content)
        height, width, channels = (int(size) for size in values["image_shape"])
        names = tuple(str(name) for name in values["class_names"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{FILE}: expected image_shape and class_names") from error
    if min(height, width) < 1 or channels not in (1, 3) or len(names) < 2:
        raise ValueError(f"{FILE}: expected H x W images of 1 or 3 channels, and 2 or more classes")
    return Form(image_shape=(height, width, channels), class_names=names)


def save(folder: Path, image_shape: tuple[int, int, int], class_names: Sequence[str]) -> None:
    """Write the file that `load` reads."""
    values = {"image_shape": list(image_shape), "class_names": list(class_names)}
    (folder / FILE).write_text(json.dumps(values), encoding="utf-8")
