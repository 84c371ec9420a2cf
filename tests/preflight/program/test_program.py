"""The program under test: any model, loss and optimizer."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.support.programs import make_program
from tests.support.zoo import losses, models


def test_model_without_weights_yet_gets_them() -> None:
    model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
    assert len(make_program(model).trained) == 2


def test_restore_brings_back_weights_batch_statistics_and_dropout_seeds() -> None:
    model = models.cnn("glorot", 0, extra=[layers.BatchNormalization()], dropout=0.5)
    before = [variable.numpy() for variable in model.variables]
    program = make_program(model)
    step = program.gradients(program.inputs[:8], program.labels[:8])
    program.steps.own.start()(step.values)
    assert not all(
        np.array_equal(a, b.numpy()) for a, b in zip(before, model.variables, strict=True)
    )
    program.restore()
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, model.variables, strict=True))


def test_training_flag_reaches_the_model_only_where_it_is_taken() -> None:
    seen: list[Any] = []

    class Model:
        def __init__(self) -> None:
            self.weights = tf.Variable(tf.zeros((784, 10)))
            self.trainable_variables = [self.weights]

        def __call__(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
            seen.append(training)
            return tf.reshape(images, [-1, 784]) @ self.weights

    make_program(Model())
    assert True in seen
    assert False in seen
    make_program(models.plain_mlp(0))  # takes no `training`: must not raise


def test_per_example_losses_are_averaged() -> None:
    program = make_program(loss=losses.per_example)
    labels, outputs = program.labels, program.outputs(program.inputs)
    averaged = make_program(loss=losses.mean).loss_of(labels, outputs)
    assert program.loss_of(labels, outputs) == pytest.approx(averaged)
    value, gradient, shape = program.loss_gradient(labels, outputs)
    assert shape == (64,)
    assert gradient.shape == (64, 10)
    assert value == pytest.approx(averaged)


def test_a_loss_may_branch_on_tensors() -> None:
    def capped(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        value = losses.mean(labels, outputs)
        if value > 1000.0:  # only AutoGraph makes an operation of this
            value = tf.constant(1000.0)
        return value

    branching, plain = (make_program(loss=loss) for loss in (capped, losses.mean))
    inputs, labels = plain.inputs, plain.labels
    expected = plain.gradients(inputs, labels).loss
    assert branching.gradients(inputs, labels).loss == expected


def test_model_without_variables_is_refused() -> None:
    with pytest.raises(ValueError, match="no trainable variables"):
        make_program(models.sequential(layers.Flatten()))
