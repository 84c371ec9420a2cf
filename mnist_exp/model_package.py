"""Log a trained network as a model that brings its preprocessing along, and needs no mnist_exp to be loaded."""

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import Array

from mnist_exp import environment, served_model
from mnist_exp.served_model import COLUMN, RETURN_PIXELS

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo

_PACKAGE_DIR = Path(__file__).parent
_MODULES = ("preprocessing", "served_model")
# What `mlflow models serve` installs to load the model.
_REQUIREMENTS = ("tensorflow", "keras", "numpy", "pandas", "pillow")
TAG = "mnist_exp.takes"  # of a logged model
PICTURES = "pictures"

# The element type of `image` is open, since a picture is a text and an array is not: MLflow checks nothing, the model all.
_SIGNATURE = ModelSignature(
    Schema([TensorSpec(np.dtype(object), (-1,), COLUMN)]),
    Schema([ColSpec(DataType.long, "digit"), ColSpec(Array(DataType.double), "probabilities")]),
    ParamSchema([ParamSpec(RETURN_PIXELS, DataType.boolean, False)]),
)


def log(keras_file: Path, example: "np.ndarray", step: int) -> "ModelInfo":
    """Log the network in the file, of after `step` training steps, to the active run; `example` is a digit [28, 28] uint8."""
    with tempfile.TemporaryDirectory() as temporary:
        package = _package(Path(temporary))
        path = sys.path
        try:
            return mlflow.pyfunc.log_model(
                name="model",
                loader_module=f"{package.name}.served_model",
                data_path=str(keras_file),
                code_paths=[str(package)],
                signature=_SIGNATURE,
                input_example=pd.DataFrame({COLUMN: [served_model.as_picture(example)]}),
                pip_requirements=[f"{name}=={environment.version(name)}" for name in _REQUIREMENTS],
                tags={TAG: PICTURES},
                step=step,
            )
        finally:
            sys.path = path  # MLflow tries the example, and leaves the folder with the code in there


def _package(folder: Path) -> Path:
    """A Python package with the modules, whose name tells them from other versions: one process may load several models."""
    sources = {name: (_PACKAGE_DIR / f"{name}.py").read_bytes() for name in _MODULES}
    digest = hashlib.sha256(json.dumps([text.decode() for text in sources.values()]).encode())
    package = folder / f"mnist_exp_model_{digest.hexdigest()[:12]}"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in _MODULES:
        shutil.copy(_PACKAGE_DIR / f"{name}.py", package)
    return package
