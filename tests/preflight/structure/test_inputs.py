"""Checks of the scale of the inputs."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight import Finding, check
from mnist_exp.preflight.structure.inputs import check_every_input, check_scale
from tests.support.layer_kinds import chain, program, random_data, softmax
from tests.support.programs import findings, make_program
from tests.support.zoo import models

PICTURES, LABELS = np.random.default_rng(0).random((64, 28, 28, 1)), np.arange(64) % 10


def scale(checked: object) -> list[Finding]:
    return findings(check_scale, checked, checked.evaluate(checked.inputs)[1])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("factor", "expected"), [(255.0, ["error"]), (1.0, []), (1 / 255, ["error"]), (0.0, [])]
)
def test_pictures(factor: float, expected: list[str]) -> None:
    found = scale(make_program(images=factor * PICTURES))
    assert [finding.severity for finding in found] == expected


@pytest.mark.parametrize(
    ("factor", "expected"), [(1.0, []), (30.0, ["warning"]), (1e3, ["warning"])]
)
def test_tables_may_have_other_units(factor: float, expected: list[str]) -> None:
    model = chain(softmax(3), shape=(5,))
    inputs, labels = random_data(model)
    found = scale(program(model, x=factor * inputs, y=labels))
    assert [finding.severity for finding in found] == expected
    assert not any("0..255" in finding.message for finding in found)


def test_normalisation_before_the_first_weights_excuses_any_scale() -> None:
    model = models.sequential(layers.BatchNormalization(), layers.Flatten(), layers.Dense(10))
    assert scale(make_program(model, images=255 * PICTURES)) == []


def test_rare_words_are_not_small() -> None:
    words = np.eye(5000, dtype=np.float32)[:64]
    model = chain(softmax(3), shape=(5000,))
    assert scale(program(model, x=words, y=LABELS % 3)) == []


def test_token_numbers_have_no_scale() -> None:
    model = chain(
        layers.Embedding(2000, 4, embeddings_initializer="zeros"), layers.Flatten(), softmax(3),
        shape=(8,), dtype="int32",
    )  # fmt: skip
    tokens = np.random.default_rng(0).integers(0, 2000, (64, 8)).astype(np.int32)
    assert scale(program(model, x=tokens, y=LABELS % 3)) == []


def test_series_before_a_recurrent_layer() -> None:
    model = chain(layers.SimpleRNN(4), softmax(3), shape=(8, 1))
    inputs, labels = random_data(model)
    assert [finding.severity for finding in scale(program(model, x=1e3 * inputs, y=labels))] == [
        "warning"
    ]


def two_inputs(*, used: bool) -> tuple[keras.Model, dict[str, np.ndarray]]:
    names = ("age", "height")
    inputs = {name: keras.Input((3,), name=name) for name in names}
    joined = layers.Concatenate()([inputs["age"], inputs["height"] * (1.0 if used else 0.0)])
    random = np.random.default_rng(0)
    given = {name: random.normal(size=(64, 3)).astype(np.float32) for name in names}
    return keras.Model(inputs, softmax(3)(joined)), given


def test_one_of_several_inputs_is_not_used() -> None:
    model, given = two_inputs(used=False)
    (finding,) = findings(check_every_input, program(model, x=given, y=LABELS % 3))
    assert finding.code == "INPUT_IGNORED"
    assert "when input 'height' is exchanged" in finding.message


def test_every_input_is_used_or_always_the_same() -> None:
    model, given = two_inputs(used=True)
    assert findings(check_every_input, program(model, x=given, y=LABELS % 3)) == []
    given["height"] = np.ones((64, 3), np.float32)
    model, _ = two_inputs(used=False)
    assert findings(check_every_input, program(model, x=given, y=LABELS % 3)) == []


class Endpoint(layers.Layer):
    """A layer that is given the targets, and adds the loss."""

    def call(self, outputs: Any, targets: Any) -> Any:
        self.add_loss(keras.ops.mean(keras.ops.square(outputs - targets)))
        return outputs


def test_targets_that_are_an_input_of_the_loss_are_used() -> None:
    x, y = keras.Input((3,), name="x"), keras.Input((1,), name="y")
    model = keras.Model({"x": x, "y": y}, Endpoint()(layers.Dense(1)(x), y))
    model.compile("adam")
    given = {"x": PICTURES[:, 0, :3, 0], "y": PICTURES[:, 1, :1, 0]}
    report = check(model, given)
    assert "INPUT_IGNORED" not in report.codes
