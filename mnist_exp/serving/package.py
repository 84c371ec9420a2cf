"""Log a trained network as a model that loads without mnist_exp, with its preprocessing."""

import hashlib
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
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import Array

from mnist_exp.outside import moments
from mnist_exp.outside.paging import all_pages
from mnist_exp.serving import form, own_source
from mnist_exp.serving import model as served_model
from mnist_exp.serving.form import Form
from mnist_exp.serving.inputs import COLUMN
from mnist_exp.serving.model import RETURN_PIXELS
from mnist_exp.serving.requirements import requirements

_PROJECT = Path(__file__).parent.parent
_MODULES = (  # a copy of them is part of each model, below folders of the same names
    "own_code/isolation",
    "serving/form",
    "serving/ink",
    "serving/inputs",
    "serving/judgement",
    "serving/model",
    "serving/network",
    "serving/own_source",
    "serving/picture_files",
    "serving/pieces",
    "serving/pixels",
    "serving/preprocessing",
    "serving/resizing",
    "serving/rules",
    "serving/surroundings",
)
_LOADER = "serving.model"
# The code of earlier versions, whose networks take digits: {package: its modules}.
_EARLIER = {
    "mnist_exp_model_6c62a684d5c7": ("preprocessing", "served_model"),
    "mnist_exp_model_574362977805": ("judgement", "picture_files", "preprocessing", "served_model"),
    "mnist_exp_model_cf4fb0451ec0": (
        "ink",
        "judgement",
        "model",
        "picture_files",
        "pieces",
        "pixels",
        "preprocessing",
        "rules",
        "surroundings",
    ),
    "mnist_exp_model_bcd2bca93aad": _MODULES,
    "mnist_exp_model_ece0690cc564": _MODULES,
    "mnist_exp_model_a0143c85b0c3": _MODULES,
}
TAG = "mnist_exp.takes"  # of a logged model
PICTURES = "pictures"
DATA = "network"  # the folder of what a model loads
EXAMPLE = "example.npy"  # an image beside that, which the model does not load


def logged(client: MlflowClient, run_id: str, step: int) -> LoggedModel | None:
    """Return the model that the run has logged at this step with all its files, or None."""
    run = client.get_run(run_id)
    ready = [model for model in _of_run(client, run) if model.status == LoggedModelStatus.READY]
    return next((model for model in ready if model.model_id in _linked(run, step)), None)


def log(client: MlflowClient, run_id: str, contents: Path, step: int) -> None:
    """Log the network in the folder `contents`, as it is after `step` training steps, to the run.

    `contents.write` wrote the folder. A model that an earlier try left half logged is completed: it
    is an output of the run already, though without files, and MLflow cannot remove an output.
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
            loader_module=f"{package.name}.{_LOADER}",
            data_path=str(_data(contents, Path(temporary))),
            code_paths=[str(package)],
            signature=signature(form.load(contents)),
            input_example=_example(contents),
            pip_requirements=requirements(own_source.sources(contents)),
        )
        client.log_model_artifacts(model.model_id, str(folder))
    moments.reached("model uploaded")
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def signature(form: Form) -> ModelSignature:
    """Return what a model of this form takes and answers, as MLflow's server checks it.

    No inputs are named: a picture is a text and an array is not, and no type of MLflow is both.
    With a type, its server refuses CSV, arrays in a data frame's rows and an index that does not
    begin at 0. The model checks its input itself.
    """
    label, name = ColSpec(DataType.long, "label"), ColSpec(DataType.string, "name")
    answer = [ColSpec(DataType.long, "digit")] if form.is_digits else [label, name]
    columns: list[ColSpec | TensorSpec] = [
        *answer,
        ColSpec(Array(DataType.double), "probabilities"),
        ColSpec(DataType.double, "confidence", required=False),
        ColSpec(DataType.boolean, "sure", required=False),
    ]
    params = ParamSchema([ParamSpec(RETURN_PIXELS, DataType.boolean, False)])
    return ModelSignature(None, Schema(columns), params)


def _example(contents: Path) -> pd.DataFrame:
    """Return the input that MLflow shows beside the model: the example as a picture."""
    image = np.load(contents / EXAMPLE)
    return pd.DataFrame({COLUMN: [served_model.as_picture(image)]})


def _data(contents: Path, folder: Path) -> Path:
    """Copy what the model loads into the folder and return where it is."""
    data = folder / DATA
    shutil.copytree(contents, data, ignore=lambda path, names: {EXAMPLE} & set(names))
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
    """Return the package that is part of a model: its name, and {path: content}.

    Packages of other versions have other names: one process may load several models.
    """
    sources = {f"{name}.py": (_PROJECT / f"{name}.py").read_bytes() for name in _MODULES}
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
    for path, source in sources.items():
        file = package / path
        file.parent.mkdir(parents=True, exist_ok=True)
        for above in (package, file.parent):
            (above / "__init__.py").touch()
        file.write_bytes(source)
    return package
