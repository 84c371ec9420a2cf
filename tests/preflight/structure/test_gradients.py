"""Checks of gradients, and of what the optimizer does with them."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import check
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.learning.short_runs import ShortRun
from mnist_exp.preflight.structure.gradients import (
    check_disconnected,
    check_finite,
    check_updated,
    check_vanishing,
    check_zero,
)
from tests.support import layer_kinds as kinds
from tests.support.programs import findings, make_program
from tests.support.zoo import losses, models


def test_infinite_gradient_names_the_variable() -> None:
    program = make_program(loss=lambda y, z: losses.mean(y, z) + tf.reduce_sum(tf.sqrt(z - z)))
    (finding,) = findings(check_finite, program, program.gradients(program.inputs, program.labels))
    assert finding.code == "GRADIENT_NON_FINITE"
    assert any("kernel" in name for name in finding.evidence["variables"])


def test_finite_gradient_passes() -> None:
    program = make_program()
    assert findings(check_finite, program, program.gradients(program.inputs, program.labels)) == []


def names(check: Callable[..., None], *arguments: Any) -> list[str]:
    """Return the variables that a check finds not to be trained."""
    not_trained = findings(check, *arguments)
    assert all(finding.code == "VARIABLE_NOT_TRAINED" for finding in not_trained)
    return [name for finding in not_trained for name in finding.evidence["variables"]]


def test_stopped_gradient_names_what_lies_before_it() -> None:
    program = make_program(models.mlp("glorot", 0, extra=[models.CallLayer(tf.stop_gradient)]))
    stopped = names(check_disconnected, program)
    assert len(stopped) == 2
    assert all("dense" in name for name in stopped)


def test_variables_that_nobody_listed() -> None:
    forgotten = make_program(models.plain_mlp(0, forgotten=2))
    assert names(check_disconnected, forgotten) == ["hidden_weights", "hidden_bias"]
    assert len(names(check_disconnected, make_program(models.Untracked(0)))) == 2


def test_frozen_layer_is_a_warning() -> None:
    (finding,) = findings(check_disconnected, make_program(models.frozen(models.cnn("glorot", 0))))
    assert finding.severity == "warning"


def test_batch_statistics_and_dropout_seeds_need_no_training() -> None:
    state = [layers.BatchNormalization(), layers.SpectralNormalization(layers.Conv2D(4, 3))]
    model = models.cnn("glorot", 0, extra=state, dropout=0.5)
    assert findings(check_disconnected, make_program(model)) == []


def run_with(largest: list[float], **changes: Any) -> ShortRun:
    """Return a short run with these gradients, at the end of which all outputs are equal."""
    losses = {"loss_before": 2.3, "loss_after": 2.3, "training_loss": 2.3}
    numbers = {"promised": 0.1, "downhill": 1.0, "spread": 0.0} | losses | changes
    return ShortRun(finite=True, steps=15, largest=largest, moved=[0.1] * len(largest), **numbers)


def test_zero_gradient_over_the_whole_run_names_the_variable() -> None:
    program = make_program(models.softmax("glorot", 0))
    (finding,) = findings(check_zero, program, run_with([0.0, 0.5]), 0)
    assert (finding.code, finding.severity) == ("GRADIENT_ZERO", "error")
    assert finding.evidence["variables"] == [program.trained[0].name.removesuffix(":0")]
    assert "now and during a short run (largest of the others: 0.5)." in finding.message
    (finding,) = findings(check_zero, program, run_with([0.0, 0.0], spread=1.0), 0)
    assert finding.message.endswith("now and during a short run.")  # there are no others
    assert finding.severity == "error"
    checkup = Checkup()
    check_zero(checkup, program, run_with([1e-6, 0.5]), 0)
    assert checkup.findings == []
    assert checkup.statistics["gradient.smallest"] == 2e-6


def test_a_gradient_that_is_zero_but_for_rounding() -> None:
    """As that of the notebook's wrong loss on processors that round in another way."""
    program = make_program(models.softmax("glorot", 0))
    (finding,) = findings(check_zero, program, run_with([3e-9, 2e-7], spread=1.0), 0)
    assert finding.code == "GRADIENT_ZERO"
    assert "is 0 but for rounding, now and during" in finding.message
    for loss in (1.6, math.nan):  # a smaller loss has a finer last digit
        for changes in ({"loss_before": loss}, {"training_loss": loss}):
            assert findings(check_zero, program, run_with([3e-9, 2e-7], **changes), 0) == []


def test_zero_gradient_of_a_program_that_learns_is_a_warning() -> None:
    program = make_program(models.softmax("glorot", 0))
    for after in (1.2, 2.29):  # the second is slow, and learns with other steps
        learned = run_with([0.0, 0.5], spread=1.0, loss_after=after, training_loss=after)
        (finding,) = findings(check_zero, program, learned, 0)
        assert finding.severity == "warning"
        assert "below that of a guess" in finding.message


@pytest.mark.parametrize(("shortcut", "severity"), [(True, "warning"), (False, "error")])
def test_normalisation_over_one_number_stops_a_branch(shortcut: bool, severity: str) -> None:
    keras.utils.set_random_seed(0)
    series = np.random.default_rng(0).normal(size=(400, 24, 1)).astype(np.float32)
    inputs = keras.Input((24, 1))
    branch = layers.LayerNormalization()(layers.Dense(1)(layers.Dense(8, "relu")(inputs)))
    joined = layers.Flatten()(branch + inputs if shortcut else branch)
    model = keras.Model(inputs, layers.Dense(2)(layers.Dense(16, "relu")(joined)))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    report = check(model, series, (series[:, :, 0].mean(axis=1) > 0).astype(int))
    found = {finding.code: str(finding.severity) for finding in report.findings}
    assert found["GRADIENT_ZERO"] == severity
    assert not shortcut or not report.errors


def test_many_names_are_cut() -> None:
    class Many:
        inputs = SimpleNamespace(weights=None)
        trained = tuple(tf.Variable(1.0, name=f"layer_{n}/kernel") for n in range(9))

    (finding,) = findings(check_zero, Many, run_with([0.0] * 9), 0)
    assert "layer_5/kernel and 3 more is 0 but for rounding" in finding.message
    assert len(finding.evidence["variables"]) == 9


def test_first_layers_that_get_next_to_nothing() -> None:
    hidden = [layers.Dense(8, "sigmoid") for _ in range(5)]
    program = kinds.program(kinds.chain(*hidden, kinds.softmax(3), shape=(5,)))
    largest = [1e-5, 1.0, 1e-4, 1.0, *[0.1, 0.1] * 4]  # of a kernel and its bias in turn
    (finding,) = findings(check_vanishing, program, largest)
    assert (finding.code, finding.severity) == ("GRADIENT_VANISHES", "warning")
    assert finding.evidence["ratio"] == pytest.approx(1e-3)
    assert findings(check_vanishing, program, [1e-3, *largest[1:]]) == []


def test_first_layers_wait_for_weights_that_begin_at_zero() -> None:
    hidden = [layers.Dense(8, "tanh") for _ in range(5)]
    readout = layers.Dense(3, "softmax", kernel_initializer="zeros")
    program = kinds.program(kinds.chain(*hidden, readout, shape=(5,)))
    assert findings(check_vanishing, program, [1e-9] * 10 + [1.0, 1.0]) == []


def test_variable_that_does_not_move_in_spite_of_its_gradient() -> None:
    program = make_program(models.softmax("glorot", 0))
    moved = [0.0, 0.1]
    assert names(check_updated, program, moved, [0.5, 0.5]) == [
        program.trained[0].name.removesuffix(":0")
    ]
    assert names(check_updated, program, moved, [0.0, 0.5]) == []
    assert np.isfinite(program.outputs(program.inputs)).all()


def test_layer_that_is_not_called_is_a_warning() -> None:
    class Unused(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.readout, self.forgotten = layers.Dense(3), layers.Dense(8)
            self.forgotten.build((None, 5))

        def call(self, inputs: Any) -> Any:
            return self.readout(inputs)

    model = Unused()
    model(np.zeros((2, 5), np.float32))
    random = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)
    checked = kinds.program(model, kinds.SQUARE, random, random[:, :3])
    (finding,) = findings(check_disconnected, checked)
    assert finding.severity == "warning"
    assert "no training step reads it" in finding.message


def frozen_base(*, trained: bool) -> list[Any]:
    base = kinds.chain(layers.Dense(16, activation="relu"), shape=(5,))
    if trained:
        base.layers[-1].bias.assign(np.arange(16.0))
    base.trainable = False
    return findings(
        check_disconnected, kinds.program(kinds.chain(base, kinds.softmax(3), shape=(5,)))
    )


def test_frozen_base_of_another_training_is_right() -> None:
    assert frozen_base(trained=True) == []
    (finding,) = frozen_base(trained=False)
    assert finding.severity == "warning"


def test_table_of_vectors_from_elsewhere_may_be_frozen() -> None:
    vectors = keras.initializers.Constant(np.random.default_rng(0).normal(size=(20, 4)))
    for start, expected in ((vectors, 0), ("uniform", 1)):
        table = layers.Embedding(20, 4, embeddings_initializer=start, trainable=False)
        model = kinds.chain(table, layers.Flatten(), kinds.softmax(3), shape=(8,), dtype="int32")
        assert len(findings(check_disconnected, kinds.program(model))) == expected


def test_everything_frozen_but_a_bias_is_an_error() -> None:
    model = kinds.chain(layers.Dense(16, activation="relu"), kinds.softmax(3), shape=(5,))
    for layer in model.layers:
        layer.trainable = False
    head = kinds.chain(model, AddBias(), shape=(5,))
    (finding,) = findings(check_disconnected, kinds.program(head))
    assert finding.severity == "error"


class AddBias(layers.Layer):
    """A bias that can be trained."""

    def build(self, input_shape: Any) -> None:
        self.bias = self.add_weight(shape=(input_shape[-1],), name="bias")

    def call(self, inputs: Any) -> Any:
        return inputs + self.bias


@pytest.mark.parametrize("kind", ["bias", "recurrent_kernel", "alpha"])
def test_gradient_that_may_be_zero_beside_another_of_the_layer(kind: str) -> None:
    class Two:
        inputs = SimpleNamespace(weights=None)
        trained = (tf.Variable(1.0, name=f"layer/{kind}"), tf.Variable(1.0, name="layer/kernel"))

    assert findings(check_zero, Two, run_with([0.0, 0.5]), 0) == []
    (finding,) = findings(check_zero, Two, run_with([0.0, 0.0]), 0)
    assert len(finding.evidence["variables"]) == 2


def test_gradient_of_rounding_need_not_move_a_variable() -> None:
    program = make_program(models.softmax("glorot", 0))
    assert names(check_updated, program, [0.0, 0.1], [1e-9, 0.5]) == []


def test_waves_of_a_spectrogram_need_no_training() -> None:
    waves = layers.STFTSpectrogram(frame_length=16, frame_step=8, fft_length=16, trainable=False)
    model = kinds.chain(waves, layers.Flatten(), kinds.softmax(3), shape=(64, 1))
    assert findings(check_disconnected, kinds.program(model)) == []
