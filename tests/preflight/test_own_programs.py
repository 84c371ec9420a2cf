"""Programs with models of a user's own and optimizers of Keras: nothing is found in right ones."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp import data
from mnist_exp.own_code.code import Own
from mnist_exp.preflight.harness import preflight_report
from mnist_exp.training import keras_optimizers
from mnist_exp.training.program import Program, build_program
from tests.support import own


def residual(x: Any, filters: int) -> Any:
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_regularizer="l2")(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(y))
    return layers.ReLU()(layers.Add()([x, y]))


def resnet(input_shape: tuple[int, ...], num_classes: int, filters: int = 8) -> keras.Model:
    images = keras.Input(input_shape)
    x = layers.RandomTranslation(0.1, 0.1)(layers.RandomFlip("horizontal")(images))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 3, 2)(x)))
    x = layers.MaxPooling2D(2)(residual(x, filters))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(residual(x, filters)))
    return keras.Model(images, layers.Dense(num_classes)(x))


def state(program: Program) -> list[np.ndarray]:
    variables = (*program.model.variables, *program.optimizer.variables)
    return [variable.numpy() for variable in variables]


def checked(split: data.Split, form: data.Form, *overrides: str) -> dict[str, str]:
    """Return severity and message of what is found, by code; everything stays as it was."""
    program = build_program(own.config(*overrides), len(split), form, Own(model=resnet))
    before = state(program)
    report = preflight_report(program, split)
    for value, now in zip(before, state(program), strict=True):
        np.testing.assert_array_equal(value, now)
    return {found.code: f"{found.severity}: {found.message}" for found in report.findings}


@pytest.mark.slow
def test_a_resnet_with_batch_norm_and_augmentation(mnist: data.Dataset) -> None:
    assert checked(mnist.train.first(600), mnist.form) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", keras_optimizers.names())
def test_every_optimizer_of_keras(mnist: data.Dataset, name: str) -> None:
    split = mnist.train.first(1000)
    color = np.repeat(np.pad(split.images, ((0, 0), (2, 2), (2, 2), (0, 0))), 3, axis=3)
    form = replace(mnist.form, image_shape=(32, 32, 3))
    found = checked(
        data.Split(color, split.labels), form, "optimizer=keras", f"optimizer.name={name}"
    )
    if name == "Ftrl":  # its first step forgets the initial weights, and a deep network may die
        assert set(found) <= {"INPUT_IGNORED"}
    else:  # the default rate of 0.001 is small for some
        assert set(found) <= {"LEARNING_RATE_TOO_LOW"}, found
