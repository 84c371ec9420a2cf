"""A logged model answers the same in the run, without this package, and from a server."""

import base64
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import mlflow
import numpy as np
import pytest

from mnist_exp import data
from mnist_exp.errors import UserError
from mnist_exp.predict.trained_models import Models, TrainedModel
from tests.support.pictures import KINDS, dark_on_light, encoded, large
from tests.support.runs import Trained
from tests.support.servers import ask, model_server
from tests.support.waiting import LIMIT


@pytest.fixture(scope="module")
def model(trained: Trained) -> TrainedModel:
    return Models(trained.uri).load("latest")


def test_index_gives_what_the_run_recorded(
    trained: Trained, model: TrainedModel, mnist: data.Dataset
) -> None:
    """Through the logged model as in the run's own evaluation, which is in predictions/test.npz."""
    (path,) = trained.folder.rglob("test.npz")
    recorded = np.load(path)["probability"]
    for index in (0, 1, 9999):
        prediction = model.predict(mnist.test.images[index])
        assert prediction.probabilities == pytest.approx(recorded[index], abs=1e-5)
        assert (prediction.pixels == mnist.test.images[index]).all()


def test_a_run_registers_its_model(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    client = mlflow.MlflowClient(trained.uri)
    (version,) = client.search_model_versions(f"name='{trained.variant}'")
    assert version.run_id == trained.run_id
    assert client.get_model_version_by_alias(trained.variant, "best").version == version.version
    monkeypatch.setenv("MLFLOW_TRACKING_URI", trained.uri)
    for ending in ("@best", "@latest", f"/{version.version}"):
        address = f"{trained.variant}{ending}"
        assert mlflow.models.get_model_info(f"models:/{address}").run_id == trained.run_id


@pytest.mark.slow
def test_the_logged_model_loads_without_mnist_exp(
    trained: Trained, model: TrainedModel, mnist: data.Dataset
) -> None:
    picture = base64.b64encode(
        encoded(dark_on_light(large(mnist.test.images[0, :, :, 0])))
    ).decode()
    code = (
        "import sys, json; sys.modules['mnist_exp'] = None; import mlflow, pandas\n"
        f"m = mlflow.pyfunc.load_model('{model.uri}')\n"
        "answer = m.predict(pandas.DataFrame({'image': [sys.argv[1]]}))\n"
        "print(json.dumps(answer['probabilities'][0]))"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
        "MLFLOW_TRACKING_URI": trained.uri
    }
    done = subprocess.run(
        [sys.executable, "-c", code, picture],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=trained.folder,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer == pytest.approx(model.predict(picture).probabilities.tolist(), abs=1e-6)


FORMS = [
    "a line of 1 px at one to four edges",
    "a box drawn around it",
    "transparent paper, indexed",
    "28 px, noise of 10%",
]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("form", FORMS)
def test_accuracy_of_changed_pictures(model: TrainedModel, mnist: data.Dataset, form: str) -> None:
    assert accuracy(model, mnist, form, 60) >= 0.9  # 97% less three standard deviations of sixty


@pytest.mark.slow
@pytest.mark.parametrize("form", KINDS)
def test_changed_pictures_are_read_as_well(
    model: TrainedModel, mnist: data.Dataset, form: str
) -> None:
    share = accuracy(model, mnist, form, 1000)
    print(f"| {form} | {share:.1%} |")
    assert share >= 0.93


def accuracy(model: TrainedModel, mnist: data.Dataset, form: str, count: int) -> float:
    """Return the accuracy on `count` test images, evenly spread, which are changed to that form.

    A picture that is refused is a wrong answer.
    """
    random, right = np.random.default_rng(1), 0
    for index in np.arange(0, 10_000, 10_000 // count)[:count]:
        file = KINDS[form](mnist.test.images[index, :, :, 0], random)
        with contextlib.suppress(UserError):
            right += (
                model.predict(base64.b64encode(file).decode()).label == mnist.test.labels[index]
            )
    return right / count


@pytest.fixture
def endpoint(trained: Trained) -> Iterator[str]:
    """Where `mlflow models serve` answers for the alias `best`."""
    with model_server(f"models:/{trained.variant}@best", trained.uri, trained.folder) as address:
        yield address


@pytest.mark.slow
def test_a_served_model_gives_the_same_answer(
    endpoint: str, model: TrainedModel, mnist: data.Dataset
) -> None:
    digit = mnist.test.images[0, :, :, 0]
    picture = base64.b64encode(encoded(dark_on_light(large(digit)), "JPEG")).decode()
    expected = model.predict(picture).probabilities.tolist()
    for body in (
        {"dataframe_split": {"columns": ["image"], "data": [[picture]]}},
        {"dataframe_records": [{"image": picture}]},
        {"inputs": {"image": [picture]}},
        {"instances": [{"image": picture}]},
        {"instances": [picture]},
        f"image\n{picture}\n",
    ):
        status, answer = ask(endpoint, body)
        assert status == 200, answer
        (row,) = answer["predictions"]
        assert row["digit"] == 7
        assert row["probabilities"] == pytest.approx(expected, abs=1e-6)
        assert row["sure"] is True
        assert 0.5 < row["confidence"] <= 1
    for array in (digit.tolist(), (digit / 255)[:, :, None].tolist()):
        status, answer = ask(endpoint, {"inputs": [array]})
        assert status == 200, answer
        served = answer["predictions"][0]["probabilities"]
        assert served == pytest.approx(
            model.predict(digit[:, :, None]).probabilities.tolist(), abs=1e-6
        )
    status, answer = ask(
        endpoint, {"dataframe_records": [{"image": base64.b64encode(b"text").decode()}]}
    )
    assert status == 400
    assert "not a picture in PNG, JPEG" in str(answer["message"])
