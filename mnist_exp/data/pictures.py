"""Decode the pictures of a data set: PNG, JPEG, WebP and BMP, in 8 bits a channel.

They are decoded as Keras and torchvision decode them: opacity is left out, a palette's colours are
looked up, CMYK becomes RGB. Unlike there, a picture is turned upright as its EXIF says, which
`predict` and Hugging Face's `datasets` do, too.
"""

import contextlib
import io
import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from mnist_exp.data import image_arrays
from mnist_exp.errors import DataError
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

MOST_PIXELS = 100_000_000  # of one picture
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB")
_GREY = ("1", "L", "LA", "La")

# Pictures that are too large are refused here; damaged EXIF is ignored.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\.")


def stacked(count: int, pictures: Iterable[tuple[int, str, bytes]]) -> NDArray[np.uint8]:
    """Decode `count` pictures of one size -> uint8 [count, H, W, 1], or with 3 channels.

    `pictures` has (position in the result, where it is for messages, file) of each. If one is in
    colour, the grey ones get three equal channels. Raises DataError.
    """
    images, first = None, ""
    for position, where, content in pictures:
        try:
            image = decoded(content)
        except ValueError as error:
            raise DataError(f"{where}: {error}") from None
        height, width, channels = image.shape
        if images is None:
            images, first = _room(count, image.shape, where), where
        if (height, width) != images.shape[1:3]:
            raise DataError(
                f"{where}: expected pictures of one size, found {width}x{height} pixels where "
                f"{first} has {images.shape[2]}x{images.shape[1]}; resize them first"
            )
        if channels > images.shape[3]:
            _check_room(count, image.shape, where)
            images = image_arrays.in_color(images)
        images[position] = image
    assert images is not None, "a part without pictures is refused before"
    return images


def decoded(content: bytes) -> NDArray[np.uint8]:
    """Return a picture's pixels, [H, W, 1] if it is grey and else [H, W, 3].

    Raises ValueError, in one line, for what is no picture, is damaged or too large.
    """
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if (pixels := picture.width * picture.height) > MOST_PIXELS:
                raise ValueError(_too_large(f"{pixels:,} pixels"))
            if picture.mode.startswith(("I", "F")):
                raise ValueError(
                    "expected 8 bits a channel, found 16 or more; "
                    'np.asarray(picture) >> 8 keeps the upper 8 of 16, to save as "uint8"'
                )
            return _pixels(_upright(picture))
    except (MemoryError, ValueError):
        raise
    except UnidentifiedImageError:
        raise ValueError("cannot be read as a PNG, JPEG, WebP or BMP picture") from None
    except Image.DecompressionBombError:
        raise ValueError(_too_large("more")) from None
    except Exception as error:  # whatever Pillow's readers raise
        raise ValueError(f"the picture is damaged ({clean(error, 100)})") from error


def _too_large(found: str) -> str:
    return f"expected a picture of at most {MOST_PIXELS:,} pixels, found {found}"


def _upright(picture: Image.Image) -> Image.Image:
    turned: Image.Image = picture
    with contextlib.suppress(Exception):  # Pillow raises anything for damaged EXIF
        if picture.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            turned = ImageOps.exif_transpose(picture)
    return turned


def _pixels(picture: Image.Image) -> NDArray[np.uint8]:
    if picture.mode in _GREY:
        return np.asarray(picture.convert("L"))[..., np.newaxis]
    pixels = np.asarray(picture.convert("RGB"))
    if picture.mode == "P" and (pixels == pixels[..., :1]).all():  # all its colours are grey
        return pixels[..., :1]
    return pixels


def _room(count: int, shape: tuple[int, ...], where: str) -> NDArray[np.uint8]:
    _check_room(count, shape, where)
    return np.zeros((count, *shape), np.uint8)


def _check_room(count: int, shape: tuple[int, ...], where: str) -> None:
    if count * int(np.prod(shape)) > image_arrays.MOST_BYTES:
        height, width, channels = shape
        raise DataError(
            f"{where}: {plural(count, 'picture')} of {width}x{height} pixels in "
            f"{plural(channels, 'channel')} take more than {image_arrays.MOST_BYTES:,} bytes; "
            "data.train_limit and data.eval_limit read fewer, or make them smaller first"
        )
