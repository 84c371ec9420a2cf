"""Runs from Python with objects of the session: what they train, record and refuse to repeat."""

import importlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pytest

from mnist_exp import run
from mnist_exp.errors import ConfigError, UserError
from mnist_exp.own_code.session import SessionError
from mnist_exp.rerun.__main__ import rerun
from mnist_exp.training import checkpoint
from tests.support.notebook import Notebook
from tests.support.runs import TINY

SMALL = [text for text in TINY if not text.startswith("model=")]
CELLS = (
    """
import keras
WIDTH = 4
def block(x):
    return keras.layers.Dense(WIDTH, activation="relu")(x)
""",
    """
def build(input_shape, num_classes, depth=1):
    images = keras.Input(input_shape)
    x = keras.layers.Flatten()(images)
    for _ in range(depth):
        x = block(x)
    return keras.Model(images, keras.layers.Dense(num_classes)(x))
def loss(labels, logits):
    return keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
""",
)
MODULE = """
import keras
def build(input_shape, num_classes, width=4):
    return keras.Sequential([
        keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(num_classes)
    ])
def loss(labels, logits):
    return keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
"""

pytestmark = pytest.mark.usefixtures("bare_runs")


@pytest.fixture
def notebook() -> Notebook:
    notebook = Notebook()
    for cell in CELLS:
        notebook.run(cell)
    return notebook


@pytest.fixture
def module(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module beside the notebook, in the current folder."""
    (workdir / "nets_of_mine.py").write_text(MODULE)
    monkeypatch.syspath_prepend(workdir)
    yield importlib.import_module("nets_of_mine")
    monkeypatch.delitem(importlib.import_module("sys").modules, "nets_of_mine")


def recorded(workdir: Path, run_id: str) -> Any:
    return mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db").get_run(run_id).data


def test_a_function_of_a_module_is_as_if_named_by_a_setting(workdir: Path, module: Any) -> None:
    given = run([*SMALL, "+model.options.width=8"], model=module.build, loss=module.loss)
    named = ["model=own", "model.build=nets_of_mine:build", "+model.options.width=8"]
    named += ["loss=own", "loss.function=nets_of_mine:loss"]
    typed = run([*named, *SMALL])
    assert [epoch.cost for epoch in given.epochs] == [epoch.cost for epoch in typed.epochs]
    first, second = (recorded(workdir, one.run_id) for one in (given, typed))
    assert first.params == second.params
    assert first.tags["config_hash"] == second.tags["config_hash"]
    assert "mnist_exp.rerun" in first.tags["mlflow.note.content"]
    assert rerun(given.run_id).identical


def test_functions_of_cells_are_recorded_and_not_repeated(
    workdir: Path, notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run([*SMALL, "+model.options.depth=2"], model=notebook["build"], loss=notebook["loss"])
    data = recorded(workdir, result.run_id)
    for text in (data.params["model.build"], data.params["loss.function"]):
        assert text.startswith("session:")
    said = capsys.readouterr().out
    for shown in (said, data.tags["mlflow.note.content"]):
        assert "This run cannot be repeated from its record: Python gave model.build=" in shown
    assert "mnist_exp.rerun" not in data.tags["mlflow.note.content"]
    with pytest.raises(UserError, match="no record can bring it back") as refused:
        rerun(result.run_id)
    assert str(refused.value).startswith(f"run {result.run_id}: model.build=session:build@")
    for given in ({}, {"model": notebook["build"], "loss": notebook["loss"]}):
        with pytest.raises(SessionError, match="no record can bring it back"):
            run([f"resume={result.run_id}", "schedule.epochs=2"], **given)
    typed = ["model=own", f"model.build='{data.params['model.build']}'"]
    with pytest.raises(SessionError):
        run([*SMALL, *typed])


def test_other_cells_are_another_program(workdir: Path, notebook: Notebook) -> None:
    runs = [run(SMALL, model=notebook["build"])]
    notebook.run(CELLS[1])
    runs.append(run(SMALL, model=notebook["build"]))
    notebook.run(CELLS[0].replace("WIDTH = 4", "WIDTH = 5"))
    runs.append(run(SMALL, model=notebook["build"]))
    costs = [one.epochs[-1].cost for one in runs]
    assert costs[0] == costs[1] != costs[2]
    named = [recorded(workdir, one.run_id).params["model.build"] for one in runs]
    assert named[0] == named[1] != named[2]
    names = [one.run_name for one in runs]
    assert names[0] == names[1] != names[2]


def test_modules_that_a_cell_imports_are_recorded(
    workdir: Path, notebook: Notebook, module: Any
) -> None:
    notebook.run("import nets_of_mine as nets\ndef other(*given): return nets.build(*given)")
    result = run(SMALL, model=notebook["other"])
    folder = next((workdir / "mlruns").glob(f"*/{result.run_id}/artifacts/own_code"))
    assert (folder / "nets_of_mine.py").read_text() == MODULE
    expected = "import nets_of_mine as nets\n\ndef other(*given): return nets.build(*given)\n"
    assert (folder / "session/model.py").read_text() == expected


def test_a_model_is_trained_in_place(
    workdir: Path, notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    model = notebook["build"]((28, 28, 1), 10)
    before = [weight.copy() for weight in model.get_weights()]
    first = run(SMALL, model=model)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    assert "the seed did not draw them" in capsys.readouterr().out
    second = run(SMALL, model=model)
    assert second.epochs[0].cost < first.epochs[0].cost
    named = [recorded(workdir, one.run_id).params["model.build"] for one in (first, second)]
    assert named[0] != named[1]
    model.set_weights(before)
    assert run([*SMALL, "seed=0"], model=model).epochs[0].cost == first.epochs[0].cost


def test_a_loss_of_keras_is_named(workdir: Path) -> None:
    import keras

    loss = keras.losses.CategoricalFocalCrossentropy(gamma=3.0)
    result = run(TINY, loss=loss)
    data = recorded(workdir, result.run_id)
    assert data.params["loss.name"] == "CategoricalFocalCrossentropy"
    options = {key: text for key, text in data.params.items() if key.startswith("loss.options")}
    assert options == {"loss.options.gamma": "3.0"}  # the others are Keras' own
    assert rerun(result.run_id).identical


@pytest.mark.slow
def test_threads_with_functions_of_their_own(workdir: Path, notebook: Notebook) -> None:
    alone = [run(SMALL, model=notebook["build"], loss=notebook["loss"]).epochs[-1].cost]
    notebook.run(CELLS[1].replace("Dense(num_classes)", "Dense(num_classes, use_bias=False)"))
    alone.append(run(SMALL, model=notebook["build"], loss=notebook["loss"]).epochs[-1].cost)
    builds = [notebook["build"]]
    notebook.run(CELLS[1])
    builds.insert(0, notebook["build"])
    costs: dict[int, float] = {}

    def train(number: int) -> None:
        result = run(SMALL, model=builds[number], loss=notebook["loss"])
        costs[number] = result.epochs[-1].cost

    threads = [threading.Thread(target=train, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [costs[0], costs[1]] == alone


@pytest.mark.parametrize(
    ("given", "overrides", "message"),
    [
        (
            {"model": "my_models:build"},
            [],
            (
                "model: expected a function build(input_shape, num_classes, **options), or a "
                "Keras model, found the text 'my_models:build'\n"
                "A setting names one: run(['model=own', 'model.build=my_models:build'])"
            ),
        ),
        ({"model": 3}, [], "or a Keras model, found a builtins.int"),
        ({"loss": keras.losses.Dice}, [], "found the class Dice\nDice() is a loss"),
        ({"loss": [1]}, [], "loss: expected a function (labels, logits) -> losses, or a loss of "),
        ({"model": print}, ["model=mlp"], "model=mlp: run(..., model=...) was given, too"),
        ({"loss": print}, ["+loss.function=a:b"], "run(..., loss=...) was given, too; expected"),
    ],
)
def test_what_is_refused(
    given: dict[str, Any], overrides: list[str], message: str, workdir: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        run([*overrides, *SMALL], **given)
    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 2
    assert checkpoint.known_runs() == []


@pytest.mark.parametrize(
    ("overrides", "found"),
    [("seed=1", "'seed=1'"), (["seed=1", keras.optimizers.Adam()], "a Adam"), ([1], "a int")],
)
def test_overrides_are_a_list_of_texts(overrides: Any, found: str) -> None:
    with pytest.raises(ConfigError, match=f"such as .'optimizer=adam'., found {found}"):
        run(overrides)


def arrays(count: int = 60) -> tuple[Any, ...]:
    """Return images of 8x6 pixels in three colours, of three classes."""
    random = np.random.default_rng(0)
    labels = np.arange(count + 30) % 3
    images = (
        random.integers(0, 100, (count + 30, 8, 6, 3), np.uint8) + labels[:, None, None, None] * 50
    )
    images = images.astype(np.uint8)
    return images[:count], labels[:count], images[count:], labels[count:]


ARRAYS = ["model=softmax", "data.validation_size=20", "schedule.epochs=2", "preflight=off"]


def test_arrays_are_trained_on_and_recorded(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = [*ARRAYS, "data.class_names=[a,b,c]"]
    result = run(overrides, data=arrays())
    assert result.epochs[0].examples == 40
    data = recorded(workdir, result.run_id)
    assert data.params["data.dir"].startswith("session:arrays@")
    assert "no image" not in data.tags["mlflow.note.content"]
    said = capsys.readouterr().out
    assert "data: arrays in memory; 40 training, 20 validation, 30 test images" in said
    assert "own_code/session" not in said  # there is no source
    with pytest.raises(UserError, match="Arrays in a file can be read again"):
        rerun(result.run_id)
    again = run(overrides, data=arrays())
    assert [one.cost for one in again.epochs] == [one.cost for one in result.epochs]
    named = [recorded(workdir, one.run_id).params["data.dir"] for one in (result, again)]
    assert named[0] == named[1]
    typed = run([*overrides, "seed=1"], data=arrays(61))
    assert recorded(workdir, typed.run_id).params["data.dir"] != named[0]


def test_a_run_goes_on_with_the_same_arrays_alone(workdir: Path) -> None:
    whole = run([*ARRAYS, "schedule.epochs=4"], data=arrays())
    first = run(ARRAYS, data=arrays())
    resumed = [f"resume={first.run_id}", "schedule.epochs=4"]
    with pytest.raises(SessionError, match="Arrays in a file can be read again"):
        run(resumed)
    with pytest.raises(UserError, match="data.dir was session:arrays@.* and is now session:arr"):
        run(resumed, data=arrays(61))
    on = run(resumed, data=arrays())
    assert on.run_id == first.run_id
    assert [one.cost for one in on.epochs] == [one.cost for one in whole.epochs]
