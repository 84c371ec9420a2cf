"""Predictions of a network of one's own, for pictures in folders: names in place of digits."""

import base64
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import pytest
from PIL import Image

from mnist_exp import data, run
from mnist_exp.errors import UserError
from mnist_exp.predict import __main__ as predict
from mnist_exp.predict.cards import settings_in_words
from mnist_exp.predict.trained_models import Models
from tests.support.made_data import made
from tests.support.servers import ask, model_server
from tests.support.waiting import LIMIT

CLASSES = ("cat", "dog & co", "きつね")
MODELS = """
import keras
from keras import layers


def net(input_shape, num_classes, width=4):
    images = keras.Input(input_shape)
    x = layers.RandomFlip()(images)
    x = layers.Conv2D(width, 3, activation="relu", kernel_regularizer="l2")(x)
    x = layers.Flatten()(layers.BatchNormalization()(x))
    return keras.Model(images, layers.Dense(num_classes)(layers.Dropout(0.2)(x)))
"""


@dataclass(frozen=True)
class Pictured:
    """A finished run on pictures, and where they are."""

    folder: Path
    uri: str
    run_id: str
    pictures: Path


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Pictured:
    folder = tmp_path_factory.mktemp("pictured")
    shutil.copy(empty_store, folder / "mlflow.db")
    (folder / "nets_of_pictures.py").write_text(MODELS)
    for part, count in (("train", 60), ("test", 12)):
        _, split = made((8, 6, 3), CLASSES, count)
        for number, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
            file = folder / "pets" / part / CLASSES[label] / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(file)
    settings = ["model=own", "model.build=nets_of_pictures:net", "+model.options.width=2"]
    settings += ["data.dir=pets", "data.validation_size=12", "schedule.epochs=2", "preflight=off"]
    before = os.getcwd()
    os.chdir(folder)
    try:
        run_id = run([*settings, "schedule.batch_size=8"]).run_id
    finally:
        os.chdir(before)
    return Pictured(folder, f"sqlite:///{folder}/mlflow.db", run_id, folder / "pets")


@pytest.fixture
def here(pictured: Pictured, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(pictured.folder)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return pictured.folder


@pytest.mark.slow
def test_a_test_image_of_the_runs_data(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The names stand in place of digits; the answers are those that the run has recorded."""
    test = data.load_test("pets")
    (path,) = here.rglob("predictions/test.npz")
    recorded = np.load(path)["probability"]
    for index in (0, 5):
        predict.run(["--index", str(index), "--output", "x.png"])
        out = capsys.readouterr().out
        assert out.startswith(f"test image {index}, label {CLASSES[test.labels[index]]}: ")
        rows = {line.split("  ")[0].strip(): line for line in out.splitlines()}
        for name, probability in zip(CLASSES, recorded[index], strict=True):
            assert f"{probability:.4f}" in rows[name]
        assert "picture: x.png" in out
    answers = []
    for _ in range(2):
        predict.run(["--seed", "5", "--run", "best"])
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]
    assert list(here.glob("predict-test-*.png"))


def test_a_picture_of_any_size(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = next((here / "pets" / "test" / "cat").iterdir())
    with Image.open(file) as picture:
        exact = Models(None).load("latest").predict(base64.b64encode(file.read_bytes()).decode())
        assert (exact.pixels == np.asarray(picture)).all()
        picture.resize((600, 400), Image.Resampling.BICUBIC).save("large.jpg", quality=95)
    predict.run(["--image", "large.jpg"])
    out = capsys.readouterr().out
    assert out.startswith("large.jpg: ")
    assert "class" in out
    assert "digit" not in out
    assert Path("predict-large.png").is_file()


def test_images_that_were_moved_are_named_beside_the_command(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predict.run(["--index", "3", "--output", "x.png"])
    expected = capsys.readouterr().out
    moved = tmp_path / "moved"
    (here / "pets").rename(moved)
    try:
        with pytest.raises(UserError, match="no such folder .*\ndata.dir=FOLDER names where"):
            predict.run(["--index", "3"])
        predict.run(["--index", "3", f"data.dir={moved}", "--output", "x.png"])
        assert capsys.readouterr().out == expected
        (lost,) = (moved / "test" / "cat").glob("9.png")
        lost.rename(moved / "9.png")
        for argument in ([f"data.dir={moved}"], ["data.dir=pets"]):
            with pytest.raises(UserError, match="data.dir=") as refused:
                predict.run(["--index", "3", *argument])
            assert str(refused.value).count("\n") <= 1
        (moved / "9.png").rename(lost)
    finally:
        moved.rename(here / "pets")
    monkeypatch.chdir(tmp_path)  # the run's data.dir was relative to another folder
    monkeypatch.syspath_prepend(here)
    predict.run(["--index", "3", "--output", "x.png", f"tracking.uri=sqlite:///{here}/mlflow.db"])
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--draw"], "--draw is for digits alone"),
        (["--index", "12"], "--index 12: expected 0 to 11, the test images"),
        (["--image", "mlflow.db"], "--image mlflow.db: not a picture"),
        (["--image", "x.png", "data.dir=pets"], "data.dir=pets: names where test images are"),
        (["--index", "1", "data.dir=nosuch"], "data.dir=nosuch: no such"),
    ],
)
def test_mistakes(here: Path, arguments: list[str], reason: str) -> None:
    Image.new("RGB", (9, 9)).save("x.png")
    with pytest.raises(UserError, match=reason) as refused:
        predict.run(arguments)
    assert str(refused.value).count("\n") <= 1


def test_the_registry_and_the_card_name_the_users_program(pictured: Pictured) -> None:
    client = mlflow.MlflowClient(pictured.uri)
    found = client.get_run(pictured.run_id)
    (version,) = client.search_model_versions(f"run_id='{pictured.run_id}'")
    assert client.get_model_version_by_alias(version.name, "best").version == version.version
    assert settings_in_words(found.data.params).startswith("nets_of_pictures:net, width=2; adam")


ASKED = """
import json, sys
sys.modules["mnist_exp"] = None
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
print(json.dumps(model.predict(pandas.DataFrame({"image": [sys.argv[2]]})).to_dict("records")))
"""


@pytest.mark.slow
def test_it_is_served_without_the_package_and_without_the_users_file(
    pictured: Pictured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pictured.folder)
    model = Models(pictured.uri).load("latest")
    image = data.load_test(pictured.pictures).images[0]
    expected = model.predict(image)
    from mnist_exp.serving.model import as_picture

    picture = as_picture(image)
    monkeypatch.chdir(tmp_path)
    environment = os.environ | {"MLFLOW_TRACKING_URI": pictured.uri}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", ASKED, model.uri, picture],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (loaded,) = json.loads(done.stdout.splitlines()[-1])
    with model_server(model.uri, pictured.uri, tmp_path) as endpoint:
        for body in (
            {"dataframe_records": [{"image": picture}]},
            {"instances": [picture]},
            {"inputs": [image.tolist()]},
            {"inputs": [(image / 255).tolist()]},
            f"image\n{picture}\n",
        ):
            status, answer = ask(endpoint, body)
            assert status == 200, answer
            (row,) = answer["predictions"]
            for given in (row, loaded):
                assert list(given) == ["label", "name", "probabilities", "confidence", "sure"]
                assert (given["label"], given["name"]) == (expected.label, expected.name)
                assert given["probabilities"] == expected.probabilities.tolist()
        for wrong, reason in (
            ({"inputs": [[[0.5] * 28] * 28]}, "expected base64-encoded pictures, or numbers"),
            ({"dataframe_records": [{"picture": picture}]}, "expected a column image"),
            ({"instances": [base64.b64encode(b"text").decode()]}, "not a picture in PNG"),
        ):
            status, answer = ask(endpoint, wrong)
            assert status == 400
            assert reason in str(answer["message"])
