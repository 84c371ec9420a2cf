from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight.program import Program, label_forms, model_input

from .support import program
from .zoo import losses, models, optimizers, programs


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


def test_error_of_a_model_that_takes_no_shape_comes_through() -> None:
    with pytest.raises(ValueError, match="Dimensions must be equal"):
        model_input(lambda x: tf.matmul(x, tf.zeros((3, 10))), np.zeros((5, 784)))


def test_finding_the_shape_runs_no_model() -> None:
    calls = tf.Variable(0)
    model_input(lambda x: tf.cast(calls.assign_add(1), tf.float32) * x, np.zeros((5, 784)))
    assert calls.numpy() == 0


def test_model_without_weights_yet_gets_them() -> None:
    model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
    assert len(program(model).trained) == 2


def test_pixel_values_are_left_alone() -> None:
    assert model_input(models.softmax("zeros", 0), np.full((2, 28, 28), 255, np.uint8)).max() == 255


def test_labels_as_integers_and_one_hot() -> None:
    labels, classes = label_forms(np.array([3, 1], np.uint8))
    assert labels.dtype == np.int32
    assert classes.tolist() == [3, 1]
    labels, classes = label_forms(np.eye(4, dtype=np.int64)[[3, 1]])
    assert labels.dtype == np.float32
    assert classes.tolist() == [3, 1]


def test_restore_brings_back_weights_batch_statistics_and_dropout_seeds() -> None:
    model = models.cnn("glorot", 0, extra=[layers.BatchNormalization()], dropout=0.5)
    before = [variable.numpy() for variable in model.variables]
    p = program(model)
    step = p.gradients(p.images[:8], p.labels[:8])
    optimizer = p.optimizer_copy()
    optimizer.apply(step.values, p.optimized)
    assert not all(
        np.array_equal(a, b.numpy()) for a, b in zip(before, model.variables, strict=True)
    )
    p.restore()
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

    program(Model())
    assert True in seen
    assert False in seen
    program(models.plain_mlp(0))  # takes no `training`: must not raise


def test_per_example_losses_are_averaged() -> None:
    p, q = program(loss=losses.per_example), program(loss=losses.mean)
    outputs = p.outputs(p.images)
    assert p.loss_of(p.labels, outputs) == pytest.approx(q.loss_of(q.labels, outputs))
    value, gradient, shape = p.loss_gradient(p.labels, outputs)
    assert shape == (64,)
    assert gradient.shape == (64, 10)
    assert value == pytest.approx(p.loss_of(p.labels, outputs))


def test_a_loss_may_branch_on_tensors() -> None:
    def capped(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        value = losses.mean(labels, outputs)
        if value > 1000.0:  # only AutoGraph makes an operation of this
            value = tf.constant(1000.0)
        return value

    images, labels = programs.sample(0, 20)
    checked = Program(models.softmax("glorot", 0), capped, optimizers.adam(), images, labels)
    plain = Program(models.softmax("glorot", 0), losses.mean, optimizers.adam(), images, labels)
    found, expected = (p.gradients(p.images, p.labels).loss for p in (checked, plain))
    assert found == expected


def test_optimizer_copy_keeps_hyperparameters_and_scales_the_rate() -> None:
    optimizer = keras.optimizers.Adam(1e-3, beta_2=0.99, epsilon=1e-8)
    copy = program(optimizer=optimizer).optimizer_copy(scale=0.1)
    assert (copy.beta_2, copy.epsilon) == (0.99, 1e-8)
    assert float(copy.learning_rate) == pytest.approx(1e-4)
    assert float(optimizer.learning_rate) == pytest.approx(1e-3)
    assert not optimizer.built


def test_optimizer_copy_takes_a_schedule_that_cannot_be_serialised() -> None:
    class Halving(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return tf.where(tf.cast(step, tf.int32) < 10, 0.1, 0.5)

    p = program(optimizer=keras.optimizers.SGD(Halving()))
    assert float(p.optimizer_copy(scale=0.5).learning_rate) == pytest.approx(0.05)
    assert p.learning_rate == pytest.approx(0.1)
    assert p.warmup == pytest.approx(5)


def test_model_without_variables_is_refused() -> None:
    with pytest.raises(ValueError, match="no trainable variables"):
        program(models.sequential(layers.Flatten()))


def test_outputs_must_have_two_dimensions() -> None:
    with pytest.raises(ValueError, match="outputs \\[batch, classes\\]"):
        program(models.sequential(layers.Conv2D(10, 3)))
