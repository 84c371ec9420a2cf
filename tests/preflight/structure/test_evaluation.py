"""Checks that an evaluated example depends on nothing else."""

from typing import Any

import keras
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import Finding
from mnist_exp.preflight.structure.evaluation import check_evaluation, check_leak, output_leak
from tests.support.programs import codes, findings, make_program
from tests.support.zoo import losses, models


def leak_of(*head: layers.Layer) -> float:
    program = make_program(models.softmax("glorot", 0, list(head)))
    return output_leak(program, program.inputs[:48])


def test_leak_is_zero_without_an_operation_over_the_batch() -> None:
    assert leak_of() < 1e-6
    assert codes(check_leak, leak_of()) == []


def test_softmax_over_the_batch_leaks() -> None:
    leak = leak_of(models.CallLayer(lambda x: tf.nn.softmax(x, axis=0)))
    assert codes(check_leak, leak) == ["EXAMPLES_LEAK"]


def test_a_model_that_preflight_builds_is_still_run_on_whole_batches() -> None:
    model = keras.Sequential([layers.Flatten(), layers.Dense(10), layers.Softmax(axis=0)])
    program = make_program(model, losses.clipped_log)
    assert output_leak(program, program.inputs[:48]) > 0.01


def evaluation(model: Any) -> list[Finding]:
    program = make_program(model)
    images = program.inputs[:48]
    return findings(check_evaluation, program, images, output_leak(program, images))


def test_dropout_that_stays_on_is_found_and_one_that_does_not_is_not() -> None:
    dropout = layers.Dropout(0.5, seed=1)
    (finding,) = evaluation(models.mlp("glorot", 0, extra=[models.AlwaysTraining(dropout)]))
    assert finding.code == "TRAIN_EVAL_MISMATCH"
    assert finding.evidence["noise"] > 0.01
    assert evaluation(models.mlp("glorot", 0, extra=[dropout])) == []


def test_an_encoder_draws_around_its_means() -> None:
    """As a variational autoencoder does while it is evaluated; a noise of a fixed size may not."""

    def model(draw: Any) -> keras.Model:
        code = [layers.Dense(8), models.CallLayer(draw)]
        return keras.Sequential([layers.Flatten(), *code, layers.Dense(10)])

    def sampled(code: tf.Tensor) -> tf.Tensor:
        deviations = tf.exp(0.5 * tf.reverse(code, [1]))
        return code + deviations * tf.random.normal(tf.shape(code))

    def noisy(code: tf.Tensor) -> tf.Tensor:
        return code + tf.random.normal(tf.shape(code))

    assert evaluation(model(sampled)) == []
    assert [f.code for f in evaluation(model(noisy))] == ["TRAIN_EVAL_MISMATCH"]
    dropped = models.AlwaysTraining(layers.GaussianDropout(0.5, seed=1))
    assert [f.code for f in evaluation(models.mlp("glorot", 0, extra=[dropped]))] == [
        "TRAIN_EVAL_MISMATCH"
    ]


@pytest.mark.parametrize("model", [models.mlp, models.cnn])
def test_batch_norm_that_stays_in_training_mode(model: Any) -> None:
    always = models.AlwaysTraining(layers.BatchNormalization())
    assert [f.code for f in evaluation(model("glorot", 0, extra=[always]))] == [
        "TRAIN_EVAL_MISMATCH"
    ]
    assert evaluation(model("glorot", 0, extra=[layers.BatchNormalization()])) == []
