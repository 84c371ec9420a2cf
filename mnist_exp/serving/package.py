"""Log a trained network as a model that loads without mnist_exp, with its preprocessing."""

import hashlib
import importlib.metadata
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array
from numpy.typing import NDArray

from mnist_exp.outside import moments
from mnist_exp.outside.paging import all_pages
from mnist_exp.serving import model as served_model
from mnist_exp.serving.model import COLUMN, NETWORK, RETURN_PIXELS, RULE

_PACKAGE_DIR = Path(__file__).parent
_MODULES = (  # a copy of them is part of each model
    "ink",
    "judgement",
    "model",
    "picture_files",
    "pieces",
    "pixels",
    "preprocessing",
    "rules",
    "surroundings",
)
# What `mlflow models serve` installs to load the model.
_REQUIREMENTS = ("tensorflow", "keras", "numpy", "pandas", "pillow")
# The code of earlier versions, whose networks take the same images: {package: its modules}.
_EARLIER = {
    "mnist_exp_model_6c62a684d5c7": ("preprocessing", "served_model"),
    "mnist_exp_model_574362977805": ("judgement", "picture_files", "preprocessing", "served_model"),
}
TAG = "mnist_exp.takes"  # of a logged model
PICTURES = "pictures"
DATA = "network"  # the folder of what a model loads

# No inputs are named: a picture is a text and an array is not, and no type of MLflow is both. With
# a type, its server refuses CSV, arrays in a data frame's rows and an index that does not begin at
# 0. The model checks its input itself.
_SIGNATURE = ModelSignature(
    None,
    Schema(
        [
            ColSpec(DataType.long, "digit"),
            ColSpec(Array(DataType.double), "probabilities"),
            ColSpec(DataType.double, "confidence", required=False),
            ColSpec(DataType.boolean, "sure", required=False),
        ]
    ),
    ParamSchema([ParamSpec(RETURN_PIXELS, DataType.boolean, False)]),
)


def logged(client: MlflowClient, run_id: str, step: int) -> LoggedModel | None:
    """Return the model that the run has logged at this step with all its files, or None."""
    run = client.get_run(run_id)
    ready = [model for model in _of_run(client, run) if model.status == LoggedModelStatus.READY]
    return next((model for model in ready if model.model_id in _linked(run, step)), None)


def log(
    client: MlflowClient, run_id: str, keras_file: Path, example: NDArray[np.uint8], step: int
) -> None:
    """Log the network in the file, as it is after `step` training steps, to the run.

    `example` is a digit [28, 28] uint8. The rule that doubts the network's answers may lie beside
    it. A model that an earlier try left half logged is completed: it is an output of the run
    already, though without files, and MLflow cannot remove an output.
    """
    if logged(client, run_id, step) is not None:
        return
    run = client.get_run(run_id)
    model = _half_logged(client, run, step) or client.create_logged_model(
        run.info.experiment_id,
        name="model",
        source_run_id=run_id,
        params=run.data.params,
        tags={TAG: PICTURES},
    )
    if model.model_id not in _linked(run, step):
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step)])
    moments.reached("model linked")
    with tempfile.TemporaryDirectory() as temporary:
        package, folder = _package(Path(temporary)), Path(temporary) / "model"
        mlflow.pyfunc.save_model(
            folder,
            mlflow_model=Model(
                artifact_path=model.artifact_location,
                run_id=run_id,
                model_uuid=model.model_id,
                model_id=model.model_id,
            ),
            loader_module=f"{package.name}.model",
            data_path=str(_data(keras_file, Path(temporary))),
            code_paths=[str(package)],
            signature=_SIGNATURE,
            input_example=pd.DataFrame({COLUMN: [served_model.as_picture(example)]}),
            pip_requirements=[
                f"{name}=={importlib.metadata.version(name)}" for name in _REQUIREMENTS
            ],
        )
        client.log_model_artifacts(model.model_id, str(folder))
    moments.reached("model uploaded")
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def _data(keras_file: Path, folder: Path) -> Path:
    """Return a folder with the network and its rule, or the network's file if there is no rule."""
    rule = keras_file.with_name(RULE)
    if not rule.exists():
        return keras_file
    data = folder / DATA
    data.mkdir()
    shutil.copy(keras_file, data / NETWORK)
    shutil.copy(rule, data / RULE)
    return data


def _of_run(client: MlflowClient, run: Run) -> list[LoggedModel]:
    """Return the run's logged models, half logged ones included."""
    query = f"source_run_id = '{run.info.run_id}'"
    search = client.search_logged_models
    return list(all_pages(search, [run.info.experiment_id], filter_string=query))


def _half_logged(client: MlflowClient, run: Run, step: int) -> LoggedModel | None:
    """Return a model whose logging ended after it became the run's output of this step, or before.

    A model that is the run's output of another step is not returned. Return None for no model.
    """
    outputs = [] if run.outputs is None else run.outputs.model_outputs
    linked = {output.model_id for output in outputs if output.step != step}
    unfinished = [
        model for model in _of_run(client, run) if model.status != LoggedModelStatus.READY
    ]
    return next((model for model in unfinished if model.model_id not in linked), None)


def _linked(run: Run, step: int) -> set[str]:
    """Return the ids of the models that are the run's outputs at this step."""
    outputs = [] if run.outputs is None else run.outputs.model_outputs
    return {output.model_id for output in outputs if output.step == step}


def code() -> tuple[str, dict[str, bytes]]:
    """Return the package that is part of a model: its name, and {file name: content}.

    Packages of other versions have other names: one process may load several models.
    """
    sources = {f"{name}.py": (_PACKAGE_DIR / f"{name}.py").read_bytes() for name in _MODULES}
    return _name(sources), sources


def is_known(read: Callable[[str], bytes | None]) -> bool:
    """Return whether a model's code is that of this version or of an earlier one.

    `read` returns the content of a file below the model's folder `code`, or None.
    """
    known = {code()[0]: _MODULES, **_EARLIER}
    for package, modules in known.items():
        sources = {f"{name}.py": read(f"{package}/{name}.py") for name in modules}
        whole = {name: source for name, source in sources.items() if source is not None}
        if len(whole) == len(sources) and _name(whole) == package:
            return True
    return False


def _name(sources: dict[str, bytes]) -> str:
    """Return the name of the package with these modules, which holds a digest of their texts."""
    texts = [source.decode(errors="replace") for source in sources.values()]
    return f"mnist_exp_model_{hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:12]}"


def _package(folder: Path) -> Path:
    """Write the package of `code` into the folder and return its path."""
    name, sources = code()
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    for module, source in sources.items():
        (package / module).write_bytes(source)
    return package
