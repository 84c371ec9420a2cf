"""Fit the rule by which a trained network's answers are doubted."""

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import Dataset, Split
from mnist_exp.serving.judgement import Judgement, fit
from mnist_exp.serving.model import features_and_logits

# More images than these would make every run's end slower.
_REFERENCES, _VALIDATION = 4_000, 2_000


def judgement_of(model: keras.Model, dataset: Dataset) -> Judgement:
    """Return the model's rule, fitted on the first training and validation images.

    No test image is used.
    """
    both = keras.Model(model.input, [model.layers[-1].input, model.output])
    train, validation = dataset.train.first(_REFERENCES), dataset.val.first(_VALIDATION)
    return fit(
        (_outputs(both, train)[0], train.labels), (*_outputs(both, validation), validation.labels)
    )


def _outputs(network: keras.Model, split: Split) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    return features_and_logits(network, split.images.astype(np.float32) / 255)
