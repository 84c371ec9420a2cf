"""Models of a store that others write to: what they hold is data, or asked about first."""

import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.entities import LoggedModelOutput

from mnist_exp.config.tree import compose
from mnist_exp.errors import UserError
from mnist_exp.predict import __main__ as predict
from mnist_exp.predict.trained_models import Models
from mnist_exp.serving import package as model_package
from mnist_exp.serving.judgement import Judgement
from mnist_exp.training import models
from tests.support.logged import log_model

KINDS = ["model=softmax", "model=mlp", "model=cnn3x3", "model=cnn5x5"]
SMALL = ["++model.filters=[2,3]", "++model.dense_units=4", "++model.dropout=0.2"]
MARK = "import pathlib; pathlib.Path('was_run').touch()\n"


def network(*overrides: str) -> Any:
    whole = compose(overrides).config
    return models.build(whole.model, whole.init, 0)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A folder with a store in which a finished run has a small model."""
    folder = tmp_path_factory.mktemp("logged")
    shutil.copy(empty_store, folder / "mlflow.db")
    contents = folder / "contents"
    contents.mkdir()
    network("model=cnn3x3", *SMALL).save(contents / "model.keras")
    np.save(contents / "example.npy", np.zeros((28, 28), np.uint8))
    log_model(folder, **{"val/accuracy": 0.5})
    return folder


@pytest.fixture
def artifacts(logged: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Yield the model's folder of artifacts, which is put back; the store is in this folder."""
    monkeypatch.chdir(logged)
    (folder,) = logged.glob("mlruns/*/models/*/artifacts")
    saved = logged / "saved"
    shutil.rmtree(saved, ignore_errors=True)
    shutil.copytree(folder, saved)
    yield folder
    shutil.rmtree(folder)
    shutil.copytree(saved, folder)
    (logged / "was_run").unlink(missing_ok=True)


def answer() -> None:
    predict.run(["--index", "0", "--output", "x.png"])


def test_our_own_model_is_loaded_without_its_code(artifacts: Path) -> None:
    """Other code in its folder is not run either.

    That is a module with the name of another package, and the loader that MLflow's file names.
    """
    (package,) = (artifacts / "code").iterdir()
    for path in (
        package / "__init__.py",
        artifacts / "code" / "keras.py",
        artifacts / "code" / "numpy.py",
    ):
        path.write_text(MARK)
    text = (artifacts / "MLmodel").read_text()
    (artifacts / "MLmodel").write_text(text.replace(f"{package.name}.serving.model", "keras"))
    answer()
    assert not Path("was_run").exists()


@pytest.mark.parametrize("module", ["serving/model.py", "own_code/isolation.py"])
def test_other_code_is_run_only_if_it_is_trusted(artifacts: Path, module: str) -> None:
    (package,) = (artifacts / "code").iterdir()
    path = package / module
    text = path.read_text()
    where = text.index("\nimport ") + 1
    path.write_text(text[:where] + MARK + text[where:])
    for arguments in ([], ["--draw"]):
        with pytest.raises(
            UserError, match="its model is not loaded: it brings other Python code .* --trust runs"
        ) as caught:
            predict.run(arguments)
        assert "\n" not in str(caught.value)
    assert not Path("was_run").exists()
    assert not list(Path().glob("predict-*.png"))
    if (
        module == "serving/model.py"
    ):  # once: Python keeps modules of the same name, perhaps from another test
        for name in [name for name in sys.modules if name.startswith(package.name)]:
            del sys.modules[name]
        predict.run(["--trust", "--index", "0", "--output", "x.png"])
        assert Path("was_run").exists()


def test_a_model_of_another_version_or_without_code_asks_too(artifacts: Path) -> None:
    (package,) = (artifacts / "code").iterdir()
    package.rename(package.with_name("mnist_exp_model_000000000000"))
    with pytest.raises(UserError, match="--trust"):
        answer()
    shutil.rmtree(artifacts / "code")
    with pytest.raises(UserError, match="--trust"):
        answer()


def test_a_model_whose_files_are_gone_is_not_one_to_trust(artifacts: Path) -> None:
    shutil.rmtree(artifacts)
    artifacts.mkdir()
    with pytest.raises(
        UserError, match=f"its model cannot be loaded .its files are not in {artifacts}.$"
    ):
        answer()


def repacked(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def lambda_layer(members: dict[str, bytes]) -> None:
    config = json.loads(members["config.json"])
    layer = config["config"]["layers"][-2]
    layer |= {"class_name": "Lambda", "module": "keras.layers"}
    members["config.json"] = json.dumps(config).encode()


def function(members: dict[str, bytes]) -> None:
    config = json.loads(members["config.json"])
    called = {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "function",
    }
    config["config"]["layers"][-1]["config"]["activation"] = called
    members["config.json"] = json.dumps(config).encode()


def huge(members: dict[str, bytes]) -> None:
    members["config.json"] = members["config.json"].replace(b'"units": 4,', b'"units": 4000000000,')


def another_network(members: dict[str, bytes]) -> None:
    import keras

    smaller = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    file = io.BytesIO()
    path = Path("smaller.keras")
    smaller.save(path)
    file.write(path.read_bytes())
    with zipfile.ZipFile(file) as archive:
        members |= {name: archive.read(name) for name in archive.namelist()}


def without_weights(members: dict[str, bytes]) -> None:
    del members["model.weights.h5"]


def extra(members: dict[str, bytes]) -> None:
    members["assets/x"] = b"x"


def damaged_weights(members: dict[str, bytes]) -> None:
    members["model.weights.h5"] = members["model.weights.h5"][:1000]


def other_config(members: dict[str, bytes]) -> None:
    members["config.json"] = b"[" * 50_000


def without_layers(members: dict[str, bytes]) -> None:
    members["config.json"] = b'{"class_name": "Functional", "config": 5}'


CHANGES = [
    lambda_layer,
    function,
    huge,
    another_network,
    without_weights,
    extra,
    damaged_weights,
    other_config,
    without_layers,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_network_that_is_none_of_ours_is_refused_in_a_line(
    artifacts: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    repacked(artifacts / "data" / "network" / "model.keras", change)
    with pytest.raises(UserError, match="^run [0-9a-f]{32}: its model cannot be loaded") as caught:
        answer()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    assert not list(Path().glob("predict-*.png"))


@pytest.mark.parametrize("change", ["cut", "flipped", "empty", "text", "h5", "gone"])
def test_a_file_that_is_damaged_is_refused_in_a_line(artifacts: Path, change: str) -> None:
    path = artifacts / "data" / "network" / "model.keras"
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "cut": content[:middle],
            "flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
            "empty": b"",
            "text": b"no model",
            "h5": b"\x89HDF\r\n\x1a\n" + bytes(1000),
            "gone": b"",
        }[change]
    )
    if change == "gone":
        path.unlink()
    with pytest.raises(UserError, match="^run [0-9a-f]{32}: its model cannot be loaded") as caught:
        answer()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_of_ours_consists_of_known_layers(tmp_path: Path, kind: str) -> None:
    from mnist_exp.serving import foreign_networks

    for extras in ([], ["init=glorot"], ["init=he"]):
        small = SMALL[:2] if "cnn" in kind else []
        network(kind, *small, *extras).save(tmp_path / "model.keras")
        foreign_networks.check(tmp_path / "model.keras")


def test_the_model_is_the_runs_output(artifacts: Path) -> None:
    run, model = Models(None).find("latest")
    assert run.outputs is not None
    assert run.outputs.model_outputs == [LoggedModelOutput(model.model_id, 1)]


def put_earlier_code(artifacts: Path, version: str) -> None:
    """Put the code of an earlier version in the place of the model's; the zip file has it."""
    shutil.rmtree(artifacts / "code")
    with zipfile.ZipFile(Path(__file__).with_name("earlier_code.zip")) as archive:
        names = [name for name in archive.namelist() if name.startswith(f"{version}/")]
        archive.extractall(artifacts / "code", names)


@pytest.mark.parametrize(
    ("limit", "reason"), [(0.0625, "it is unlike the digits"), (0.625, "its confidence")]
)
def test_a_doubt_is_explained_by_the_limit_of_the_models_own_rule(
    artifacts: Path, limit: float, reason: str
) -> None:
    """Whichever code runs the model, and whatever version logged it. It knows no image here."""
    assert Models(None).load("latest").least_confidence is None
    path = artifacts / "data" / "network" / "judgement.npz"
    Judgement(
        temperature=1.0,
        least_confidence=limit,
        farthest=0.5,
        signs=np.ones((4, 128), np.int8),
        references=np.zeros((0, 128), np.int8),
        labels=np.zeros(0, np.uint8),
    ).save(path)
    models = [Models(None).load("latest", trust) for trust in (False, True)]
    put_earlier_code(artifacts, "mnist_exp_model_574362977805")
    for model in (*models, Models(None).load("latest")):
        assert model.least_confidence == limit
        doubt = model.predict(np.zeros((28, 28, 1), np.uint8)).doubt
        assert doubt is not None
        assert doubt.startswith(reason)


def test_a_rule_of_other_numbers_is_read_by_the_models_own_code_alone(artifacts: Path) -> None:
    path = artifacts / "data" / "network" / "judgement.npz"
    no_rows = np.zeros((0, 128), np.int8)
    np.savez(
        path,
        numbers=np.ones(4),
        signs=np.ones((4, 16), np.uint8),
        references=no_rows,
        labels=np.zeros(0, np.uint8),
    )
    with pytest.raises(UserError, match="judgement.npz: expected 3 numbers, found 4"):
        Models(None).load("latest")
    (code,) = artifacts.glob("code/*/serving/judgement.py")
    text = code.read_text()
    code.write_text(text.replace('in file["numbers"])', 'in file["numbers"][:3])'))
    package = code.parent.parent.name
    for name in [name for name in sys.modules if name.startswith(package)]:
        del sys.modules[name]
    assert Models(None).load("latest", trust=True).least_confidence is None


@pytest.mark.parametrize("version", model_package._EARLIER)
def test_a_model_of_an_earlier_version_is_read_without_its_code(
    artifacts: Path, version: str
) -> None:
    """Its code is known by a digest, and is not run."""
    put_earlier_code(artifacts, version)
    answer()
    (path,) = (artifacts / "code" / version).rglob("preprocessing.py")
    path.write_text(path.read_text() + "\n")
    with pytest.raises(UserError, match="it brings other Python code"):
        answer()
