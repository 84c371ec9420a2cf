"""How a model is called."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.calling import build, fixed_batch, stateful_layers
from mnist_exp.preflight.program.program import Program

STEPS = np.random.default_rng(0).normal(size=(10, 5, 3)).astype(np.float32)
LOSS = keras.losses.MeanSquaredError()


def stateful() -> keras.Model:
    return keras.Sequential(
        [keras.Input(batch_shape=(4, 5, 3)), layers.SimpleRNN(2, stateful=True), layers.Dense(1)]
    )


def test_model_of_one_batch_size_that_remembers_is_run_as_if_it_were_another() -> None:
    remembering = stateful()
    assert fixed_batch(remembering) == 4
    assert stateful_layers(remembering) == remembering.layers[:1]
    forgetful = keras.Sequential([keras.Input((5, 3)), layers.SimpleRNN(2), layers.Dense(1)])
    forgetful.set_weights(remembering.get_weights())
    assert fixed_batch(forgetful) is None
    labels = STEPS[:, 0, 0]
    one, other = (
        Program(m, LOSS, keras.optimizers.SGD(), STEPS, labels) for m in (remembering, forgetful)
    )
    for _ in range(2):  # the second time nothing is remembered of the first
        assert one.outputs(one.inputs[:4]) == pytest.approx(
            other.outputs(other.inputs[:4]), abs=1e-6
        )
    assert one.outputs(one.inputs).shape == (10, 1)
    few, same = (p.gradients(p.inputs[:8], labels[:8]) for p in (one, other))
    assert few.outputs[:4] == pytest.approx(same.outputs[:4], abs=1e-6)
    assert one.gradients(one.inputs[:6], labels[:6]).outputs.shape == (6, 1)


def test_a_model_is_built_for_batches_of_any_size_and_nothing_is_run() -> None:
    noise = layers.GaussianNoise(0.1)
    model = keras.Sequential([noise, layers.Dense(2)])
    place = noise.seed_generator.state.numpy()
    build(model, Inputs(STEPS))
    assert model.input_shape == (None, 5, 3)
    assert model.output_shape == (None, 5, 2)
    assert np.array_equal(noise.seed_generator.state.numpy(), place)


class Remembers(keras.Model):
    """A model whose inputs are not known before it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.last = layers.SimpleRNN(2, stateful=True), layers.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.last(self.inner(inputs))


@pytest.mark.parametrize(
    "make",
    [Remembers, lambda: keras.Sequential([layers.SimpleRNN(2, stateful=True), layers.Dense(1)])],
)
def test_layers_that_remember_are_built_for_the_batches_of_the_training(make: Any) -> None:
    model = make()
    build(model, Inputs(STEPS), batch_size=5)
    assert fixed_batch(model) == 5
    program = Program(model, LOSS, keras.optimizers.SGD(), STEPS, STEPS[:, 0, 0])
    assert program.outputs(program.inputs).shape == (10, 1)


def test_what_a_model_takes_is_said_when_it_cannot_be_run() -> None:
    model = keras.Sequential([keras.Input((5, 3)), layers.Flatten(), layers.Dense(1)])
    with pytest.raises(PreflightError, match=r"\[N, 4, 3\] float32; it takes \[N, 5, 3\]$"):
        Program(model, LOSS, keras.optimizers.SGD(), Inputs(STEPS[:, :4]), STEPS[:, 0, 0])


def test_callers_own_line_is_named() -> None:
    class Own(keras.Model):
        def call(self, inputs: Any) -> Any:
            raise RuntimeError("a text of the user's own")

    with pytest.raises(PreflightError, match=r"RuntimeError in test_calling.py, line \d+$"):
        build(Own(), Inputs(STEPS))
