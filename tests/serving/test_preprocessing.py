import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mnist_exp import data
from mnist_exp.serving.picture_files import MOST_PIXELS, PictureError
from mnist_exp.serving.preprocessing import from_bytes, from_grey
from tests.support.pictures import KINDS, dark_on_light, encoded, large, noisy, png_header


@pytest.fixture(scope="module")
def seven(mnist: data.Dataset) -> np.ndarray:
    """The first test image [28, 28]."""
    return mnist.test.images[0, :, :, 0]


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean over the pixels, of 255."""
    return float(np.abs(one.astype(float) - other).mean())


def test_mnists_own_images_stay_what_they_are(mnist: data.Dataset) -> None:
    found = [
        difference(from_bytes(encoded(Image.fromarray(image))), image)
        for image in mnist.test.images[:50, :, :, 0]
    ]
    assert np.median(found) < 3
    assert max(found) < 25  # moved by a pixel, or a speck is gone


def test_ink_fits_20_pixels_and_its_mass_is_in_the_middle(mnist: data.Dataset) -> None:
    for digit in mnist.test.images[:20, :, :, 0]:
        seen = from_bytes(encoded(dark_on_light(large(digit))))
        assert (seen.shape, seen.dtype) == ((28, 28), np.uint8)
        rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        for axis in (0, 1):
            weights = seen.sum(axis=1 - axis)
            assert (weights * (np.arange(28) + 0.5)).sum() / weights.sum() == pytest.approx(
                14.5, abs=0.5
            )


def test_the_aspect_ratio_is_kept() -> None:
    page = np.full((300, 300), 255, np.uint8)
    page[40:240, 100:140] = 0
    seen = from_bytes(encoded(Image.fromarray(page))) > 127
    assert seen.any(axis=1).sum() == 20
    assert seen.any(axis=0).sum() == 4


def two_digits(one: np.ndarray, other: np.ndarray, apart: tuple[int, int]) -> Image.Image:
    """Both in 200 pixels, the second one moved by that many to the right and down."""
    page = Image.new("L", (900, 900))
    page.paste(large(one, 200), (50, 50))
    moved = Image.new("L", (900, 900))
    moved.paste(large(other, 200), (50 + apart[0], 50 + apart[1]))
    return dark_on_light(Image.fromarray(np.maximum(np.asarray(page), np.asarray(moved))))


@pytest.mark.parametrize("apart", [(200, 0), (0, 220), (600, 600), (170, 10)], ids=str)
def test_several_digits_are_reported(mnist: data.Dataset, apart: tuple[int, int]) -> None:
    for index in range(6):
        pair = mnist.test.images[2 * index, :, :, 0], mnist.test.images[2 * index + 1, :, :, 0]
        with pytest.raises(PictureError, match="^2 digits: draw or cut out one$"):
            from_bytes(encoded(two_digits(*pair, apart)))


def test_broken_strokes_are_one_digit(mnist: data.Dataset) -> None:
    refused = 0
    for digit in mnist.train.images[7000:7400, :, :, 0]:
        try:
            from_bytes(encoded(Image.fromarray(digit)))
        except PictureError:
            refused += 1
    assert refused <= 1


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
    """Black ink with the grey of its edges as it was on white paper, and transparent where the paper was white."""
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


@pytest.mark.parametrize("form", FORMS)
def test_a_digit_is_the_same_in_any_form(seven: np.ndarray, form: str) -> None:
    assert (
        difference(from_bytes(FORMS[form](seven)), from_bytes(encoded(dark_on_light(large(seven)))))
        < 6
    )


def empty_pages() -> dict[str, bytes]:
    white = Image.new("L", (300, 200), 255)
    return {
        "white": encoded(white),
        "black": encoded(Image.new("L", (300, 200))),
        "one pixel": encoded(Image.new("L", (1, 1))),
        "JPEG": encoded(Image.new("RGB", (300, 200), "beige"), "JPEG"),
        "noise": encoded(noisy(Image.new("L", (300, 200), 200), np.random.default_rng(0), 0.02)),
        "faint light": encoded(
            Image.fromarray(np.tile(np.linspace(200, 255, 300), (200, 1)).astype(np.uint8))
        ),
    }


@pytest.mark.parametrize("page", empty_pages())
def test_an_empty_page_is_refused(page: str) -> None:
    with pytest.raises(PictureError, match="the page is empty"):
        from_bytes(empty_pages()[page])


@pytest.mark.parametrize(
    ("content", "said"),
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
def test_what_is_no_picture_is_refused_in_a_line(content: bytes, said: str) -> None:
    with pytest.raises(PictureError) as refused:
        from_bytes(content)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_too_large_a_picture_is_not_decoded() -> None:
    tracemalloc.start()
    with pytest.raises(PictureError):
        from_bytes(png_header(30_000, 30_000))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000 < MOST_PIXELS
    tracemalloc.stop()


@settings(max_examples=60, deadline=None)
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


@pytest.mark.parametrize("kind", range(4))
def test_any_pixels_are_read_or_refused(kind: int) -> None:
    random = np.random.default_rng(kind)
    for _ in range(25):
        height, width = random.integers(1, 70, size=2)
        pages = [
            random.random((height, width)),
            random.random((height, width)) < random.random(),
            np.kron(random.random((height, width)) < 0.5, np.ones((3, 3))),
            np.tile(random.random((height, 1)), (1, width)),
        ]
        try:
            assert from_grey(pages[kind].astype(np.float32)).shape == (28, 28)
        except PictureError as refused:
            assert "\n" not in str(refused)


@pytest.mark.parametrize("form", KINDS)
def test_the_scan_is_that_of_the_clean_picture(mnist: data.Dataset, form: str) -> None:
    """Most pixels are what they are of the same digits on white paper; noise and thin lines leave a little more."""
    random, differences = np.random.default_rng(3), []
    for index in (0, 1):
        digit = mnist.test.images[index, :, :, 0]
        clean = from_bytes(encoded(dark_on_light(large(digit))))
        differences.append(difference(from_bytes(KINDS[form](digit, random)), clean))
    assert max(differences) < 30  # two different digits differ by 40 and more


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused(seven: np.ndarray, number: float) -> None:
    values = np.asarray(dark_on_light(large(seven)), np.float32)
    picture = encoded(
        Image.fromarray(np.where(values > 250, number, values).astype(np.float32)), "TIFF"
    )
    with pytest.raises(PictureError, match="pixels are no numbers"):
        from_bytes(picture)


def test_noise_and_light_in_the_lowest_bits_are_no_ink() -> None:
    y, x = np.mgrid[-1:1:200j, -1:1:200j]
    pages = {
        "noise": 65_000 + np.random.default_rng(0).normal(0, 100, (200, 200)),
        "darker corners": 60_000 - 2_000 * (x * x + y * y),
    }
    for page in pages.values():
        with pytest.raises(PictureError, match="the page is empty"):
            from_bytes(encoded(Image.fromarray(page.astype(np.uint16))))


def on_large_page(digit: np.ndarray, size: int) -> Image.Image:
    page = Image.new("L", (4000, 3000))
    page.paste(large(digit, size), (1700, 1300))
    return dark_on_light(page)


def test_a_small_digit_on_a_large_page_is_read(mnist: data.Dataset) -> None:
    for digit in mnist.test.images[:3, :, :, 0]:
        seen = from_bytes(encoded(on_large_page(digit, 60), compress_level=1))
        assert difference(seen, from_bytes(encoded(dark_on_light(large(digit))))) < 12


def test_a_small_digit_on_a_page_that_is_not_even_is_refused_with_words(
    mnist: data.Dataset,
) -> None:
    light = np.linspace(0.6, 1, 4000, dtype=np.float32)
    for digit in mnist.test.images[:3, :, :, 0]:
        page = (np.asarray(on_large_page(digit, 60)) * light).astype(np.uint8)
        with pytest.raises(PictureError, match="too small"):
            from_bytes(encoded(Image.fromarray(page), compress_level=1))


@pytest.mark.parametrize(("side", "said"), [(4, "too small"), (12, "filled"), (140, "filled")])
def test_a_dot_is_no_digit(side: int, said: str) -> None:
    page = Image.new("L", (300, 300), 255)
    ImageDraw.Draw(page).ellipse((150, 150, 149 + side, 149 + side), fill=0)
    with pytest.raises(PictureError, match=said):
        from_bytes(encoded(page))


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
    """Every other program shows such files, and nobody knows what is in theirs."""
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
