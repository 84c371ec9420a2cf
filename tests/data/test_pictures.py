import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_exp.data.pictures import decoded
from tests.support.data_forms import encoded

COLOR = np.random.default_rng(0).integers(0, 256, (6, 5, 3)).astype(np.uint8)


def file_of(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "JPEG"])
def test_each_format_is_read(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = decoded(file_of(Image.fromarray(COLOR), kind, **options))
    assert pixels.shape == (6, 5, 3)
    if kind != "JPEG":
        np.testing.assert_array_equal(pixels, COLOR)


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3), ("CMYK", 3), ("YCbCr", 3)],
)
def test_each_mode_is_read_in_one_or_three_channels(mode: str, channels: int) -> None:
    picture = Image.fromarray(COLOR).convert(mode)
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    assert decoded(file_of(picture, kind)).shape == (6, 5, channels)


def test_opacity_is_left_out() -> None:
    picture = Image.fromarray(COLOR)
    picture.putalpha(Image.fromarray(COLOR[..., 0]))
    np.testing.assert_array_equal(decoded(file_of(picture)), COLOR)


def test_a_palette_of_greys_is_grey() -> None:
    grey = Image.fromarray(COLOR[..., 0]).convert("P")
    np.testing.assert_array_equal(decoded(file_of(grey)), COLOR[..., :1])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decoded(file_of(Image.fromarray(COLOR), exif=exif))
    assert pixels.shape[:2] == ((6, 5) if orientation <= 4 else (5, 6))
    turned = {1: COLOR, 3: COLOR[::-1, ::-1], 6: np.rot90(COLOR, -1), 8: np.rot90(COLOR)}
    if orientation in turned:
        np.testing.assert_array_equal(pixels, turned[orientation])


@settings(max_examples=60)
@given(kind=st.sampled_from(["PNG", "JPEG", "BMP", "WEBP"]), data=st.data())
def test_damage_is_a_value_error_in_one_line_or_a_picture(kind: str, data: st.DataObject) -> None:
    content = bytearray(encoded(COLOR, kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        assert decoded(bytes(content[:cut])).dtype == np.uint8
    except ValueError as error:
        assert str(error)
        assert "\n" not in str(error)
