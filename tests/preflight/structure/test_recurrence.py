"""Check of the states of recurrent layers."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.program.compiled import compiled_loss
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.structure.recurrence import check_growth
from tests.support.programs import findings

STEPS = 72


def series(layer: Any, steps: int = STEPS, **settings: Any) -> tuple[Program, Any]:
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    x = random.normal(size=(64, steps, 1)).cumsum(axis=1).astype(np.float32) / 10
    model = keras.Sequential([keras.Input((steps, 1)), layer, layers.Dense(1)])
    model.compile(keras.optimizers.Adam(**settings), "mse")
    program = Program(model, compiled_loss(model), model.optimizer, x, x[:, -1])
    return program, program.evaluate(program.inputs)[1]


def test_cells_with_relu_over_a_long_series() -> None:
    program, measured = series(layers.SimpleRNN(16, activation="relu"))
    (finding,) = findings(check_growth, program, measured)
    assert (finding.code, finding.severity) == ("GRADIENT_NON_FINITE", "warning")
    assert finding.evidence["layer"].rpartition("/")[2].startswith("simple_rnn")
    for variable, value in zip(program.variables, program.first_values, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("activation", "steps", "settings"),
    [("tanh", STEPS, {}), ("relu", 3, {}), ("relu", STEPS, {"clipnorm": 1.0})],
)
def test_bounded_short_or_clipped(activation: str, steps: int, settings: dict[str, float]) -> None:
    program, measured = series(layers.SimpleRNN(8, activation=activation), steps, **settings)
    assert findings(check_growth, program, measured) == []
