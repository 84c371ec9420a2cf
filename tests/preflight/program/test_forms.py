"""Images and labels get the forms that a model and a loss take."""

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.forms import label_form, model_input
from tests.support.zoo import models


@pytest.mark.parametrize("shape", [(5, 28, 28, 1), (5, 28, 28), (5, 784)])
@pytest.mark.parametrize("takes", [(28, 28, 1), (784,)])
def test_images_get_the_shape_that_a_keras_model_takes(shape: tuple, takes: tuple) -> None:
    model = models.sequential(layers.Flatten(), layers.Dense(10), shape=takes)
    assert model_input(model, np.zeros(shape, np.uint8)).shape == (5, *takes)


@pytest.mark.parametrize("shape", [(5, 28, 28, 1), (5, 28, 28), (5, 784)])
def test_images_get_the_shape_that_a_callable_takes(shape: tuple) -> None:
    weights = tf.zeros((784, 10))
    assert model_input(lambda x: tf.matmul(x, weights), np.zeros(shape)).shape == (5, 784)
    kernel = tf.zeros((3, 3, 1, 2))
    assert model_input(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), np.zeros(shape)).shape == (
        5,
        28,
        28,
        1,
    )


def test_model_that_takes_no_shape_is_named_with_the_shape_and_not_in_a_librarys_words() -> None:
    with pytest.raises(PreflightError, match=r"on inputs \[N, 784\] float32: ValueError"):
        model_input(lambda x: tf.matmul(x, tf.zeros((3, 10))), np.zeros((5, 784)))


def test_finding_the_shape_runs_no_model() -> None:
    calls = tf.Variable(0)
    model_input(lambda x: tf.cast(calls.assign_add(1), tf.float32) * x, np.zeros((5, 784)))
    assert calls.numpy() == 0


def test_pixel_values_are_left_alone() -> None:
    assert model_input(models.softmax("zeros", 0), np.full((2, 28, 28), 255, np.uint8)).max() == 255


def test_labels_as_integers_and_one_hot() -> None:
    assert label_form(np.array([3, 1], np.uint8)).dtype == np.int32
    assert label_form(np.eye(4, dtype=np.int64)[[3, 1]]).dtype == np.float32
    assert label_form(np.array([[3, 1, 2]])).dtype == np.int64, "a class for every position"
