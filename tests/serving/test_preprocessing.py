"""A digit is cut out of its page as MNIST's digits were; what is not one digit is refused."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_exp import data
from mnist_exp.serving.picture_files import PictureError
from mnist_exp.serving.preprocessing import from_bytes, from_grey
from tests.support.pictures import KINDS, dark_on_light, difference, encoded, large, noisy


def test_mnists_own_images_stay_what_they_are(mnist: data.Dataset) -> None:
    differences = [
        difference(from_bytes(encoded(Image.fromarray(image))), image)
        for image in mnist.test.images[:50, :, :, 0]
    ]
    assert np.median(differences) < 3
    assert max(differences) < 25  # moved by a pixel, or a speck is gone


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


def two_digits(first: np.ndarray, second: np.ndarray, apart: tuple[int, int]) -> Image.Image:
    """Return both digits in 200 pixels; the second one is moved to the right and down."""
    page = Image.new("L", (900, 900))
    page.paste(large(first, 200), (50, 50))
    moved = Image.new("L", (900, 900))
    moved.paste(large(second, 200), (50 + apart[0], 50 + apart[1]))
    return dark_on_light(Image.fromarray(np.maximum(np.asarray(page), np.asarray(moved))))


@pytest.mark.first_cases(2)
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


@pytest.mark.first_cases(8)
@pytest.mark.parametrize("form", KINDS)
def test_the_scan_is_that_of_the_clean_picture(mnist: data.Dataset, form: str) -> None:
    """Most pixels are those of the same digits on white paper, but for noise and thin lines."""
    random, differences = np.random.default_rng(3), []
    for index in (0, 1):
        digit = mnist.test.images[index, :, :, 0]
        clean = from_bytes(encoded(dark_on_light(large(digit))))
        differences.append(difference(from_bytes(KINDS[form](digit, random)), clean))
    assert max(differences) < 30  # two different digits differ by 40 and more


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


@pytest.mark.parametrize(("side", "reason"), [(4, "too small"), (12, "filled"), (140, "filled")])
def test_a_dot_is_no_digit(side: int, reason: str) -> None:
    page = Image.new("L", (300, 300), 255)
    ImageDraw.Draw(page).ellipse((150, 150, 149 + side, 149 + side), fill=0)
    with pytest.raises(PictureError, match=reason):
        from_bytes(encoded(page))
