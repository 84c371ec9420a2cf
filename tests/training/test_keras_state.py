"""Nothing that Keras reads by itself changes a run.

Each of these homes and environments has a process of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CODE = """
import json, os, sys
from mnist_exp import data
from mnist_exp.training import keras_state
from mnist_exp.config.tree import compose
from mnist_exp.errors import UserError
from mnist_exp.training.startup import import_tensorflow
environment = dict(os.environ)
try:
    import_tensorflow(compose(["model=cnn3x3"]).config)
except UserError as error:
    sys.exit(f"refused: {error}")
environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
assert {name: os.environ.get(name) for name in environment} == environment
import keras
from mnist_exp.training.loop import fit
from mnist_exp.training.program import build_program
small = ["schedule.max_steps=2", "data.train_limit=200", "data.eval_limit=100"]
config = compose(["model=cnn3x3", "init=he", *small]).config
dataset = data.load(train_limit=200, eval_limit=100)
program = build_program(config, 200)
(result,) = fit(program, dataset)
kinds = [str(weight.dtype) for weight in program.model.weights]
print(json.dumps([result.cost, result.test.cost, kinds, keras.config.backend()]))
"""


def outcome(folder: Path, keras_json: object = None, **variables: str) -> Any:
    """What the run printed, or how it was refused."""
    home = folder / "home"
    (home / ".keras").mkdir(parents=True)
    if keras_json is not None:
        text = keras_json if isinstance(keras_json, str) else json.dumps(keras_json)
        (home / ".keras" / "keras.json").write_text(text)
    environment = {**os.environ, "HOME": str(home), **variables}
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr.strip()
    return json.loads(done.stdout)


WHOLE = {
    "floatx": "float64",
    "image_data_format": "channels_first",
    "backend": "jax",
    "epsilon": 0.1,
}
HARMLESS: dict[str, tuple[object, dict[str, str]]] = {
    "all in keras.json": ({**WHOLE, "nnx_enabled": True}, {}),
    "all in the environment": (
        None,
        {
            "KERAS_BACKEND": "torch",
            "KERAS_NNX_ENABLED": "1",
            "KERAS_MAX_EPOCHS": "x",
            "KERAS_HOME": "",
        },
    ),
    "half precision": ({"floatx": "float16"}, {"KERAS_MAX_STEPS_PER_EPOCH": "1"}),
    "no JSON": ("{", {}),
    "a notebook's backend": (None, {"MPLBACKEND": "nope"}),
}
UNREADABLE: list[tuple[object, str]] = [
    ({"floatx": "bfloat16"}, "Invalid `floatx` configuration"),
    ({"epsilon": 1}, "Invalid `epsilon` configuration"),
    ([], "'list' object has no attribute 'get'"),
]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Any:
    result = outcome(tmp_path_factory.mktemp("clean"))
    assert set(result[2]) == {"float32"}
    return result


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMLESS)
def test_a_run_sets_what_it_needs(tmp_path: Path, clean: Any, name: str) -> None:
    keras_json, variables = HARMLESS[name]
    assert outcome(tmp_path, keras_json, **variables) == clean
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.slow  # in short: tests/worlds/test_hostile_environment.py
def test_everything_at_once(tmp_path: Path, clean: Any) -> None:
    assert (
        outcome(
            tmp_path, {**WHOLE, "nnx_enabled": True}, KERAS_BACKEND="torch", KERAS_MAX_EPOCHS="x"
        )
        == clean
    )


@pytest.mark.slow
@pytest.mark.parametrize(("keras_json", "said"), UNREADABLE)
def test_a_file_that_keras_cannot_read_is_named(
    tmp_path: Path, keras_json: object, said: str
) -> None:
    refused = outcome(tmp_path, keras_json)
    assert refused.startswith(
        f"refused: {tmp_path}/home/.keras/keras.json: Keras cannot read its settings"
    )
    assert said in refused
    assert len(refused.splitlines()) == 1


def test_the_state_of_a_program_that_uses_keras_is_put_back() -> None:
    import keras

    from mnist_exp.training import keras_state

    keras_state.pin()
    keras.config.set_floatx("float64")
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with keras_state.restored():
            keras_state.pin()
            assert (keras.config.floatx(), keras.config.image_data_format()) == (
                "float32",
                "channels_last",
            )
            assert keras.layers.Dense(1).dtype_policy.name == "float32"
        assert (keras.config.floatx(), keras.config.image_data_format()) == (
            "float64",
            "channels_first",
        )
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras_state.pin()
