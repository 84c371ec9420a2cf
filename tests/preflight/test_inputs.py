"""Checks of the scale of the inputs."""

import pytest
from keras import layers

from mnist_exp.preflight.inputs import check_scale
from tests.support.programs import codes, make_program
from tests.support.zoo import models


@pytest.mark.parametrize(
    ("rms", "expected"),
    [(83.0, ["INPUT_SCALE"]), (0.33, []), (1.0, []), (0.0013, ["INPUT_SCALE"]), (0.0, [])],
)
def test_scale(rms: float, expected: list[str]) -> None:
    assert codes(check_scale, make_program(), rms) == expected


def test_normalisation_before_the_first_weights_excuses_any_scale() -> None:
    model = models.sequential(layers.BatchNormalization(), layers.Flatten(), layers.Dense(10))
    assert codes(check_scale, make_program(model), 83.0) == []
