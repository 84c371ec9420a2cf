"""Turn any picture into the pixels of a network that reads other images than digits.

The whole picture is scaled to the network's size, whatever its own aspect ratio, as Keras'
`image_dataset_from_directory` does unless it is told otherwise. Nothing is cut off, added or
inverted: a network knows its images only as its training data show them. A picture that has the
size already becomes the pixels that it would become in a folder of training pictures.

A copy of this file is part of every logged model, so it imports numpy and Pillow only.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .picture_files import upright

_KEPT = 4  # times the size: so much of a large JPEG is decoded


def from_bytes(content: bytes, image_shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return [H, W, C] from a picture's file, in grey for one channel and in colour for three.

    Raises PictureError for a file that is not a picture, is damaged or too large.
    """
    height, width, channels = image_shape
    mode = "L" if channels == 1 else "RGB"
    picture = upright(content, mode, _KEPT * max(height, width))
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture, np.uint8).reshape(image_shape)
