"""Training in bfloat16: what computes in it, what does not, and that it repeats exactly."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp import data
from mnist_exp.config.schema import Config
from mnist_exp.errors import UserError
from mnist_exp.own_code.code import Own
from mnist_exp.preflight.harness import preflight_report
from mnist_exp.training import own_program, precision
from mnist_exp.training.loop import fit
from mnist_exp.training.program import Program, build_program, evaluate

Compose = Callable[..., Config]
SMALL = (
    "model=cnn3x3",
    "model.filters=[4,8]",
    "model.dense_units=16",
    "init=he",
    "schedule.epochs=1",
)


def weights(program: Program) -> list[np.ndarray]:
    return [v.numpy() for v in (*program.model.weights, *program.optimizer.variables)]


def kinds(program: Program) -> dict[str, set[tf.DType]]:
    """Return in which types the operations of a training step compute, by their kind."""
    found: dict[str, set[tf.DType]] = {}
    definition = program.train_steps.get_concrete_function().graph.as_graph_def()
    for node in (node for f in definition.library.function for node in f.node_def):
        if node.op in ("Conv2D", "MatMul", "ResourceApplyAdam", "MaxPool"):
            found.setdefault(node.op, set()).add(tf.as_dtype(node.attr["T"].type))
    return found


def test_layers_compute_in_bfloat16_and_the_readout_does_not(settings: Compose) -> None:
    narrow = kinds(build_program(settings(*SMALL, "precision=bfloat16"), 300))
    assert narrow["Conv2D"] == narrow["MaxPool"] == {tf.bfloat16}
    assert narrow["MatMul"] == {tf.bfloat16, tf.float32}  # dense1 and the readout
    wide = kinds(build_program(settings(*SMALL), 300))
    assert set().union(*wide.values()) == {tf.float32}


def test_all_but_training_is_in_float32(settings: Compose, small_mnist: data.Dataset) -> None:
    program = build_program(settings(*SMALL, "precision=bfloat16"), 300)
    other = build_program(settings(*SMALL), 300)
    (result,) = fit(program, small_mnist)
    for variable in (*program.model.variables, *program.optimizer.variables):
        assert variable.dtype in ("float32", "int32", "int64", "uint32")
    for layer in program.model.layers:
        assert layer.dtype_policy.name == "float32"
    other.model.set_weights(program.model.get_weights())
    assert evaluate(other, small_mnist.test) == result.test


def test_it_repeats_and_is_near_float32_but_not_the_same(
    settings: Compose, small_mnist: data.Dataset
) -> None:
    programs = [build_program(settings(*SMALL, "precision=bfloat16"), 300) for _ in range(2)]
    programs.append(build_program(settings(*SMALL), 300))
    first, again, wide = (next(iter(fit(program, small_mnist))) for program in programs)
    assert replace(first, seconds=0) == replace(again, seconds=0)
    for one, other in zip(weights(programs[0]), weights(programs[1]), strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.cost != wide.cost
    assert first.cost == pytest.approx(wide.cost, rel=0.01)


def test_float32_is_the_same_program_as_before_there_was_the_setting(settings: Compose) -> None:
    assert "precision" not in settings().program()
    assert settings("precision=bfloat16").hash() != settings().hash()


def own_model(*parts: Any) -> Own:
    return Own(
        model=lambda shape, classes: keras.Sequential(
            [*(part() for part in parts), layers.Flatten(), layers.Dense(classes)]
        )
    )


class Householder(layers.Layer):
    """A layer whose operation knows no bfloat16."""

    def call(self, images: Any) -> Any:
        return tf.linalg.qr(images, full_matrices=True)[0]


class Unlike(layers.Layer):
    """A layer that adds what it made in float32 to its inputs."""

    def call(self, images: Any) -> Any:
        return images + tf.ones([])


@pytest.mark.parametrize("layer", [Householder, Unlike])
def test_a_layer_that_cannot_is_told_before_training(
    settings: Compose, small_mnist: data.Dataset, layer: Any
) -> None:
    config = settings("model=own", "model.build=mine:build", "precision=bfloat16")
    with pytest.raises(UserError) as raised:
        own_program.check(build_program(config, 300, own=own_model(layer)), small_mnist.train)
    what, where = str(raised.value).splitlines()
    assert "bfloat16" in what
    assert Path(__file__).name in where


def test_a_model_of_ones_own(settings: Compose, small_mnist: data.Dataset) -> None:
    own = own_model(lambda: layers.Conv2D(4, 3), layers.BatchNormalization, layers.ReLU)
    config = settings(
        "model=own", "model.build=mine:build", "precision=bfloat16", "schedule.epochs=1"
    )
    costs = []
    for _ in range(2):
        program = build_program(config, 300, own=own)
        assert own_program.check(program, small_mnist.train) == []
        costs.append(next(iter(fit(program, small_mnist))).cost)
    assert costs[0] == costs[1]
    assert kinds(program)["Conv2D"] == {tf.bfloat16}


@pytest.mark.slow
def test_preflight_looks_at_the_program_in_its_precision(
    settings: Compose, mnist: data.Dataset
) -> None:
    for overrides, codes in (([], []), (["loss=self_entropy"], ["LOSS_IGNORES_LABELS"])):
        program = build_program(settings(*SMALL, "precision=bfloat16", *overrides), 1000)
        report = preflight_report(program, mnist.train.first(1000))
        assert [finding.code for finding in report.findings] == codes
    assert program.model.layers[1].dtype_policy.name == "float32"


class Perceptron(keras.Model):
    """A subclassed model, whose outputs are bfloat16 in a training step."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.flatten, self.readout = layers.Flatten(), layers.Dense(classes)

    def call(self, images: Any) -> Any:
        return self.readout(self.flatten(images))


def smooth(labels: Any, logits: Any, eps: float) -> Any:
    targets = keras.ops.one_hot(labels, logits.shape[-1]) * (1 - eps) + eps / logits.shape[-1]
    return -keras.ops.sum(targets * keras.ops.log_softmax(logits), axis=-1)


def test_preflight_gives_the_loss_float32_logits_as_training_does(
    settings: Compose, mnist: data.Dataset
) -> None:
    config = settings(
        "model=own",
        "model.build=mine:build",
        "loss=own",
        "loss.function=mine:smooth",
        "loss.options={eps: 0.2}",
        "precision=bfloat16",
    )
    own = Own(model=lambda shape, classes: Perceptron(classes), loss=smooth)
    report = preflight_report(build_program(config, 600, own=own), mnist.train.first(600))
    assert report.errors == ()


def test_a_processor_without_bfloat16_is_told_how_much_slower(
    settings: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert precision.bfloat16_slowdown() > 0
    monkeypatch.setattr(precision, "bfloat16_slowdown", lambda: 4.83)
    assert precision.warnings(settings()) == []
    (warning,) = precision.warnings(settings("precision=bfloat16"))
    assert warning.startswith("precision=bfloat16: ")
    assert "4.8 times as long as in float32" in warning
    monkeypatch.setattr(precision, "bfloat16_slowdown", lambda: 0.5)
    assert precision.warnings(settings("precision=bfloat16")) == []
