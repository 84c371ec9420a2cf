"""A network that own code builds is used where that code is, and asked about everywhere else."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from mnist_exp import data
from mnist_exp.errors import UserError
from mnist_exp.own_code.names import parse
from mnist_exp.predict import __main__ as predict
from mnist_exp.predict.trained_models import Models
from mnist_exp.serving import contents
from tests.support.logged import log_model

MODELS = b'''
import keras

import my_layers


def net(input_shape, num_classes, width=4):
    """Build it."""
    images = keras.Input(input_shape)
    return keras.Model(images, my_layers.ends(images, width, num_classes))
'''
LAYERS = b"""
from keras import layers

def ends(x, width, classes):
    return layers.Dense(classes)(layers.Dense(width)(layers.Flatten()(x)))
"""
SOURCES = {"my_models.py": MODELS, "my_layers.py": LAYERS, "my_losses.py": b"import my_layers\n"}
FORM = data.Form(image_shape=(4, 3, 3), class_names=("cat", "dog", "fox"))


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A store in which a run has the model of own code, and the folder of that code."""
    folder = tmp_path_factory.mktemp("logged")
    shutil.copy(empty_store, folder / "mlflow.db")
    images = np.arange(6 * 36, dtype=np.uint8).reshape(6, 4, 3, 3)
    split = data.Split(images, (np.arange(6) % 3).astype(np.int32))
    dataset = data.Dataset(train=split, val=split, test=split, source="made here", form=FORM)
    network = keras.Sequential([keras.Input((4, 3, 3)), keras.layers.Flatten()])
    network.add(keras.layers.Dense(2))
    network.add(keras.layers.Dense(3))
    (folder / "contents").mkdir()
    source = parse("model.build", "my_models:net", {"width": 2}), SOURCES
    contents.write(folder / "contents", network, dataset, source)
    log_model(folder)
    return folder


@pytest.fixture
def packed(
    logged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Path]]:
    """Return the path of a file of the model, which is put back; the store is in this folder."""
    monkeypatch.chdir(logged)
    (folder,) = logged.glob("mlruns/*/models/*/artifacts")
    shutil.copytree(folder, tmp_path / "saved")
    yield lambda name: folder / "data" / "network" / name
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "saved", folder)
    for path in [*logged.glob("*.py"), logged / "was_run"]:
        path.unlink(missing_ok=True)


def here(**changed: bytes) -> None:
    for path in ("my_models.py", "my_layers.py"):
        Path(path).write_bytes(changed.get(path.removesuffix(".py"), SOURCES[path]))


def answer() -> int:
    image = np.arange(36, dtype=np.uint8).reshape(4, 3, 3)
    return Models(None).load("latest").predict(image).label


def test_it_is_built_where_its_code_is(packed: Callable[[str], Path]) -> None:
    """Comments and layout may differ; the file of a loss is not needed, and not packed."""
    here(my_models=MODELS.replace(b'    """Build it."""\n', b"    # another comment\n\n"))
    assert answer() in range(3)
    assert not packed("own_code/my_losses.py").exists()
    assert "my_models" not in sys.modules


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (None, "its source is not here"),
        ({"my_models": MODELS.replace(b"(images, my_l", b"(-images, my_l")}, "its source differs"),
        ({"my_layers": b"def ends(x, w, c):\n    raise SystemExit\n"}, "its source differs"),
    ],
)
def test_other_code_is_asked_about_in_two_lines(
    packed: Callable[[str], Path], changed: dict[str, bytes] | None, reason: str
) -> None:
    if changed is not None:
        here(**changed)
    with pytest.raises(UserError, match=f"model.build|my_models:net builds .*{reason}") as refused:
        answer()
    assert str(refused.value).count("\n") == 1
    assert "\n--trust runs" in str(refused.value)


def test_code_in_two_folders_from_which_python_imports_is_here(
    packed: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here()
    (tmp_path / "lib").mkdir()
    Path("my_layers.py").rename(tmp_path / "lib" / "my_layers.py")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    assert answer() in range(3)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (b"import nosuch_package\n", "ModuleNotFoundError|No module named"),
        (b"raise SystemExit(0)\n", "SystemExit"),
        (b"1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_whatever_trusted_code_raises_is_told_in_a_line(
    packed: Callable[[str], Path], code: bytes, reason: str
) -> None:
    packed("own_code/my_layers.py").write_bytes(code)
    with pytest.raises(UserError, match=f"its model cannot be loaded .*{reason}"):
        Models(None).load("latest", trust=True)


def test_with_trust_the_packed_code_runs_whatever_is_here(
    packed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here(my_layers=b"raise SystemExit\n")
    image = np.arange(36, dtype=np.uint8).reshape(4, 3, 3)
    trusted = Models(None).load("latest", trust=True).predict(image)
    here()
    ours = Models(None).load("latest").predict(image)
    assert (trusted.probabilities == ours.probabilities).all()
    assert (trusted.name, trusted.doubt) == (ours.name, ours.doubt)


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"build": "os:system", "options": {"command": "touch was_run"}}, "--trust"),
        ({"build": "my_layers:ends", "files": []}, "--trust"),
        ({"files": ["../../../../my_models.py"]}, "paths of Python files"),
        ({"files": ["/etc/passwd.py"]}, "paths of Python files"),
        ({"files": ["nosuch.py"]}, "not all files"),
        ({"files": "my_models.py"}, "a list files"),
        ({"options": {"depth": 9}}, "depth"),
        ({"build": "my_models:nosuch"}, "nosuch"),
    ],
)
def test_a_recipe_that_was_changed_is_refused(
    packed: Callable[[str], Path], values: dict[str, object], reason: str
) -> None:
    here()
    change(packed("own.json"), **values)
    with pytest.raises(UserError, match=reason):
        answer()
    assert not Path("was_run").exists()


def test_weights_that_do_not_fit_are_refused(packed: Callable[[str], Path]) -> None:
    here()
    for content in (b"", b"PK", packed("weights.npz").read_bytes()[:-40]):
        packed("weights.npz").write_bytes(content)
        with pytest.raises(UserError, match="its model cannot be loaded"):
            answer()
    np.savez(packed("weights.npz"), *[np.zeros(2)] * 4)
    with pytest.raises(UserError, match="its model cannot be loaded"):
        answer()
    np.savez(packed("weights.npz"), np.array([object()]), allow_pickle=True)
    with pytest.raises(UserError, match="its model cannot be loaded"):
        answer()


@pytest.mark.parametrize(
    "values",
    [
        {"image_shape": [10**6, 10**6, 3]},
        {"image_shape": [0, 3, 3]},
        {"class_names": ["a"]},
        {"class_names": ["a"] * 1001},
        {"class_names": ["a", "b"]},
        {"class_names": 7},
    ],
)
def test_a_form_that_is_none_is_refused_in_a_line(
    packed: Callable[[str], Path], values: dict[str, object]
) -> None:
    here()
    change(packed("form.json"), **values)
    with pytest.raises(UserError, match="its model cannot be loaded") as refused:
        answer()
    assert str(refused.value).isprintable()


def test_drawing_is_for_digits_alone(packed: Callable[[str], Path]) -> None:
    with pytest.raises(UserError, match="^--draw is for digits alone, .* --image or --index$"):
        predict.run(["--draw"])
