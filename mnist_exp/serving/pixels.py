"""Measure and change the pixels of a picture: boxes, sizes, blurs and thresholds.

A copy of this file is part of every logged model, so it imports numpy and Pillow only.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .picture_files import PictureError

SIZE = 28  # pixels of each side of an MNIST image

Box = tuple[int, int, int, int]  # top, left, and the first row and column below and right of it


def empty_page() -> PictureError:
    """Return the error for a page without ink."""
    return PictureError(
        "the page is empty: there is no ink that stands out from the paper, or it is too small "
        "for its page"
    )


def running(
    values: NDArray[np.float32], length: int, axis: int, choose: Callable[..., NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return the least or greatest of the `length` values around each along the axis.

    Outside of the page its edge is repeated. `choose` is np.minimum or np.maximum. Pillow's filters
    of this kind are square, of an odd length.
    """
    before = length // 2
    padding = [(0, 0), (0, 0)]
    padding[axis] = (before, length - 1 - before)
    values, have = np.pad(values, padding, mode="edge"), 1
    while have < length:
        step = min(have, length - have)
        first, second = [slice(None)] * 2, [slice(None)] * 2
        first[axis], second[axis] = slice(None, -step), slice(step, None)
        values = choose(values[tuple(first)], values[tuple(second)])
        have += step
    return values


def runs_of_true(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def slices_of(box: Box) -> tuple[slice, slice]:
    """Return the index of the box in an array [H, W]."""
    top, left, bottom, right = box
    return slice(top, bottom), slice(left, right)


def longer_side(mask: NDArray[np.bool_]) -> int:
    """Return the longer side of the box around what is True."""
    top, left, bottom, right = bounding_box(mask)
    return max(bottom - top, right - left)


def bounding_box(mask: NDArray[np.bool_], margin: float = 0.0) -> Box:
    """Return the box around what is True, with a margin as a fraction of its longer side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    more = int(np.ceil(margin * max(bottom - top, right - left)))
    return (
        max(top - more, 0),
        max(left - more, 0),
        min(bottom + more, mask.shape[0]),
        min(right + more, mask.shape[1]),
    )


def resized(
    ink: NDArray[np.float32], longest: int, *, both_ways: bool = False
) -> NDArray[np.float32]:
    """Return the ink with that longest side and the same aspect ratio.

    Smaller ink is averaged over areas, which is anti-aliasing; with `both_ways` larger ink is
    smooth.
    """
    scale = longest / max(ink.shape)
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    how = Image.Resampling.BICUBIC if both_ways and scale > 1 else Image.Resampling.HAMMING
    image = Image.fromarray(np.ascontiguousarray(ink, np.float32)).resize((width, height), how)
    return np.clip(np.asarray(image, np.float32), ink.min(), ink.max())


def grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask and the pixels that touch it."""
    image = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))
    return np.asarray(image) > 0


def blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the values without the noise of single pixels; the blur is narrower than a stroke."""
    if min(values.shape) < 2 * SIZE:
        return values
    for axis in (0, 1):
        values = _median_of_three(values, axis)
    eight_bits = Image.fromarray(np.clip(values * 127.5 + 64, 0, 255).astype(np.uint8))
    smooth = eight_bits.filter(ImageFilter.GaussianBlur(max(values.shape) / 200))
    return (np.asarray(smooth, np.float32) - 64) / 127.5


def _median_of_three(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return the median of each pixel and its two neighbours along the axis.

    Pillow's median filter takes ten times as long.
    """
    before, after = np.roll(values, 1, axis), np.roll(values, -1, axis)
    low, high = np.minimum(before, after), np.maximum(before, after)
    return np.maximum(low, np.minimum(high, values))


def otsu_threshold(values: NDArray[np.float32]) -> float:
    """Return the threshold between two kinds of pixels that leaves the least variance in both.

    This is Otsu's (1979). Raises PictureError if all pixels are alike.
    """
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        raise empty_page()
    counts = np.bincount(
        ((values - low) * (127.999 / (high - low))).astype(np.uint8).ravel(), minlength=128
    )
    edges = np.linspace(low, high, 129)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    mass = np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below / below[-1] - mass) ** 2 / (below * above)
    return float(edges[1:][np.nanargmax(np.where(np.isfinite(between), between, -1))])


def robust_deviation(values: NDArray[np.float32]) -> float:
    """Return a standard deviation that outliers do not change; 0 without values.

    It is 1.4826 times the median distance from the median.
    """
    if values.size == 0:
        return 0.0
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
