"""Arrays of images in the layouts that people save, as [N, H, W, C]."""

import numpy as np
from numpy.typing import NDArray

from mnist_exp.errors import DataError

MOST_BYTES = 4_000_000_000  # of all images of a part; those of MNIST have a hundredth of it
_CONVERSIONS = {
    "f": '(255 * {0}).round().astype("uint8") converts pixels from 0 to 1',
    "b": '(255 * {0}).astype("uint8") converts them',
    "u": '({0} >> 8).astype("uint8") keeps the upper 8 of 16 bits',
    "i": '{0}.astype("uint8") converts pixels that are 0 to 255',
}


def check_type(dtype: "np.dtype[np.generic]", where: str, name: str) -> None:
    """Raise DataError, with how to convert the array `name`, if it is not of unsigned bytes."""
    if dtype == np.uint8:
        return
    how = _CONVERSIONS.get(dtype.kind, "")
    raise DataError(
        f"{where}: expected pixels as uint8, found {dtype}"
        + (f"; {how.format(name)}" if how else "")
    )


def check_shape(shape: tuple[int, ...], where: str, name: str) -> None:
    """Raise DataError if the array `name` is not of images in 1 or 3 channels."""
    channels = _channels(shape)
    if 0 in shape:
        raise DataError(f"{where}: expected at least one example, found shape {list(shape)}")
    if channels is not None:
        return
    hint = ""
    if len(shape) == 4 and shape[3] in (2, 4):
        hint = f"; {name}[..., :{shape[3] - 1}] leaves out the opacity"
    elif len(shape) == 2 and int(shape[1] ** 0.5) ** 2 == shape[1]:
        side = int(shape[1] ** 0.5)
        hint = f"; {name}.reshape(-1, {side}, {side}) is square"
    raise DataError(
        f"{where}: expected images [N, height, width] or [N, height, width, channels] with 1 or 3 "
        f"channels, found shape {list(shape)}{hint}"
    )


def channels_last(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return [N, H, W, C] for an array of a shape that `check_shape` takes.

    [N, C, H, W] is taken where it can mean nothing else.
    """
    match _channels(images.shape):
        case 0:
            return images[..., np.newaxis]
        case 1:
            return np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        case _:
            return images


def in_color(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey images [N, H, W, 1] in three equal channels."""
    return np.repeat(images, 3, axis=3)


def _channels(shape: tuple[int, ...]) -> int | None:
    """Return which axis has the channels: 3 or 1; 0 if there is none; None for no images."""
    if len(shape) == 3:
        return 0
    if len(shape) != 4:
        return None
    return next((axis for axis in (3, 1) if shape[axis] in (1, 3)), None)
