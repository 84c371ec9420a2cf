"""Load a logged model without running code that somebody else wrote.

A logged model is a program: MLflow runs the Python files in its artifacts. Whoever can write to the
store can change them. Here only the network is read, and the code of this package runs it, if the
model's own code is the same or that of an earlier version.
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

# The network of a model with a rule that doubts its answers, and of a model without.
_NETWORKS = ("data/network/model.keras", "data/model.keras")
_RULE = "data/network/judgement.npz"
_ARRAYS = {"numbers": ("f", 1), "signs": ("u", 2), "references": ("i", 2), "labels": ("u", 1)}
_MOST_RULE_BYTES = 2**26
_MOST_NETWORK_BYTES = 2**29
_MOST_CODE_BYTES = 2**20
_MOST_UNITS = 2**16  # of a layer, as in the settings
# The parts of this package's networks, by Keras' names. `Lambda` and functions by name would be
# programs.
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
# What a zip file raises that is damaged or of another kind.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    RecursionError,
)


def load(client: "MlflowClient", model: LoggedModel) -> "DigitModel":
    """Return the model, run by this package's own code.

    MLflow's tracking URI has to be that of the client. Raises UserError for a model with other
    code, ValueError for one whose network this package would not make.
    """
    if not model_package.is_known(
        lambda path: _content(client, model, f"code/{path}", _MOST_CODE_BYTES)
    ):
        if _content(client, model, "MLmodel", _MOST_CODE_BYTES) is None:
            raise ValueError(f"its files are not in {clean(masked(model.artifact_location), 200)}")
        raise UserError(
            "it brings other Python code than this version of mnist_exp has; --trust runs that "
            "code, with all you may do"
        )
    contents = (_content(client, model, path, _MOST_NETWORK_BYTES) for path in _NETWORKS)
    network = next((content for content in contents if content is not None), None)
    if network is None:
        raise ValueError(f"its {_NETWORKS[0]} is missing")
    rule = _content(client, model, _RULE, _MOST_RULE_BYTES)
    if rule is not None:
        foreign_files.read_npz(rule, _ARRAYS, _MOST_RULE_BYTES)
    with TemporaryDirectory() as folder:
        return _loaded(Path(folder), network, rule)


def _loaded(folder: Path, network: bytes, rule: bytes | None) -> "DigitModel":
    """Return the model of these files after a look at them, and after it has answered once.

    They are written into the folder, so that nobody changes them between the check and their use.
    Raises ValueError for a network that is not a classifier of digits as this package makes them.
    """
    from mnist_exp.serving.model import NETWORK, RULE, DigitModel

    (folder / NETWORK).write_bytes(network)
    _check_network(folder / NETWORK)
    if rule is not None:
        (folder / RULE).write_bytes(rule)
    try:
        loaded = DigitModel(folder)
        probabilities = loaded.predict(np.zeros((1, 28, 28), np.uint8)).iloc[0]["probabilities"]
    except Exception as error:  # Keras and h5py raise anything for a file of another kind
        raise ValueError(clean(error, 200) or type(error).__name__) from error
    if len(probabilities) != 10 or not math.isclose(sum(probabilities), 1, abs_tol=1e-3):
        raise ValueError("its network does not tell ten digits apart")
    return loaded


def _content(client: "MlflowClient", model: LoggedModel, path: str, most: int) -> bytes | None:
    """Return one of the model's files, None if it has no such file.

    Raises ValueError for a file of more than `most` bytes.
    """
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
    """Raise ValueError unless the file is a network in Keras' format, of layers that compute."""
    try:
        config = _config(path)
    except _UNREADABLE as error:
        raise ValueError(
            f"its network is no file of Keras' format ({clean(error, 100)})"
        ) from error
    for part in _parts(config):
        module, name = part.get("module"), part.get("class_name")
        is_known = name in _CLASSES and module in (*_MODULES, None)
        if not (name is None or module == "keras.initializers" or is_known):
            raise ValueError(
                f"its network has a {clean(module, 80)}.{clean(name, 80)}, as no model of this "
                "package has"
            )
        for size in (part.get("units"), part.get("filters")):
            if size is not None and not (isinstance(size, int) and 0 < size <= _MOST_UNITS):
                raise ValueError(f"its network has a layer of {clean(size, 80)} units")


def _config(path: Path) -> dict[str, Any]:
    """Return the config of a network in Keras' format. Raises ValueError or one of _UNREADABLE."""
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        whole = sum(sizes.values())
        if set(sizes) != {"metadata.json", "config.json", "model.weights.h5"}:
            raise ValueError(f"its network consists of {clean(sorted(sizes), 200)}")
        if sizes["config.json"] > foreign_files.MAX_TEXT_BYTES or whole > _MOST_NETWORK_BYTES:
            raise ValueError(f"its network has {whole:,} bytes when unpacked")
        if damaged := archive.testzip():
            raise ValueError(f"{clean(damaged)} in its network is damaged")
        return foreign_files.read_json(archive.read("config.json"), dict)


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all mappings in a JSON value."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parts(item)
