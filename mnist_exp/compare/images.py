"""Test images that only one of two groups gets right."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.data import GZIPPED_SHA256, SHIPPED_DIR, Form, Split, idx_files
from mnist_exp.outside.images import as_seen, data_uri
from mnist_exp.outside.printing import plural
from mnist_exp.outside.short_names import shortened

_MOST_IMAGES = 12  # of each side
_SIDE, _LONGEST = 56, 84  # pixels on the page: of a square image, and the most of a long one
_NAME = 40  # columns of a name below it


@dataclass(frozen=True, kw_only=True)
class MisreadImage:
    """A test image that one of the two groups gets wrong."""

    index: int  # in the test set
    label: str
    wrong: str  # the class that the wrong group takes it for
    source: str  # the picture as a data URI
    size: tuple[int, int]  # width and height on the page
    is_ink: bool  # dark on light; light on dark is as good, where a page is dark


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """The test images that only one of two groups gets right."""

    name: str  # of the group that is right
    note: str
    images: tuple[MisreadImage, ...]


def shipped_test() -> Split:
    """Return the test images of MNIST that the package has. Raises DataError for damaged files.

    They are what `data.load_test()` returns, which reads the training images, too, and takes about
    five times as long.
    """
    raw = {}
    for part in ("images-idx3", "labels-idx1"):
        path = SHIPPED_DIR / f"t10k-{part}-ubyte.gz"
        idx_files.check_digest(path, GZIPPED_SHA256[path.stem])
        raw[part] = idx_files.read_agreed(SHIPPED_DIR, [path])
    labels = idx_files.parse_labels(raw["labels-idx1"], "t10k-labels")
    return Split(idx_files.parse_images(raw["images-idx3"], "t10k-images"), labels.astype(np.int32))


def disagreements(
    pair: PairedPredictions, images: NDArray[np.uint8] | None, baseline: str
) -> list[Disagreement]:
    """Return what only the group gets right and what only the baseline does, in test-set order.

    `images` has shape [N, H, W, C]; nothing is returned where they are not known.
    """
    if images is None or len(images) < len(pair.label):
        return []
    baseline_right, group_right = pair.baseline == pair.label, pair.group == pair.label
    sides = [
        (pair.group_label, np.flatnonzero(group_right & ~baseline_right), pair.baseline),
        (f"{baseline} (baseline)", np.flatnonzero(baseline_right & ~group_right), pair.group),
    ]
    result = []
    for name, indices, wrong in sides:
        shown = indices[:_MOST_IMAGES]
        first = f", the first {len(shown)} of the test set" if len(indices) > len(shown) else ""
        pictures = tuple(_misread(pair, images[i], int(i), int(wrong[i])) for i in shown)
        note = f"{plural(len(indices), 'image')}{first}"
        result.append(Disagreement(name=name, note=note, images=pictures))
    return result


def _misread(
    pair: PairedPredictions, image: NDArray[np.uint8], index: int, wrong: int
) -> MisreadImage:
    """Return a test image [H, W, C] that a group takes for the class `wrong`."""
    height, width, channels = image.shape
    form = Form(image_shape=(height, width, channels), class_names=pair.class_names)
    long, short = max(width, height), min(width, height)
    scale = min(_SIDE * math.sqrt(long / short), _LONGEST) / long
    return MisreadImage(
        index=index,
        label=shortened(pair.class_names[pair.label[index]], _NAME),
        wrong=shortened(pair.class_names[wrong], _NAME),
        source=data_uri(as_seen(image, ink=form.is_digits)),
        size=(max(4, round(width * scale)), max(4, round(height * scale))),
        is_ink=form.is_digits,
    )
