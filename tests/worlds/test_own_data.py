"""Data of one's own in each form: trained on, compared, predicted and served."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.entities import Run

from mnist_exp import data, run
from mnist_exp.compare.__main__ import run as compare
from mnist_exp.predict.__main__ import run as predict
from tests.support import data_forms, made_data
from tests.support.kills import runs_of
from tests.support.pages import own_file
from tests.support.servers import ask, model_server

ANIMALS = ("cat", "dog", "owl")
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
DIGITS = tuple("0123456789")
RESNET = ["model=own", "model.build=my_models:resnet", "+model.options.width=4"]
# The networks of the tutorials take the shape of the data, as one's own do.
PROGRAMS = {
    "npz": (DIGITS, [*RESNET, "loss=keras", "loss.name=CategoricalFocalCrossentropy"]),
    "idx": (
        LETTERS,
        ["model=cnn3x3", "model.filters=[4,8]", "optimizer=keras", "optimizer.name=Lion"],
    ),
    "pictures": (ANIMALS, ["model=mlp", "model.hidden_units=[16]"]),
    "parquet": (ANIMALS, RESNET),
}
SHAPES = {"npz": (32, 32, 3), "idx": (28, 28, 1), "pictures": (18, 24, 3), "parquet": (20, 20, 1)}
SHORT = ["data.validation_size=40", "schedule.epochs=2", "schedule.batch_size=20"]
KINDS = [
    pytest.param(kind, marks=[] if kind == "pictures" else pytest.mark.slow) for kind in PROGRAMS
]


def write(kind: str, place: Path) -> Path:
    """Write data of that kind; return its data.dir."""
    names, shape = PROGRAMS[kind][0], SHAPES[kind]
    arrays: dict[str, Any] = {}
    split = made_data.made(shape, names, 200)[1]
    noise = np.random.default_rng(0).integers(0, 5, split.images.shape, np.uint8)
    images = np.minimum(split.images, 250) + noise  # no two are the same
    for part, rows in (("train", slice(160)), ("test", slice(160, None))):
        arrays |= {f"x_{part}": images[rows], f"y_{part}": split.labels[rows]}
    match kind:
        case "npz":  # keras.datasets.cifar10 has labels [N, 1]
            columns = {name: array[:, None] for name, array in arrays.items() if name[0] == "y"}
            return data_forms.write_npz(place / "cifar10.npz", arrays | columns)
        case "idx":  # EMNIST's letters are numbered from 1
            ones = {name: array + 1 for name, array in arrays.items() if name[0] == "y"}
            return data_forms.write_idx(place, arrays | ones, "emnist-letters-")
        case "pictures":
            return data_forms.write_pictures(place, arrays, names)
        case _:
            return data_forms.write_parquet(place, arrays, names)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_data(
    kind: str, workdir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, program = PROGRAMS[kind]
    (workdir / "my_models.py").write_text(own_file())
    place = write(kind, tmp_path / "images")
    run([*SHORT, *program, f"data.dir={place}"])
    run([*SHORT, "model=softmax", f"data.dir={place}", "preflight=off"])
    dataset = data.load(dir=str(place), validation_size=40)
    assert dataset.form.class_names == names
    runs = runs_of(workdir)
    assert [tracked.info.status for tracked in runs] == ["FINISHED"] * 2
    assert runs[0].data.metrics["trouble/preflight_errors"] == 0
    for tracked in runs:
        assert tracked.data.tags["data.digest"] == dataset.digest
        recorded = recorded_of(tracked)
        assert (recorded["label"] == dataset.test.labels).all()
        assert recorded["probability"].shape == (len(dataset.test), len(names))

    capsys.readouterr()
    compare(["--experiment", "mnist_exp", "--data-dir", str(place)])
    said = capsys.readouterr().out
    # What all names end in is said once.
    assert all(tracked.data.tags["variant"].partition("-2epochs")[0] in said for tracked in runs)
    assert names[1] in Path("compare.html").read_text(encoding="utf-8")

    first = runs[0]
    predict(["--index", "3", "--run", first.info.run_id])
    label = names[dataset.test.labels[3]]
    assert f"test image 3, label {label}: " in capsys.readouterr().out
    Path("mine.png").write_bytes(data_forms.encoded(dataset.test.images[3]))
    predict(["--image", "mine.png", "--run", first.info.run_id])
    assert capsys.readouterr().out.startswith("mine.png: ")

    assert first.outputs is not None
    (model,) = first.outputs.model_outputs
    Path("my_models.py").unlink()  # the model has its own copy
    probabilities = recorded_of(first)["probability"][:4]
    served = mlflow.pyfunc.load_model(f"models:/{model.model_id}").predict(dataset.test.images[:4])
    check_answer(served.to_dict("records"), probabilities, names)
    if kind == "npz":
        store = f"sqlite:///{workdir}/mlflow.db"
        with model_server(f"models:/{model.model_id}", store, tmp_path) as endpoint:
            status, answer = ask(endpoint, {"inputs": dataset.test.images[:4].tolist()})
            assert status == 200, answer
            check_answer(answer["predictions"], probabilities, names)
            picture = base64.b64encode(Path("mine.png").read_bytes()).decode()
            status, answer = ask(endpoint, {"dataframe_records": [{"image": picture}]})
            assert status == 200, answer
            check_answer(answer["predictions"], probabilities[3:], names)


def recorded_of(tracked: Run) -> Any:
    """Return the recorded labels and probabilities of the test images."""
    return np.load(Path(str(tracked.info.artifact_uri)) / "predictions" / "test.npz")


def check_answer(rows: Sequence[Any], probabilities: np.ndarray, names: Sequence[str]) -> None:
    """A served model's answers are those of its run."""
    found = np.array([row["probabilities"] for row in rows])
    assert found == pytest.approx(probabilities, abs=1e-5)
    labels = probabilities.argmax(axis=1)
    assert [(row["label"], row["name"]) for row in rows] == [(n, names[n]) for n in labels]
