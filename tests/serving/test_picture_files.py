"""A picture's file is read in any format and mode; what is not a picture is refused in a line."""

import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_exp import data
from mnist_exp.serving.picture_files import MOST_PIXELS, PictureError, shown
from mnist_exp.serving.preprocessing import from_bytes
from tests.support.pictures import dark_on_light, difference, encoded, large, png_header


@pytest.fixture(scope="module")
def seven(mnist: data.Dataset) -> np.ndarray:
    """Return the first test image [28, 28]."""
    return mnist.test.images[0, :, :, 0]


def test_a_picture_that_is_transparent_all_over_is_refused() -> None:
    with pytest.raises(PictureError, match="transparent all over"):
        from_bytes(encoded(Image.new("RGBA", (100, 100), (0, 0, 0, 0))))


def with_alpha(digit: np.ndarray, ink: int) -> Image.Image:
    shape = np.asarray(large(digit))
    return Image.fromarray(np.dstack([np.full_like(shape, ink)] * 3 + [shape]))


def rotated_by_exif(digit: np.ndarray) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # show it turned by 90 degrees clockwise
    return encoded(
        dark_on_light(large(digit)).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif
    )


def animated(digit: np.ndarray, kind: str) -> bytes:
    """The digit, then an empty page."""
    pages = [dark_on_light(large(digit)), Image.new("L", (400, 400), 255)]
    return encoded(pages[0], kind, save_all=True, append_images=pages[1:])


def paper_cut_out(digit: np.ndarray) -> Image.Image:
    """Return black ink whose edges are grey as on white paper; the paper is transparent."""
    grey = np.asarray(dark_on_light(large(digit)))
    return Image.fromarray(
        np.dstack([grey, grey, grey, np.where(grey > 250, 0, 255).astype(np.uint8)])
    )


def in_rgb(digit: np.ndarray, ink: str, paper: str) -> Image.Image:
    return Image.composite(
        Image.new("RGB", (400, 400), ink), Image.new("RGB", (400, 400), paper), large(digit)
    )


FORMS = {
    "GIF, first of its frames": lambda d: animated(d, "GIF"),
    "TIFF, first of its pages": lambda d: animated(d, "TIFF"),
    "WebP, first of its frames": lambda d: animated(d, "WEBP"),
    "AVIF": lambda d: encoded(dark_on_light(large(d)), "AVIF"),
    "JPEG2000": lambda d: encoded(dark_on_light(large(d)), "JPEG2000"),
    "PGM": lambda d: encoded(dark_on_light(large(d)), "PPM"),
    "BMP": lambda d: encoded(dark_on_light(large(d)).convert("RGB"), "BMP"),
    "CMYK JPEG": lambda d: encoded(dark_on_light(large(d)).convert("CMYK"), "JPEG"),
    "two frames in a phone's JPEG": lambda d: animated(d, "MPO"),
    "paper cut out": lambda d: encoded(paper_cut_out(d)),
    "grey with opacity": lambda d: encoded(with_alpha(d, 0).convert("LA")),
    "ink half transparent": lambda d: encoded(
        Image.fromarray(np.asarray(with_alpha(d, 0)) // np.array([1, 1, 1, 3], np.uint8))
    ),
    "12 bits of 16": lambda d: encoded(
        Image.fromarray(np.asarray(large(d)).astype(np.uint16) * 16)
    ),
    "fractions": lambda d: encoded(Image.fromarray(np.asarray(large(d), np.float32) / 255), "TIFF"),
    "200 levels of 16 bits, on a base": lambda d: encoded(
        Image.fromarray((30_000 + np.asarray(large(d)) / 255 * 200).astype(np.uint16))
    ),
    "fractions on a base": lambda d: encoded(
        Image.fromarray(0.5 + np.asarray(large(d), np.float32) / 25_500), "TIFF"
    ),
    "32 bits": lambda d: encoded(
        Image.fromarray(np.asarray(large(d)).astype(np.int32) * 1000), "TIFF"
    ),
    "4 bits of 8": lambda d: encoded(Image.fromarray(np.asarray(large(d)) // 17)),
    "red on green of the same brightness": lambda d: encoded(in_rgb(d, "#d00000", "#006a00")),
    "yellow on white": lambda d: encoded(in_rgb(d, "#ffff00", "#ffffff")),
    "light on dark": lambda d: encoded(large(d)),
    "JPEG": lambda d: encoded(dark_on_light(large(d)), "JPEG"),
    "blue on yellow": lambda d: encoded(
        Image.composite(
            Image.new("RGB", (400, 400), "navy"), Image.new("RGB", (400, 400), "khaki"), large(d)
        )
    ),
    "black on transparent": lambda d: encoded(with_alpha(d, 0)),
    "white on transparent": lambda d: encoded(with_alpha(d, 255)),
    "16 bits": lambda d: encoded(Image.fromarray(np.asarray(large(d)).astype(np.uint16) * 257)),
    "palette": lambda d: encoded(dark_on_light(large(d)).convert("P")),
    "grey on grey": lambda d: encoded(large(d).point(lambda v: 100 + v // 5)),
    "turned by EXIF": rotated_by_exif,
    "3,000 pixels": lambda d: encoded(large(d, 3000), "JPEG"),
    "off-centre": lambda d: encoded(
        Image.fromarray(np.pad(np.asarray(large(d)), ((300, 0), (0, 200))))
    ),
}


@pytest.mark.first_cases(4)
@pytest.mark.parametrize("form", FORMS)
def test_a_digit_is_the_same_in_any_form(seven: np.ndarray, form: str) -> None:
    assert (
        difference(from_bytes(FORMS[form](seven)), from_bytes(encoded(dark_on_light(large(seven)))))
        < 6
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            b"",
            "not a picture in PNG, JPEG, GIF, WEBP, BMP, TIFF, HEIC, AVIF, JPEG2000 or PPM format",
        ),
        (b"seven\n" * 100, "not a picture in PNG, JPEG"),
        (b"%PDF-1.7\n" + bytes(99), "a PDF, not a picture in PNG"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "pillow-heif"),
        (encoded(Image.new("RGB", (30, 30)), "EPS"), "not a picture in PNG"),
        (encoded(Image.new("L", (300, 300), 255))[:80], "the file is damaged"),
        (encoded(Image.new("L", (300, 300), 255), "JPEG")[:300], "the file is damaged"),
        (png_header(9000, 9000), "81,000,000 pixels; at most 64,000,000"),
        (png_header(30_000, 30_000), "900,000,000 pixels; at most 64,000,000"),
        (png_header(2**31 - 1, 2**31 - 1), "pixels; at most 64,000,000"),
    ],
    ids=[
        "nothing",
        "text",
        "PDF",
        "HEIC",
        "EPS",
        "cut PNG",
        "cut JPEG",
        "large",
        "30,000 x 30,000",
        "largest",
    ],
)
def test_what_is_no_picture_is_refused_in_a_line(content: bytes, reason: str) -> None:
    with pytest.raises(PictureError) as refused:
        from_bytes(content)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_too_large_a_picture_is_not_decoded() -> None:
    tracemalloc.start()
    with pytest.raises(PictureError):
        from_bytes(png_header(30_000, 30_000))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000 < MOST_PIXELS
    tracemalloc.stop()


@settings(max_examples=60)
@given(
    kind=st.sampled_from(["PNG", "JPEG"]),
    at=st.integers(0, 10_000),
    value=st.binary(min_size=1, max_size=40),
)
def test_damaged_files_are_read_or_refused(kind: str, at: int, value: bytes) -> None:
    page = Image.new("L", (60, 60), 255)
    page.paste(0, (20, 10, 30, 50))
    content = bytearray(encoded(page, kind))
    at %= len(content)
    content[at : at + len(value)] = value
    try:
        assert from_bytes(bytes(content)).shape == (28, 28)
    except PictureError as refused:
        assert "\n" not in str(refused)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused(seven: np.ndarray, number: float) -> None:
    values = np.asarray(dark_on_light(large(seven)), np.float32)
    picture = encoded(
        Image.fromarray(np.where(values > 250, number, values).astype(np.float32)), "TIFF"
    )
    with pytest.raises(PictureError, match="pixels are no numbers"):
        from_bytes(picture)


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def exif(orientation: int) -> bytes:
    return (
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"
        + orientation.to_bytes(4, "little")
        + bytes(4)
    )


METADATA = {
    "a text of 3 MB": chunk(
        b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + zlib.compress(bytes(3_000_000))
    ),
    "a colour profile of 2 MB": chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(2_000_000))),
    "EXIF that is none": chunk(b"eXIf", b"\0\x08\0\x02\x01\x12\0\x03garbage"),
    "EXIF with no turn": chunk(b"eXIf", exif(9)),
    "a size of no size": chunk(b"pHYs", bytes(3)),
    "a text with a wrong checksum": chunk(b"tEXt", b"a\0b")[:-4] + bytes(4),
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_is_no_reason_to_refuse_a_picture(name: str, seven: np.ndarray) -> None:
    """Every other program shows such files, and people do not know what is in their files."""
    plain = encoded(large(seven))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            from_bytes(plain[:33] + METADATA[name] + plain[33:]), from_bytes(plain)
        )


def test_a_png_is_turned_as_its_exif_says(seven: np.ndarray) -> None:
    turned = encoded(large(seven).transpose(Image.Transpose.ROTATE_90))
    upright = from_bytes(turned[:33] + chunk(b"eXIf", exif(6)) + turned[33:])
    np.testing.assert_array_equal(upright, from_bytes(encoded(large(seven))))


def test_a_cut_png_is_still_damaged(seven: np.ndarray) -> None:
    with pytest.raises(PictureError, match="damaged"):
        from_bytes(encoded(large(seven))[:-100])


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "JPEG"])
def test_a_picture_with_damaged_pixels_is_refused(kind: str) -> None:
    """The file is whole, but for some bytes in the middle: no digit is read from the rest."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)
    picture = Image.fromarray(noise)
    picture.info["compression"] = "tiff_lzw"  # of TIFF; the others always compress
    content = bytearray(encoded(picture, kind))
    middle = len(content) // 2
    content[middle : middle + 40] = b"\xff" * 40
    with pytest.raises(PictureError, match="damaged"):
        from_bytes(bytes(content))
    with pytest.raises(PictureError, match="damaged"):
        shown(bytes(content), 200)
