import base64
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from pictures import dark_on_light, encoded, large

from mnist_exp import data
from mnist_exp.preprocessing import from_bytes
from mnist_exp.served_model import DigitModel, _load_pyfunc, as_picture


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> DigitModel:
    keras.utils.set_random_seed(0)
    images = keras.Input((28, 28, 1))
    network = keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(images)))
    path = tmp_path_factory.mktemp("network") / "model.keras"
    network.save(path)
    return _load_pyfunc(str(path))


@pytest.fixture(scope="module")
def digits(mnist: data.Dataset) -> np.ndarray:
    return mnist.test.images[:3]


def probabilities(answer: pd.DataFrame) -> np.ndarray:
    return np.array(answer["probabilities"].tolist())


def test_arrays_in_every_range_and_shape_are_the_same_images(model: DigitModel, digits: np.ndarray) -> None:
    expected = model.predict(digits)
    assert (expected["digit"] == probabilities(expected).argmax(axis=1)).all()
    assert probabilities(expected).sum(axis=1) == pytest.approx(1)
    for given in (digits / 255, digits[..., 0], {"image": digits[..., 0]}, digits.tolist(),
                  pd.DataFrame({"image": digits.tolist()}), {"image": digits[..., 0].astype(object)}):  # fmt: skip
        assert probabilities(model.predict(given)) == pytest.approx(probabilities(expected), abs=1e-6)


def test_pictures_are_preprocessed(model: DigitModel, digits: np.ndarray) -> None:
    files = [encoded(dark_on_light(large(digit))) for digit in digits[..., 0]]
    texts = [base64.b64encode(file).decode() for file in files]
    texts[1] = f"data:image/png;base64,{texts[1]}"
    answer = model.predict(pd.DataFrame({"image": texts}), {"return_pixels": True})
    seen = np.stack([from_bytes(file) for file in files])
    assert (np.array(answer["pixels"].tolist()) == seen).all()
    assert probabilities(answer) == pytest.approx(probabilities(model.predict(seen)), abs=1e-6)
    assert "pixels" not in model.predict(texts)


def test_many_images_are_computed_in_parts(model: DigitModel, mnist: data.Dataset) -> None:
    images = mnist.test.images[:1001]
    assert probabilities(model.predict(images))[1000] == pytest.approx(
        probabilities(model.predict(images[1000:]))[0], abs=1e-6
    )


BLANK = as_picture(np.zeros((28, 28), np.uint8))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((2, 28, 27)), r"found float64 \[2, 28, 27\]"),
        (np.zeros((0, 28, 28)), "at least one image, found none"),
        (np.full((1, 28, 28), -1.0), "pixels in 0..1 or 0..255, found -1 to -1"),
        (np.full((1, 28, 28), np.nan), "found nan to nan"),
        (["not base64!"], "image 0: expected a PNG or JPEG file in base64"),
        ([BLANK], "image 0: the page is empty"),
        ([BLANK, 3], "expected"),
        ([[1, 2], [3]], "images of one kind and shape"),
        (pd.DataFrame({"picture": [BLANK]}), "expected a column image, found picture"),
    ],
    ids=str,
)
def test_what_is_no_image_is_refused_as_the_clients_mistake(
    model: DigitModel, given: object, said: str
) -> None:
    with pytest.raises(MlflowException, match=said) as refused:
        model.predict(given)
    assert refused.value.get_http_status_code() == 400


def test_it_needs_nothing_of_mnist_exp_but_its_own_package() -> None:
    text = (Path(__file__).parent.parent / "mnist_exp" / "served_model.py").read_text()
    assert "from mnist_exp" not in text
    assert "import mnist_exp" not in text
