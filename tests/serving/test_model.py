import base64
import json
from pathlib import Path

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel, scoring_server

from mnist_exp import data
from mnist_exp.serving import package as model_package
from mnist_exp.serving.form import DIGITS
from mnist_exp.serving.model import ServedModel, _load_pyfunc, as_picture
from mnist_exp.serving.preprocessing import from_bytes
from tests.support.pictures import dark_on_light, encoded, large


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(0)
    images = keras.Input((28, 28, 1))
    network = keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(images)))
    path = tmp_path_factory.mktemp("network") / "model.keras"
    network.save(path)
    return path


@pytest.fixture(scope="module")
def model(keras_file: Path) -> ServedModel:
    return _load_pyfunc(str(keras_file))


@pytest.fixture(scope="module")
def digits(mnist: data.Dataset) -> np.ndarray:
    return mnist.test.images[:3]


def probabilities(answer: pd.DataFrame) -> np.ndarray:
    return np.array(answer["probabilities"].tolist())


def test_arrays_in_every_range_and_shape_are_the_same_images(
    model: ServedModel, digits: np.ndarray
) -> None:
    expected = model.predict(digits)
    assert (expected["digit"] == probabilities(expected).argmax(axis=1)).all()
    assert probabilities(expected).sum(axis=1) == pytest.approx(1)
    for model_input in (
        digits / 255,
        digits[..., 0],
        {"image": digits[..., 0]},
        digits.tolist(),
        pd.DataFrame({"image": digits.tolist()}),
        {"image": digits[..., 0].astype(object)},
    ):
        assert probabilities(model.predict(model_input)) == pytest.approx(
            probabilities(expected), abs=1e-6
        )


def test_pictures_are_preprocessed(model: ServedModel, digits: np.ndarray) -> None:
    files = [encoded(dark_on_light(large(digit))) for digit in digits[..., 0]]
    texts = [base64.b64encode(file).decode() for file in files]
    texts[1] = f"data:image/png;base64,{texts[1]}"
    answer = model.predict(pd.DataFrame({"image": texts}), {"return_pixels": True})
    seen = np.stack([from_bytes(file) for file in files])
    assert (np.array(answer["pixels"].tolist()) == seen).all()
    assert probabilities(answer) == pytest.approx(probabilities(model.predict(seen)), abs=1e-6)
    assert "pixels" not in model.predict(texts)


def test_many_images_are_computed_in_parts(model: ServedModel, mnist: data.Dataset) -> None:
    images = mnist.test.images[:1001]
    assert probabilities(model.predict(images))[1000] == pytest.approx(
        probabilities(model.predict(images[1000:]))[0], abs=1e-6
    )


@pytest.mark.parametrize("scale", [1.0000002, 1.0019], ids=str)
def test_pixels_a_little_above_white_are_not_taken_for_nearly_black_ones(
    model: ServedModel, mnist: data.Dataset, scale: float
) -> None:
    images = mnist.test.images[:3].astype(np.float32) / 255
    as_it_is = probabilities(model.predict(images))
    above = np.concatenate([images[:2], images[2:] * np.float32(scale)])
    for given in (above, above - np.float32(1e-7)):
        assert probabilities(model.predict(given)) == pytest.approx(as_it_is, abs=1e-3)
        assert probabilities(model.predict(given[2:])) == pytest.approx(as_it_is[2:], abs=1e-3)


def test_images_in_both_ranges_are_not_mixed(model: ServedModel, mnist: data.Dataset) -> None:
    whole = mnist.test.images[:1].astype(np.float32)
    for mixed in (whole / 255, whole / 255 * 1.01):
        with pytest.raises(MlflowException, match="in 0..1, or of all in 0..255; found 0 to"):
            model.predict(np.concatenate([whole, mixed]))
    dark = np.zeros_like(whole)
    dark[0, 10:18, 14] = 1  # of 255, or white
    assert probabilities(model.predict(np.concatenate([whole, dark])))[1] == pytest.approx(
        probabilities(model.predict(dark / 255))[0], abs=1e-6
    )
    resized = whole * 0.93  # with fractions, in 0..255
    assert probabilities(model.predict(resized)) == pytest.approx(
        probabilities(model.predict(resized / 255)), abs=1e-6
    )


BLANK = as_picture(np.zeros((28, 28), np.uint8))


@pytest.mark.parametrize(
    ("model_input", "reason"),
    [
        (np.zeros((2, 28, 27)), r"found float64 \[2, 28, 27\]"),
        (np.zeros((0, 28, 28)), "at least one image, found none"),
        (np.full((1, 28, 28), -1.0), "of all images in 0..1, or of all in 0..255; found -1 to -1"),
        (np.full((1, 28, 28), np.nan), "found nan to nan"),
        (["not base64!"], "image 0: expected a picture's file in base64, found 'not base64!'"),
        ([BLANK], "image 0: the page is empty"),
        ([BLANK, 3], "expected"),
        ([[1, 2], [3]], "expected base64-encoded pictures, .* found list of different shapes"),
        (pd.DataFrame({"picture": [BLANK]}), "expected a column image, found picture"),
    ],
    ids=str,
)
def test_what_is_no_image_is_refused_as_the_clients_mistake(
    model: ServedModel, model_input: object, reason: str
) -> None:
    with pytest.raises(MlflowException, match=reason) as refused:
        model.predict(model_input)
    assert refused.value.get_http_status_code() == 400


def test_it_needs_nothing_of_mnist_exp_but_its_own_package() -> None:
    _, sources = model_package.code()
    for path, source in sources.items():
        assert "from mnist_exp" not in source.decode(), path
        assert "import mnist_exp" not in source.decode(), path


PICTURE = encoded(dark_on_light(large(np.pad(np.full((20, 4), 255, np.uint8), ((4, 4), (12, 12))))))
TEXT = base64.b64encode(PICTURE).decode()
BROKEN = base64.encodebytes(PICTURE).decode()  # into lines
SAFE = base64.urlsafe_b64encode(PICTURE).decode().rstrip("=")  # for URLs, and without padding
URL = f"data:image/png;base64,{TEXT}"
ARRAY = from_bytes(PICTURE).tolist()
REQUESTS: dict[str, tuple[str, object]] = {
    "dataframe_split": (
        "json",
        {"dataframe_split": {"columns": ["image"], "data": [[TEXT], [BROKEN]]}},
    ),
    "an index": (
        "json",
        {"dataframe_split": {"index": [3, 9], "columns": ["image"], "data": [[TEXT], [SAFE]]}},
    ),
    "dataframe_records": ("json", {"dataframe_records": [{"image": URL}, {"image": BROKEN}]}),
    "records of arrays": ("json", {"dataframe_records": [{"image": ARRAY}, {"image": ARRAY}]}),
    "instances": ("json", {"instances": [{"image": TEXT}, {"image": SAFE}]}),
    "instances as texts": ("json", {"instances": [BROKEN, URL]}),
    "instances as arrays": ("json", {"instances": [ARRAY, ARRAY]}),
    "instances of arrays": ("json", {"instances": [{"image": ARRAY}, {"image": ARRAY}]}),
    "TensorFlow Serving's bytes": (
        "json",
        {"instances": [{"image": {"b64": TEXT}}, {"image": {"b64": SAFE}}]},
    ),
    "inputs by column": ("json", {"inputs": {"image": [URL, SAFE]}}),
    "inputs by row": ("json", {"inputs": [{"image": TEXT}, {"image": BROKEN}]}),
    "inputs": ("json", {"inputs": [TEXT, BROKEN]}),
    "CSV": ("csv", f'name,image\n"a, b",{TEXT}\nc,{SAFE}\n'),
    "CSV with quotes": ("csv", f'image\n"{URL}"\n"{BROKEN}"\n'),
}


@pytest.fixture(scope="module")
def served(keras_file: Path, tmp_path_factory: pytest.TempPathFactory) -> PyFuncModel:
    """The model behind MLflow's checks, with the signature that a logged one has."""
    folder = tmp_path_factory.mktemp("served")
    package = model_package._package(folder)
    mlflow.pyfunc.save_model(
        folder / "model",
        loader_module=f"{package.name}.{model_package._LOADER}",
        data_path=str(keras_file),
        code_paths=[str(package)],
        signature=model_package.signature(DIGITS),
        pip_requirements=[],
    )
    return mlflow.pyfunc.load_model(str(folder / "model"))


@pytest.mark.parametrize("form", REQUESTS)
def test_every_form_of_a_request_to_mlflows_server(
    served: PyFuncModel, model: ServedModel, form: str
) -> None:
    kind, body = REQUESTS[form]
    text = body if isinstance(body, str) else json.dumps(body)
    mime = "text/csv" if kind == "csv" else "application/json"
    answer = scoring_server.invocations(text, mime, served, served.metadata.get_input_schema())
    assert answer.status == 200
    rows = json.loads(answer.response)["predictions"]
    expected = model.predict([TEXT]).iloc[0]
    assert [row["digit"] for row in rows] == [expected["digit"]] * 2
    for row in rows:
        assert row["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-6)
