"""Build a network from source of the user's own, which is packed beside its weights.

A copy of this file is part of every logged model, so its imports are relative.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..own_code.isolation import Modules
from .form import Form

RECIPE = "own.json"  # which function builds the network, and its options
WEIGHTS = "weights.npz"
FOLDER = "own_code"  # of the packed source


def save(folder: Path, build: str, options: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write the recipe and the source, {relative path: content}, into the folder of a model."""
    recipe = {"build": build, "options": dict(options), "files": sorted(files)}
    (folder / RECIPE).write_text(json.dumps(recipe), encoding="utf-8")
    for path, source in files.items():
        file = folder / FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(source)


def save_weights(network: Any, folder: Path) -> None:
    """Write all weights of the network, those that are not trained included, in their order.

    Formats that NumPy has not, such as bfloat16, are written as float32, which holds all of their
    values.
    """
    values = [np.asarray(weight) for weight in network.weights]
    values = [value.astype(np.float32) if value.dtype.kind == "V" else value for value in values]
    np.savez(folder / WEIGHTS, *values)


def sources(folder: Path) -> dict[str, bytes]:
    """Return the packed source, {relative path: content}; empty for a network without."""
    return {
        path.relative_to(folder / FOLDER).as_posix(): path.read_bytes()
        for path in sorted((folder / FOLDER).rglob("*"))
        if path.is_file()
    }


def build(folder: Path, form: Form) -> Any:
    """Return the network in the folder of a model, with its weights.

    Its own code runs as it did for training: on float32 and channels last.
    """
    recipe = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
    module, _, function = recipe["build"].partition(":")
    packed = sources(folder)
    modules = Modules(packed, {path: str(folder / FOLDER / path) for path in packed})
    with _usual_settings():
        make = getattr(modules.import_module(module), function)
        network = make(form.image_shape, len(form.class_names), **recipe["options"])
        network(np.zeros((1, *form.image_shape), np.float32), training=False)  # makes all weights
    with np.load(folder / WEIGHTS, allow_pickle=False) as file:
        network.set_weights([file[f"arr_{number}"] for number in range(len(file.files))])
    return network


@contextmanager
def _usual_settings() -> Iterator[None]:
    """Set what Keras' layers take from its global settings, and put that back after the block."""
    from keras import config

    before = config.floatx(), config.epsilon(), config.image_data_format(), config.dtype_policy()
    _set("float32", 1e-7, "channels_last", "float32")
    try:
        yield
    finally:
        _set(*before)


def _set(floatx: str, epsilon: float, data_format: str, policy: Any) -> None:
    from keras import config

    config.set_floatx(floatx)
    config.set_epsilon(epsilon)
    config.set_image_data_format(data_format)
    config.set_dtype_policy(policy)
