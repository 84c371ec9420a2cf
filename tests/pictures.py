"""Pictures of MNIST's digits as people might have them, made from the test images [28, 28]."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Digit = NDArray[np.uint8]
Make = Callable[[Digit, np.random.Generator], bytes]


def encoded(picture: Image.Image, kind: str = "PNG", **settings: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def large(digit: Digit, size: int = 400) -> Image.Image:
    """Light on dark, as MNIST is."""
    return Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)


def dark_on_light(picture: Image.Image) -> Image.Image:
    return Image.fromarray(255 - np.asarray(picture))


def on_canvas(digit: Digit, random: np.random.Generator) -> Image.Image:
    """A digit of 260 pixels anywhere on a white page of 900 x 700."""
    page = Image.new("L", (900, 700), 255)
    page.paste(dark_on_light(large(digit, 260)), (int(random.integers(640)), int(random.integers(440))))
    return page


def noisy(picture: Image.Image, random: np.random.Generator, deviation: float) -> Image.Image:
    """With Gaussian noise; `deviation` is a fraction of the range."""
    values = np.asarray(picture, float) + random.normal(0, 255 * deviation, (picture.height, picture.width))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def speckled(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """3% of the pixels black or white."""
    values, chance = np.array(picture), random.random((picture.height, picture.width))
    values[chance < 0.015], values[chance > 0.985] = 0, 255
    return Image.fromarray(values)


def photo(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Ink on yellowish paper under light that fades to the right and to the bottom, with a sensor's noise."""
    paper = 1 - np.asarray(large(digit), float) / 255
    y, x = np.mgrid[0:1:400j, 0:1:400j]
    light = (0.85 - 0.35 * x - 0.15 * y) * (0.3 + 0.7 * paper) + random.normal(0, 0.03, paper.shape)
    colored = light[:, :, None] * np.array([1, 0.97, 0.88])
    return Image.fromarray((255 * np.clip(colored, 0, 1)).astype(np.uint8))


def thin(digit: Digit) -> Image.Image:
    """Strokes 15 pixels thinner than in the 400 pixels of `large`, which leaves a fine pen's line."""
    return dark_on_light(large(digit).filter(ImageFilter.MinFilter(15)))


ROBUSTNESS: dict[str, Make] = {
    "as it is, 28 px": lambda d, r: encoded(Image.fromarray(d)),
    "400 px": lambda d, r: encoded(large(d)),
    "400 px, dark on light": lambda d, r: encoded(dark_on_light(large(d))),
    "off-centre on a page of 900 x 700": lambda d, r: encoded(on_canvas(d, r)),
    "400 px, noise of 15%": lambda d, r: encoded(noisy(dark_on_light(large(d)), r, 0.15)),
    "28 px, noise of 10%": lambda d, r: encoded(noisy(Image.fromarray(d), r, 0.1)),
    "400 px, 3% black or white specks": lambda d, r: encoded(speckled(dark_on_light(large(d)), r)),
    "400 px, JPEG of quality 30": lambda d, r: encoded(dark_on_light(large(d)), "JPEG", quality=30),
    "off-centre, noise of 10%, JPEG": lambda d, r: encoded(noisy(on_canvas(d, r), r, 0.1), "JPEG"),
    "photo: uneven light, colour, noise": lambda d, r: encoded(photo(d, r), "JPEG"),
    "fine pen": lambda d, r: encoded(thin(d)),
}


def png_header(width: int, height: int) -> bytes:
    """The start of a PNG file of that size, as far as its first pixels."""

    def chunk(content: bytes) -> bytes:
        return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))

    header = chunk(b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT" + zlib.compress(bytes(100)))
