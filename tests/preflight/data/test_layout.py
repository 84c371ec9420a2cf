"""Checks that a model reads all of its inputs, along their axes."""

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.data.layout import check_layout, check_masked, check_parts, check_reshaped
from tests.support.layer_kinds import chain, program, relu_conv, softmax
from tests.support.programs import codes, findings


@pytest.mark.parametrize("shape", [(3, 16, 16), (16, 16, 3)])
def test_channels_first_read_as_last(shape: tuple[int, ...]) -> None:
    checked = program(chain(relu_conv(padding="same"), layers.Flatten(), softmax(), shape=shape))
    assert codes(check_layout, checked) == (["INPUT_LAYOUT"] if shape[0] == 3 else [])


@pytest.mark.parametrize(
    ("keep", "part"),
    [(slice(None, 4), "second half"), (slice(4, None), "first half"), (slice(None), "")],
)
def test_half_of_a_table(keep: slice, part: str) -> None:
    inputs = keras.Input((8,))
    model = keras.Model(inputs, softmax(3)(layers.Dense(8, activation="tanh")(inputs[:, keep])))
    found = findings(check_parts, program(model))
    assert [finding.code for finding in found] == ["INPUT_IGNORED"] * bool(part)
    assert all(part in finding.message and finding.severity == "warning" for finding in found)


def test_every_second_step() -> None:
    inputs = keras.Input((8, 2))
    model = keras.Model(inputs, softmax(3)(layers.Flatten()(inputs[:, ::2])))
    (finding,) = findings(check_parts, program(model))
    assert "every second place along axis 1" in finding.message


@pytest.mark.parametrize("first", [0, 1])
def test_mask_that_hides_words(first: int) -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(1, 20, (64, 12)).astype(np.int32)
    tokens[:, 5] = first
    tokens[:, 11] = 0
    tokens[:, 3] = first
    embedding = layers.Embedding(20, 4, mask_zero=True)
    stack = embedding, layers.GlobalAveragePooling1D(), softmax(3)
    model = chain(*stack, shape=(12,), dtype="int32")
    checked = program(model, x=tokens, y=np.arange(64) % 3)
    assert codes(check_masked, checked) == ([] if first else ["INPUT_IGNORED"])


def test_long_series_may_forget_its_beginning() -> None:
    steps = layers.Reshape((600, 1)), layers.SimpleRNN(4), softmax(3)
    assert findings(check_parts, program(chain(*steps, shape=(600,)))) == []


@pytest.mark.parametrize(
    ("share", "sentences", "expected"), [(0.25, 1, True), (0.6, 1, True), (0.1, 2, False)]
)
def test_frequent_token_that_is_masked(share: float, sentences: int, expected: bool) -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(1, 4, (64, 40)) * (random.random((64, 40)) > share)
    if sentences > 1:  # each padded by itself
        tokens = np.concatenate([np.pad(tokens[:, :12] + 1, [(0, 0), (0, 8)])] * 2, axis=1)
    stack = layers.Embedding(6, 4, mask_zero=True), layers.GlobalAveragePooling1D(), softmax(3)
    model = chain(*stack, shape=tokens.shape[1:], dtype="int32")
    checked = program(model, x=tokens.astype(np.int32), y=np.arange(64) % 3)
    assert codes(check_masked, checked) == ["INPUT_IGNORED"] * expected


def test_channels_mixed_by_a_reshape() -> None:
    steps = np.random.default_rng(0).normal(size=(64, 16, 16, 3))
    pictures = np.cumsum(np.cumsum(steps, axis=1), axis=2).astype(np.float32)
    grey = np.repeat(pictures[..., :1], 3, axis=3)
    mixed = pictures.transpose(0, 3, 1, 2).reshape(64, 16, 16, 3)
    model = chain(relu_conv(), layers.Flatten(), softmax(), shape=(16, 16, 3))
    for given, expected in ((pictures, 0), (grey, 0), (steps, 0), (mixed, 1)):
        assert codes(check_reshaped, program(model, x=given)) == ["INPUT_LAYOUT"] * expected
