"""The logged model of a network that a Python session made: Keras' own file, or none."""

from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pytest

from mnist_exp import run
from mnist_exp.experiment import outcome
from tests.support.notebook import Notebook
from tests.support.runs import TINY

SMALL = [text for text in TINY if not text.startswith("model=")]
CELL = """
import keras
@keras.saving.register_keras_serializable()
class Scale(keras.layers.Layer):
    def call(self, x):
        return 2 * x
def build(input_shape, num_classes, layer="keras"):
    layers = {
        "keras": [keras.layers.BatchNormalization(), keras.layers.RandomFlip()],
        "own": [Scale()],
    }[layer]
    return keras.Sequential([
        keras.Input(input_shape), *layers, keras.layers.Flatten(), keras.layers.Dense(num_classes)
    ])
"""


@pytest.fixture
def build() -> Any:
    notebook = Notebook()
    notebook.run(CELL)
    yield notebook["build"]
    keras.saving.get_custom_objects().clear()


def model_of(workdir: Path, run_id: str) -> Any:
    """The run's logged model, or None."""
    tracked = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db").get_run(run_id)
    outputs = [] if tracked.outputs is None else tracked.outputs.model_outputs
    return mlflow.pyfunc.load_model(f"models:/{outputs[0].model_id}") if outputs else None


def test_a_network_of_keras_layers_is_logged_and_one_with_layers_of_the_session_is_not(
    workdir: Path, build: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(outcome, "log_figures", lambda *_: None)
    model = build((28, 28, 1), 10)
    done = run(SMALL, model=model)
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), np.uint8)
    served = model_of(workdir, done.run_id).predict(images)["probabilities"]
    expected = keras.ops.softmax(model(images / np.float32(255), training=False))
    assert np.allclose(np.stack(served), expected, atol=1e-6)
    capsys.readouterr()
    done = run([*SMALL, "+model.options.layer=own"], model=build)
    said = capsys.readouterr().out
    assert (
        "warning: the model is not logged, and predict cannot use this run: it has a part of your "
        "own, Scale, whose source is in no module" in said
    )
    assert "mnist_exp.predict" not in said
    assert model_of(workdir, done.run_id) is None
