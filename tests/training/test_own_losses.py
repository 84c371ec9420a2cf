"""A user's own loss gives one finite float32 an image, or is refused in words."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_exp.config.group_schemas import OwnLossConfig
from mnist_exp.own_code.code import Own
from mnist_exp.own_code.loading import OwnCodeError
from mnist_exp.training import own_losses


def built(function: Any, **options: Any) -> Any:
    config = OwnLossConfig(function="mine:loss", options=options)
    return own_losses.build(config, 4, Own(loss=function))


def focal(labels: tf.Tensor, logits: tf.Tensor, gamma: float = 2.0) -> tf.Tensor:
    logs = tf.gather(tf.nn.log_softmax(logits), labels, axis=1, batch_dims=1)
    return -((1 - tf.exp(logs)) ** gamma) * logs


def test_labels_are_whole_numbers_and_options_are_passed() -> None:
    labels, logits = tf.constant([1, 3]), tf.constant([[0.0, 1, 2, 3], [0, 0, 0, 0]])
    np.testing.assert_allclose(built(focal, gamma=0)(labels, logits), [2.44019, 1.38629], 1e-5)
    np.testing.assert_allclose(built(focal)(labels, logits)[1], 0.75**2 * np.log(4), 1e-5)


def by_numpy(labels: tf.Tensor, logits: tf.Tensor) -> np.ndarray:
    return np.asarray(logits).sum(axis=1)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (by_numpy, "expected a tensor with one loss for each image, got ndarray"),
        (lambda y, z: tf.reduce_mean(z), "one number for all images; leave out the mean"),
        (lambda y, z: z, r"gives shape \(3, 4\): sum over the classes"),
        (lambda y, z: z[:2, 0], r"for 3 images it gives shape \(2,\)"),
        (lambda y, z: tf.cast(y, tf.float64), "losses of float32, got float64"),
        (lambda y, z: tf.math.log(z[:, 0] - 9.0), "gives NaN or infinite losses"),
        (lambda y, z: None, "got NoneType"),
        (lambda y: y, "cannot be called with"),
        (lambda y, z: 1 / 0, "ZeroDivisionError"),
        (keras.losses.SparseCategoricalCrossentropy(True), "one number for all images"),
    ],
)
def test_what_is_no_loss_for_each_image(function: Callable[..., Any], words: str) -> None:
    with pytest.raises(OwnCodeError, match=words):
        built(function)


def test_an_option_that_the_function_does_not_take() -> None:
    with pytest.raises(OwnCodeError, match="unexpected keyword argument 'gama'") as error:
        built(focal, gama=2)
    assert len(str(error.value).splitlines()) == 2
