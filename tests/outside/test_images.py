import base64
import io

import numpy as np
import pytest
from PIL import Image

from mnist_exp.outside.images import as_seen, data_uri


def decoded(uri: str) -> np.ndarray:
    start, body = uri.split(",")
    assert start == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


def test_ink_is_dark_and_light_is_light() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert np.array_equal(as_seen(image, ink=False), image[:, :, 0])
    assert np.array_equal(as_seen(image, ink=True), 255 - image[:, :, 0])


@pytest.mark.parametrize("shape", [(28, 28), (3, 50), (32, 32, 3), (5, 100, 3)])
def test_a_small_picture_is_in_the_page_pixel_by_pixel(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert np.array_equal(decoded(data_uri(picture)), picture)


def test_a_large_picture_is_made_smaller_and_keeps_its_shape() -> None:
    picture = np.full((600, 1200, 3), (200, 100, 50), np.uint8)
    small = decoded(data_uri(picture))
    assert small.shape == (56, 112, 3)
    assert np.array_equal(small[20, 20], (200, 100, 50))
