"""Write the files that a logged model loads: its network, the form of its images, and its rule."""

import ast
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path

import keras
import numpy as np

from mnist_exp.data import Dataset
from mnist_exp.errors import UserError, first_line
from mnist_exp.own_code.imports import imported, imports_by_name
from mnist_exp.own_code.names import Named
from mnist_exp.serving import calibration, foreign_networks, form, own_source
from mnist_exp.serving.model import RULE
from mnist_exp.serving.network import NETWORK
from mnist_exp.serving.package import EXAMPLE


def write(
    folder: Path,
    model: keras.Model,
    dataset: Dataset,
    source: tuple[Named, Mapping[str, bytes]] | None = None,
) -> None:
    """Write all that is logged of a trained model.

    `source` is the function of the user's own that has built it, and {path: content} of its
    modules: then these, its options and its weights are written, because Keras cannot restore what
    it does not know. Raises UserError for a model that cannot be restored.
    """
    if source is None:
        _write_network(folder, model)
    else:
        function, modules = source
        needed = _needed(function.module, modules)
        own_source.save(folder, function.name, function.options, needed)
        own_source.save_weights(model, folder)
    form.save(folder, dataset.form.image_shape, dataset.form.class_names)
    np.save(folder / EXAMPLE, dataset.test.images[0])
    calibration.judgement_of(model, dataset).save(folder / RULE)


def _write_network(folder: Path, model: keras.Model) -> None:
    """Write a model in Keras' format.

    Raises UserError for a model that a Python session has given with parts of the user's own: their
    source is in no module.
    """
    try:
        model.save(folder / NETWORK)
        part = foreign_networks.own_part(folder / NETWORK)
    except OSError:
        raise
    except Exception as error:  # whatever a layer of the user's own raises when it is asked
        raise UserError(f"Keras cannot store it ({first_line(error)})") from error
    if part is not None:
        raise UserError(f"it has a part of your own, {part}, whose source is in no module")


def _needed(module: str, sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the sources of a module and of all that it imports; others belong to a loss.

    If one of them imports modules by names that are not in its source, all may be needed.
    """
    needed: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        base = name.replace(".", "/")
        for path in {f"{base}.py", f"{base}/__init__.py"} & sources.keys() - needed.keys():
            tree = ast.parse(sources[path])
            if imports_by_name(tree):
                return dict(sources)
            needed[path] = sources[path]
            for other in [name, *imported(tree, name, path.endswith("/__init__.py"))]:
                waiting += accumulate(other.split("."), "{}.{}".format)
    return needed
