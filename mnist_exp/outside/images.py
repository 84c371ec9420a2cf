"""Images of a data set as people look at them: in matplotlib's axes, and in a page."""

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def as_seen(image: NDArray[np.uint8], *, ink: bool) -> NDArray[np.uint8]:
    """Return an image [H, W, 1] or [H, W, 3] as a picture [H, W], grey, or [H, W, 3], in colour.

    `ink`: large numbers of the file are ink on paper, as in MNIST, and not light.
    """
    picture = image[:, :, 0] if image.shape[2] == 1 else image
    return 255 - picture if ink else picture


def draw(axes: "Axes", picture: NDArray[np.uint8], title: str, font_size: float = 8) -> None:
    """Draw a picture [H, W] or [H, W, 3] below a title, without axes; its pixels are squares."""
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.set_title(title, fontsize=font_size, parse_math=False)
    axes.set_axis_off()


def data_uri(picture: NDArray[np.uint8], longest: int = 112) -> str:
    """Return a picture [H, W] or [H, W, 3] as the URI of a PNG, for a page that loads no files.

    A larger one is made smaller, to `longest` pixels on its longer side.
    """
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture))
    if max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
