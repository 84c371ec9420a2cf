"""Load a logged model without running code that somebody else wrote.

A logged model is a program: MLflow runs the Python files in its artifacts. Whoever can write to the store can change them.
Here the network alone is read, and this package's own code does the rest, if the model's code is the same.
"""

import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow.entities import LoggedModel

from mnist_exp.errors import UserError
from mnist_exp.outside import foreign_files
from mnist_exp.outside.uris import local_path, masked
from mnist_exp.serving import package as model_package
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mnist_exp.serving.model import DigitModel

_NETWORKS = (
    "data/network/model.keras",
    "data/model.keras",
)  # of models with a rule that doubts, and without
_RULE = "data/network/judgement.npz"
_ARRAYS = {"numbers": ("f", 1), "signs": ("u", 2), "references": ("i", 2), "labels": ("u", 1)}
_MOST_RULE_BYTES = 2**26
_MOST_NETWORK_BYTES = 2**29
_MOST_CODE_BYTES = 2**20
_MOST_UNITS = 2**16  # of a layer, as in the settings
# What the networks of this package consist of, by Keras' names. `Lambda` and functions by name are programs.
_CLASSES = {
    "Functional",
    "InputLayer",
    "Flatten",
    "Dense",
    "Conv2D",
    "MaxPooling2D",
    "ReLU",
    "Dropout",
    "__keras_tensor__",
    "DTypePolicy",
}
_MODULES = {"keras", "keras.layers", "keras.src.models.functional"}


def load(client: "MlflowClient", model: LoggedModel) -> "DigitModel":
    """The model, run by this package's own code; MLflow's tracking URI is that of the client.

    Raises UserError for a model with other code, ValueError for one whose network is none of this package's.
    """
    if not _has_our_code(client, model):
        if _content(client, model, "MLmodel", _MOST_CODE_BYTES) is None:
            raise ValueError(f"its files are not in {clean(masked(model.artifact_location), 200)}")
        raise UserError(
            "it brings other Python code than this version of mnist_exp has; --trust runs that code, with all you may do"
        )
    from mnist_exp.serving.model import DigitModel

    contents = (_content(client, model, path, _MOST_NETWORK_BYTES) for path in _NETWORKS)
    content = next((network for network in contents if network is not None), None)
    if content is None:
        raise ValueError(f"its {_NETWORKS[0]} is missing")
    rule = _content(client, model, _RULE, _MOST_RULE_BYTES)
    with TemporaryDirectory() as folder:
        network = Path(folder) / Path(_NETWORKS[0]).name
        network.write_bytes(content)  # a copy: nobody changes it between the check and its use
        _check_network(network)
        if rule is not None:
            foreign_files.read_npz(rule, _ARRAYS, _MOST_RULE_BYTES)
            (Path(folder) / Path(_RULE).name).write_bytes(rule)
        try:
            loaded = DigitModel(Path(folder))
            row = loaded.predict(np.zeros((1, 28, 28), np.uint8)).iloc[0]
        except (
            Exception
        ) as error:  # whatever Keras and h5py raise for a file that is not what it should be
            raise ValueError(clean(error, 200) or type(error).__name__) from error
    if len(row["probabilities"]) != 10 or not math.isclose(
        sum(row["probabilities"]), 1, abs_tol=1e-3
    ):
        raise ValueError("its network does not tell ten digits apart")
    return loaded


def _has_our_code(client: "MlflowClient", model: LoggedModel) -> bool:
    """Whether its code is what this version or an earlier one would log. What else lies there is not run, and nothing is run from there."""
    return model_package.is_known(
        lambda path: _content(client, model, f"code/{path}", _MOST_CODE_BYTES)
    )


def _content(client: "MlflowClient", model: LoggedModel, path: str, most: int) -> bytes | None:
    """One of the model's files, None if it has no such one. Raises ValueError for one of more than `most` bytes."""
    local = local_path(model.artifact_location)
    if local is not None:
        file = local / path
        return foreign_files.read(file, most) if file.exists() else None
    folder = path.rpartition("/")[0]
    sizes = {
        entry.path: entry.file_size or 0
        for entry in client.list_logged_model_artifacts(model.model_id, folder)
    }
    if path not in sizes:
        return None
    if sizes[path] > most:
        raise ValueError(f"{path} has {sizes[path]:,} bytes")
    with TemporaryDirectory() as temporary:
        uri = f"{model.artifact_location}/{path}"
        return foreign_files.read(
            Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=temporary)), most
        )


def _check_network(path: Path) -> None:
    """Raise ValueError unless the file is a network in Keras' format, of layers that compute and do nothing else."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            if set(sizes) != {"metadata.json", "config.json", "model.weights.h5"}:
                raise ValueError(f"its network consists of {clean(sorted(sizes), 200)}")
            if (
                sizes["config.json"] > foreign_files.MAX_TEXT_BYTES
                or sum(sizes.values()) > _MOST_NETWORK_BYTES
            ):
                raise ValueError(f"its network has {sum(sizes.values()):,} bytes when unpacked")
            if damaged := archive.testzip():
                raise ValueError(f"{clean(damaged)} in its network is damaged")
            config = foreign_files.read_json(archive.read("config.json"), dict)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        RecursionError,
    ) as error:
        raise ValueError(
            f"its network is no file of Keras' format ({clean(error, 100)})"
        ) from error
    for part in _parts(config):
        module, name = part.get("module"), part.get("class_name")
        initializer = module == "keras.initializers"
        if (
            name is not None
            and not initializer
            and (name not in _CLASSES or module not in (*_MODULES, None))
        ):
            raise ValueError(
                f"its network has a {clean(module, 80)}.{clean(name, 80)}, as no model of this package has"
            )
        for size in (part.get("units"), part.get("filters")):
            if size is not None and not (isinstance(size, int) and 0 < size <= _MOST_UNITS):
                raise ValueError(f"its network has a layer of {clean(size, 80)} units")


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """All mappings in a JSON value."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parts(item)
