"""The rule by which a trained network's answers are doubted, from its training and validation images."""

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import Dataset, Split
from mnist_exp.serving.judgement import Judgement, fit
from mnist_exp.serving.model import features_and_logits

_REFERENCES, _VALIDATION = (
    4_000,
    2_000,
)  # images that are used of each: a second or two on two cores


def judgement_of(model: keras.Model, dataset: Dataset) -> Judgement:
    """Fitted on the first training and validation images; no test image is seen."""
    both = keras.Model(model.input, [model.layers[-1].input, model.output])
    train, validation = dataset.train.first(_REFERENCES), dataset.val.first(_VALIDATION)
    return fit(
        (_outputs(both, train)[0], train.labels), (*_outputs(both, validation), validation.labels)
    )


def _outputs(network: keras.Model, split: Split) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    return features_and_logits(network, split.images.astype(np.float32) / 255)
