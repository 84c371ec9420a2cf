"""Turn a picture of a digit as people have it into 28x28 pixels as MNIST has them.

How MNIST was made (LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist): "The original black
and white (bilevel) images from NIST were size normalized to fit in a 20x20 pixel box while
preserving their aspect ratio. The resulting images contain grey levels as a result of the
anti-aliasing technique used by the normalization algorithm. the images were centered in a 28x28
image by computing the center of mass of the pixels, and translating the image so as to position
this point at the center of the 28x28 field." NIST's images were scans of one digit each, free of
paper and light. The first steps here make such a scan of a photo or a drawing.

A copy of this file is part of every logged model, so it imports numpy and Pillow only.
"""

import numpy as np
from numpy.typing import NDArray

from .ink import ink_mask, ink_of
from .picture_files import PictureError, read_grey
from .pieces import digit_mask
from .pixels import (
    SIZE,
    bounding_box,
    empty_page,
    grown,
    longer_side,
    resized,
    robust_deviation,
    slices_of,
)
from .rules import without_bands, without_rules
from .surroundings import digit_of_page, sheet_around

BOX = 20  # pixels of the longer side of the box that the ink of an MNIST image fits
_WORKING = 4 * BOX  # the longer side of the ink's box while ink is separated from noise
_FEWEST = 6  # pixels that the longer side of a digit must have
_TINY = 0.025  # of the page's longer side: smaller ink is lost when the page is cleaned
# The share of its box that a filled shape takes, if it is about as wide as high. More have 2 in
# 10,000 of MNIST's digits.
_FILLED = 0.73


def from_bytes(content: bytes) -> NDArray[np.uint8]:
    """Return [28, 28], ink 255 on 0 as in MNIST, from a picture's file.

    The picture may be of any size, polarity, colour and rotation. Raises PictureError for a file
    that is not a picture, is damaged, too large, or shows nothing or several digits.
    """
    return from_grey(read_grey(content))


def from_grey(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return [28, 28] as `from_bytes`, from a picture [H, W] from 0 (black) to 1 (white)."""
    whole = grey.shape
    for _ in range(3):
        grey = without_bands(grey)
        ink = without_rules(ink_of(grey))
        ink, kept = digit_of_page(ink)
        plate = sheet_around(kept)
        if plate is None:
            break
        grey = grey[slices_of(plate)]
    side = longer_side(kept)
    if side < max(_FEWEST, _TINY * max(whole)):
        raise PictureError(
            f"the ink is {side} of the picture's {max(whole)} pixels, too small: cut it out"
        )
    return _scan(ink[slices_of(bounding_box(kept, margin=0.1))])


def _scan(ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return [28, 28] from the ink of one digit with some paper around it."""
    ink = resized(ink, _WORKING) if max(ink.shape) > _WORKING else ink
    kept = digit_mask(ink_mask(ink))
    around = grown(kept)
    # Noise and the paper's texture are as strong in the ink as beside it.
    noise = 2 * robust_deviation(ink[~around])
    ink = np.where(around, np.maximum(ink - noise, 0), 0)
    ink = resized(ink[slices_of(bounding_box(kept))], BOX, both_ways=True)
    if ink.max() <= 0.02:
        raise empty_page()
    # The line of a thin pen is narrower than a pixel now; it would be fainter than MNIST's lines.
    ink /= np.quantile(ink[ink > 0], 0.95) if (ink > 0.02).sum() > 5 else ink.max()
    shape = ink > 0.5
    shape = shape[slices_of(bounding_box(shape))]
    if min(shape.shape) >= 0.6 * max(shape.shape) and shape.mean() > _FILLED:
        raise PictureError("a filled shape: a digit is drawn with lines")
    return _centred(np.round(255 * np.clip(ink, 0, 1)).astype(np.uint8))


def _centred(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return [28, 28] with the centre of mass of the ink [<=20, <=20] in the middle.

    It is moved by whole pixels, rounded up, as MNIST's images are: in 300 of 300 of its test images
    the centre is 14.0 to 15.0 pixels from the upper left corner.
    """
    corner = []
    for axis, length in enumerate(ink.shape):
        weights = ink.sum(axis=1 - axis, dtype=np.float64)
        centre = (weights * (np.arange(length) + 0.5)).sum() / weights.sum()
        corner.append(int(np.clip(np.ceil(SIZE / 2 - centre), 0, SIZE - length)))
    image = np.zeros((SIZE, SIZE), np.uint8)
    image[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = ink
    return image
