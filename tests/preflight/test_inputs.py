import pytest
from keras import layers

from mnist_exp.preflight.inputs import check_scale

from . import zoo
from .test_program import program


@pytest.mark.parametrize(
    ("rms", "found"), [(83.0, True), (0.33, False), (1.0, False), (0.0013, True), (0.0, False)]
)
def test_scale(rms: float, found: bool) -> None:
    findings = check_scale(program(), rms, {})
    assert [finding.code for finding in findings] == (["INPUT_SCALE"] if found else [])


def test_normalisation_before_the_first_weights_excuses_any_scale() -> None:
    model = zoo.sequential(layers.BatchNormalization(), layers.Flatten(), layers.Dense(10))
    assert check_scale(program(model), 83.0, {}) == []
