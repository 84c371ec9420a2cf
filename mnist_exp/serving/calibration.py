"""Fit the rule by which a trained network's answers are doubted."""

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import Dataset, Form, Split
from mnist_exp.serving.judgement import NEIGHBOURS, Judgement, fit
from mnist_exp.serving.network import Outputs, features_and_logits, outputs

# More images than these would make every run's end slower.
_REFERENCES, _VALIDATION = 4_000, 2_000
_MOST_FEATURES = 2**27  # of all reference images, which are in memory at once


def judgement_of(model: keras.Model, dataset: Dataset) -> Judgement:
    """Return the model's rule, fitted on some training and validation images.

    No test image is used.
    """
    compute = outputs(model)
    width = _computed(compute, dataset.train.first(1))[0].shape[1]
    count = min(_REFERENCES, max(1, _MOST_FEATURES // width))
    train = _references(dataset.train, dataset.form, count)
    validation = dataset.val.first(_VALIDATION)
    return fit(
        (_computed(compute, train)[0], train.labels),
        (*_computed(compute, validation), validation.labels),
    )


def _references(train: Split, form: Form, count: int) -> Split:
    """Return about `count` training images: of digits the first ones, else as many of each class.

    Of many classes, some are rare among the first images.
    """
    if form.is_digits:
        return train.first(count)
    each = max(NEIGHBOURS, count // form.num_classes)
    of_classes = [np.flatnonzero(train.labels == k)[:each] for k in range(form.num_classes)]
    chosen = np.concatenate(of_classes)
    return Split(train.images[chosen], train.labels[chosen])


def _computed(compute: Outputs, split: Split) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    return features_and_logits(compute, split.images.astype(np.float32) / 255)
