"""Write the files that a logged model loads: its network, the form of its images, and its rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mnist_exp.data import Dataset
from mnist_exp.serving import calibration, form, own_source
from mnist_exp.serving.model import RULE
from mnist_exp.serving.network import NETWORK
from mnist_exp.serving.package import EXAMPLE


@dataclass(frozen=True, kw_only=True)
class OwnNetwork:
    """How a network of the user's own is built.

    Attributes:
        build: The function, as MODULE:FUNCTION.
        options: What it is called with beside the shape of the images and the number of classes.
        sources: The modules that it needs: {relative path: content}.
    """

    build: str
    options: Mapping[str, Any]
    sources: Mapping[str, bytes]


def write(folder: Path, model: keras.Model, dataset: Dataset, own: OwnNetwork | None) -> None:
    """Write all that is logged of a trained model.

    A network of this package is one file of Keras. One of the user's own is its source, its options
    and its weights: Keras could not restore layers that it does not know.
    """
    form.save(folder, dataset.form.image_shape, dataset.form.class_names)
    if own is None:
        model.save(folder / NETWORK)
    else:
        own_source.save(folder, own.build, own.options, own.sources)
        own_source.save_weights(model, folder)
    np.save(folder / EXAMPLE, dataset.test.images[0])
    calibration.judgement_of(model, dataset).save(folder / RULE)
