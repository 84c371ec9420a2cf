"""Load a logged model without running code that somebody else wrote.

A logged model is a program: MLflow runs the Python files in its artifacts. Whoever can write to the
store can change them. Here only the network is read, and the code of this package runs it, if the
model's own code is the same or that of an earlier version. A network of the user's own is built by
its packed source, if the same source is here.
"""

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow.entities import LoggedModel

from mnist_exp.data import MNIST, Form
from mnist_exp.errors import UserError
from mnist_exp.outside import foreign_files
from mnist_exp.outside.uris import local_path, masked
from mnist_exp.serving import foreign_networks, foreign_source, form, network
from mnist_exp.serving import package as model_package
from mnist_exp.serving.foreign_networks import MOST_BYTES
from mnist_exp.serving.foreign_source import MOST_CODE_BYTES
from mnist_exp.serving.network import NETWORK
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mnist_exp.serving.model import ServedModel

_DATA = f"data/{model_package.DATA}"
_ALONE = f"data/{NETWORK}"  # the network of an earlier version's model that has no rule
_ARRAYS = {"numbers": ("f", 1), "signs": ("u", 2), "references": ("i", 2), "labels": ("u", 1)}
_NUMBERS = 3  # of a rule: its temperature, its least confidence and its farthest distance
_MOST_RULE_BYTES = 2**26
_MOST_PIXELS, _MOST_CLASSES = 2**26, 1000


def load(client: "MlflowClient", model: LoggedModel) -> "ServedModel":
    """Return the model, run by this package's own code.

    MLflow's tracking URI has to be that of the client. Raises UserError for a model with other
    code, ValueError for one whose network this package would not make.
    """
    with TemporaryDirectory() as temporary:
        return _loaded(_copied(client, model, Path(temporary)))


def load_network(client: "MlflowClient", model: LoggedModel) -> Any:
    """Return the model's Keras network: images [N, H, W, C] in [0, 1] -> logits [N, K].

    It is checked, and errors are raised, as by `load`.
    """
    with TemporaryDirectory() as temporary:
        folder = _copied(client, model, Path(temporary))
        _loaded(folder)
        return network.load(folder, form.load(folder))


def _copied(client: "MlflowClient", model: LoggedModel, folder: Path) -> Path:
    """Copy the model's files into the folder, where nobody changes them between check and use.

    Returns the folder. Raises UserError for a model with other code, ValueError for one without a
    network.
    """
    from mnist_exp.serving.model import RULE

    if not model_package.is_known(
        lambda path: _content(client, model, f"code/{path}", MOST_CODE_BYTES)
    ):
        if _content(client, model, "MLmodel", MOST_CODE_BYTES) is None:
            raise ValueError(f"its files are not in {clean(masked(model.artifact_location), 200)}")
        raise UserError(
            "it brings other Python code than this version of mnist_exp has; --trust runs that "
            "code, with all you may do"
        )
    files = foreign_source.read(
        lambda path, most: _content(client, model, f"{_DATA}/{path}", most)
    ) or {NETWORK: _network(client, model)}
    rule = _rule(client, model)
    if rule is not None:
        files[RULE], _ = rule
    known = form_of(client, model)
    form.save(folder, known.image_shape, known.class_names)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def form_of(client: "MlflowClient", model: LoggedModel) -> Form:
    """Return the form of the images that the model takes. Raises ValueError if it has none."""
    content = _content(client, model, f"{_DATA}/{form.FILE}", foreign_files.MAX_TEXT_BYTES)
    if content is None:
        return MNIST
    found = form.parsed(content)
    if math.prod(found.image_shape) > _MOST_PIXELS or len(found.class_names) > _MOST_CLASSES:
        raise ValueError(
            f"{form.FILE}: expected at most {_MOST_PIXELS:,} pixels and {_MOST_CLASSES:,} classes"
        )
    return Form(image_shape=found.image_shape, class_names=found.class_names)


def least_confidence(client: "MlflowClient", model: LoggedModel) -> float | None:
    """Return the confidence below which the model's rule doubts an answer; None without a rule.

    Raises ValueError for a rule that cannot be read.
    """
    rule = _rule(client, model)
    return None if rule is None else float(rule[1]["numbers"][1])


def _rule(
    client: "MlflowClient", model: LoggedModel
) -> tuple[bytes, dict[str, "np.ndarray[Any, Any]"]] | None:
    """Return the file of the model's rule and the arrays in it, or None if there is no such file.

    Raises ValueError for a file of another kind.
    """
    from mnist_exp.serving.model import RULE

    content = _content(client, model, f"{_DATA}/{RULE}", _MOST_RULE_BYTES)
    if content is None:
        return None
    arrays = foreign_files.read_npz(content, _ARRAYS, _MOST_RULE_BYTES)
    if len(arrays["numbers"]) != _NUMBERS:
        raise ValueError(f"{RULE}: expected {_NUMBERS} numbers, found {len(arrays['numbers'])}")
    return content, arrays


def _network(client: "MlflowClient", model: LoggedModel) -> bytes:
    """Return the file of the network. Raises ValueError if there is none."""
    for path in (f"{_DATA}/{NETWORK}", _ALONE):
        if (network := _content(client, model, path, MOST_BYTES)) is not None:
            return network
    raise ValueError(f"its {_DATA}/{NETWORK} is missing")


def _loaded(folder: Path) -> "ServedModel":
    """Return the model in the folder after a look at its network, and after it has answered once.

    Raises ValueError for a network that is not a classifier of its form.
    """
    from mnist_exp.serving.model import ServedModel

    if (folder / NETWORK).exists():
        foreign_networks.check(folder / NETWORK)
    try:
        loaded = ServedModel(folder)
        # A network that divides by an image's own spread has no answer to a blank one.
        shape = (1, *loaded.form.image_shape)
        noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        probabilities = loaded.predict(noise).iloc[0]["probabilities"]
    except Exception as error:  # Keras and h5py raise anything for a file of another kind
        raise ValueError(clean(error, 200) or type(error).__name__) from error
    classes = len(loaded.form.class_names)
    if len(probabilities) != classes or not math.isclose(sum(probabilities), 1, abs_tol=1e-3):
        raise ValueError(f"its network does not tell {classes} classes apart")
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
