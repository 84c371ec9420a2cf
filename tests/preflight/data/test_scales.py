"""Units of inputs and targets, judged by what training does with others."""

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight import check
from mnist_exp.preflight.data.scales import check_input_units, check_target_scale
from mnist_exp.preflight.program.program import Program
from tests.support.collection import made_data
from tests.support.programs import findings

X, Y = made_data.houses(0, 400)


def program(x: np.ndarray, y: np.ndarray) -> Program:
    hidden = layers.Dense(16, activation="relu")
    model = keras.Sequential([keras.Input((x.shape[1],)), hidden, layers.Dense(1)])
    loss = keras.losses.MeanSquaredError()
    return Program(model, loss, keras.optimizers.Adam(0.01), x, y.reshape(-1, 1))


@pytest.mark.parametrize(
    ("unit", "steps", "severity"),
    [(1, 1000, "error"), (1 / 1000, 1000, "warning"), (1 / 200_000, 1000, None)],
)
def test_targets_in_dollars_thousands_and_of_order_one(
    unit: float, steps: int, severity: str | None
) -> None:
    keras.utils.set_random_seed(0)
    found = findings(check_target_scale, program(X, Y * unit), steps, 0)
    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_large_targets_of_a_long_training_are_fine() -> None:
    assert findings(check_target_scale, program(X, Y / 1000), 100_000, 0) == []


@pytest.mark.parametrize(("size", "expected"), [(1, []), (1e5, ["INPUT_SCALE"])])
def test_one_column_in_a_unit_of_its_own(size: float, expected: list[str]) -> None:
    keras.utils.set_random_seed(0)
    x = X.copy()
    x[:, 7] = size * (1 + 0.1 * x[:, 7])
    found = findings(check_input_units, program(x, Y / 200_000), 0)
    assert [finding.code for finding in found] == expected


def test_units_that_a_model_takes_away_do_no_harm() -> None:
    norm = layers.Normalization()
    x = 1e4 * X + 3e4
    norm.adapt(x)
    model = keras.Sequential([keras.Input((8,)), norm, layers.Dense(16, "relu"), layers.Dense(1)])
    loss = keras.losses.MeanSquaredError()
    taken = Program(model, loss, keras.optimizers.Adam(0.01), x, Y.reshape(-1, 1) / 200_000)
    assert findings(check_input_units, taken, 0) == []


def test_units_that_a_batch_takes_away_do_no_harm() -> None:
    """Its averages lag behind the trial, and one step after it all is well."""
    keras.utils.set_random_seed(0)
    x = 1e3 * X + 3e4
    lines = [layers.BatchNormalization(), layers.Dense(16, "relu"), layers.Dense(1)]
    model = keras.Sequential([keras.Input((8,)), *lines])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    assert check(model, x, Y / 200_000).codes == ()


def test_a_line_behind_an_adapted_normalisation_has_no_units() -> None:
    """Standardised once more, its inputs would be constants that help to reach far targets."""
    keras.utils.set_random_seed(0)
    x = (100 * X + 2000).astype(np.float32)
    norm = layers.Normalization()
    norm.adapt(x)
    model = keras.Sequential([keras.Input((8,)), norm, layers.Dense(1)])
    y = 23 + 5 * Y.reshape(-1, 1) / Y.std()
    mean, adam = keras.losses.MeanAbsoluteError(), keras.optimizers.Adam(0.1)
    assert findings(check_input_units, Program(model, mean, adam, x, y), 0) == []
