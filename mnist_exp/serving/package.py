"""Log a trained network as a model that brings its preprocessing along, and needs no mnist_exp to be loaded."""

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
from mlflow.tracking.context.registry import resolve_tags
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array
from numpy.typing import NDArray

from mnist_exp.outside import moments
from mnist_exp.serving import model as served_model
from mnist_exp.serving.model import COLUMN, NETWORK, RETURN_PIXELS, RULE

_PACKAGE_DIR = Path(__file__).parent
_MODULES = (
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
# The code of earlier versions, whose networks take the same images: its package's name, and its modules.
_EARLIER = {
    "mnist_exp_model_6c62a684d5c7": ("preprocessing", "served_model"),
    "mnist_exp_model_574362977805": ("judgement", "picture_files", "preprocessing", "served_model"),
}
TAG = "mnist_exp.takes"  # of a logged model
PICTURES = "pictures"
DATA = "network"  # the folder of what a model loads

# No inputs are named: a picture is a text and an array is not, and no type of MLflow's is both. With one, its server refuses
# CSV, arrays in a data frame's rows and an index that does not begin at 0. MLflow checks nothing, the model all.
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
    """The model that the run has logged at this step, with all its files; None while there is none."""
    run = client.get_run(run_id)
    ready = [model for model in _of_run(client, run) if model.status == LoggedModelStatus.READY]
    return next((model for model in ready if model.model_id in _linked(run, step)), None)


def log(
    client: MlflowClient, run_id: str, keras_file: Path, example: NDArray[np.uint8], step: int
) -> None:
    """Log the network in the file, of after `step` training steps, to the run.

    `example` is a digit [28, 28] uint8. The rule that doubts its answers may lie beside the network. A model that an earlier try left half logged is completed: MLflow counts as the
    run's output what has no files yet, and can take no output back.
    """
    if logged(client, run_id, step) is not None:
        return
    run = client.get_run(run_id)
    model = _half_logged(client, run, step) or client.create_logged_model(
        run.info.experiment_id,
        name="model",
        source_run_id=run_id,
        params=run.data.params,
        tags=resolve_tags({TAG: PICTURES}),
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
    """What the model loads: a folder with the network and its rule, or the network alone if there is no rule."""
    rule = keras_file.with_name(RULE)
    if not rule.exists():
        return keras_file
    data = folder / DATA
    data.mkdir()
    shutil.copy(keras_file, data / NETWORK)
    shutil.copy(rule, data / RULE)
    return data


def _of_run(client: MlflowClient, run: Run) -> list[LoggedModel]:
    query = f"source_run_id = '{run.info.run_id}'"
    return list(client.search_logged_models([run.info.experiment_id], filter_string=query))


def _half_logged(client: MlflowClient, run: Run, step: int) -> LoggedModel | None:
    """A model whose logging ended too early: after it became the run's output of this step, or just before that."""
    outputs = [] if run.outputs is None else run.outputs.model_outputs
    linked = {output.model_id for output in outputs if output.step != step}
    unfinished = [
        model for model in _of_run(client, run) if model.status != LoggedModelStatus.READY
    ]
    return next((model for model in unfinished if model.model_id not in linked), None)


def _linked(run: Run, step: int) -> set[str]:
    """Ids of the models that are the run's outputs at this step."""
    outputs = [] if run.outputs is None else run.outputs.model_outputs
    return {output.model_id for output in outputs if output.step == step}


def code() -> tuple[str, dict[str, bytes]]:
    """The package that travels with a model: its name, and {file name: content} of its modules.

    The name tells it from that of other versions: one process may load several models.
    """
    sources = {f"{name}.py": (_PACKAGE_DIR / f"{name}.py").read_bytes() for name in _MODULES}
    return _name(sources), sources


def is_known(read: Callable[[str], bytes | None]) -> bool:
    """Whether a model's code is this version's or an earlier one's; `read` gives a file below the model's folder `code`."""
    known = {code()[0]: _MODULES, **_EARLIER}
    for package, modules in known.items():
        sources = {f"{name}.py": read(f"{package}/{name}.py") for name in modules}
        whole = {name: source for name, source in sources.items() if source is not None}
        if len(whole) == len(sources) and _name(whole) == package:
            return True
    return False


def _name(sources: dict[str, bytes]) -> str:
    texts = [source.decode(errors="replace") for source in sources.values()]
    return f"mnist_exp_model_{hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:12]}"


def _package(folder: Path) -> Path:
    name, sources = code()
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    for module, source in sources.items():
        (package / module).write_bytes(source)
    return package
