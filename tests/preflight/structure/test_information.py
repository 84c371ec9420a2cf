"""Checks of what lies between inputs and outputs."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.structure.information import check_bends, check_bottleneck
from tests.support.layer_kinds import SQUARE, chain, program, relu_conv, softmax
from tests.support.programs import codes, findings

Dense, Flatten = layers.Dense, layers.Flatten
TABLE, PICTURE = (5,), (12, 12, 1)
_NO_ACTIVATIONS = [
    *(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.AveragePooling2D(2)),
    *(layers.Dropout(0.2), layers.Conv2D(4, 3), Flatten(), softmax()),
]


@pytest.mark.parametrize(
    ("parts", "shape", "severity"),
    [
        ([Dense(16), Dense(16), softmax(3)], TABLE, "error"),
        ([Dense(8), Dense(1)], TABLE, "error"),
        (_NO_ACTIVATIONS, PICTURE, "error"),
        ([layers.Conv2D(4, 3), layers.MaxPool2D(), Flatten(), softmax()], PICTURE, "warning"),
        ([Flatten(), Dense(3), softmax()], PICTURE, "warning"),  # a factorisation
    ],
)
def test_affine_in_spite_of_several_layers(parts: Any, shape: Any, severity: str) -> None:
    loss = SQUARE if parts[-1].units == 1 else "sparse_categorical_crossentropy"
    (finding,) = findings(check_bends, program(chain(*parts, shape=shape), loss))
    assert (finding.code, finding.severity) == ("ACTIVATION_MISSING", severity)


def test_linear_autoencoder_may_be_meant() -> None:
    pictures = np.random.default_rng(0).random((64, 5)).astype(np.float32)
    checked = program(chain(Dense(8), Dense(5), shape=TABLE), SQUARE, pictures, pictures)
    (finding,) = findings(check_bends, checked)
    assert finding.severity == "warning"


def test_two_layers_around_a_narrow_code_are_principal_components() -> None:
    pictures = np.random.default_rng(0).random((64, 9)).astype(np.float32)
    for hidden, found in ([3], []), ([7, 3, 7], ["ACTIVATION_MISSING"]):
        stack = chain(*map(Dense, hidden), Dense(9), shape=(9,))
        assert codes(check_bends, program(stack, SQUARE, pictures, pictures)) == found


def test_a_code_of_one_number_for_inputs_that_vary_in_many_ways() -> None:
    random = np.random.default_rng(0)
    many = random.normal(size=(64, 12)).astype(np.float32)
    along_one = (random.normal(size=(64, 1)) * np.ones(12) + 0.1 * many).astype(np.float32)
    for inputs, units, found in (many, 1, True), (many, 2, False), (along_one, 1, False):
        coder = chain(Dense(8, "relu"), Dense(units), Dense(8, "relu"), Dense(12), shape=(12,))
        checked = program(coder, SQUARE, inputs, inputs)
        assert codes(check_bottleneck, checked) == ["INNER_BOTTLENECK"] * found


def test_the_maximum_over_units_is_an_activation() -> None:
    maxout = [Dense(48), layers.Reshape((16, 3)), layers.Lambda(lambda x: keras.ops.max(x, -1))]
    assert findings(check_bends, program(chain(*maxout, softmax(3), shape=TABLE))) == []


def bottleneck(*parts: Any, shape: tuple[int, ...] = PICTURE) -> tuple[str, str]:
    (finding,) = findings(check_bottleneck, program(chain(*parts, shape=shape)))
    assert finding.code == "INNER_BOTTLENECK"
    return finding.severity, finding.message


@pytest.mark.parametrize("hidden", [[Flatten(), softmax(64)], [relu_conv(), Flatten(), softmax()]])
def test_softmax_inside(hidden: Any) -> None:
    severity, message = bottleneck(*hidden, softmax())
    assert severity == "error"
    assert "softmax" in message


def test_layers_too_narrow_for_the_classes() -> None:
    assert bottleneck(Flatten(), Dense(1, activation="relu"), softmax())[0] == "error"
    assert bottleneck(Flatten(), Dense(2, activation="relu"), softmax())[0] == "warning"
    averaged = layers.AveragePooling2D(6), relu_conv(padding="same")
    severity, message = bottleneck(*averaged, Flatten(), softmax())
    assert severity == "warning"
    assert "passes through 4 numbers (" in message
    pooled = bottleneck(layers.GlobalAveragePooling2D(), Dense(9, activation="relu"), softmax())
    assert "passes through 1 number (" in pooled[1]


def test_a_way_around_a_narrow_layer_is_enough() -> None:
    inputs = keras.Input((20,))
    around = layers.Concatenate()([inputs, Dense(1, activation="relu")(inputs)])
    assert codes(check_bottleneck, program(keras.Model(inputs, softmax()(around)))) == []


def test_few_classes_or_few_inputs_need_no_width() -> None:
    assert codes(check_bottleneck, program(chain(Dense(1), softmax(3), shape=(20,)))) == []
    narrow = chain(Dense(16, activation="relu"), softmax(), shape=(2,))
    assert codes(check_bottleneck, program(narrow)) == []


def test_layer_that_gives_nothing() -> None:
    from tests.support.zoo.models import CallLayer

    class Nothing(CallLayer):
        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 0)

    model = chain(Nothing(lambda x: x[:, :0]), softmax(), shape=(5,))
    (finding,) = findings(check_bottleneck, program(model))
    assert "no numbers at all" in finding.message
