"""Checks of where dropout lies."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.structure.dropout import check_dropout
from tests.support.layer_kinds import SQUARE, chain, program, softmax
from tests.support.programs import codes, findings

Dense, Dropout = layers.Dense, layers.Dropout


def hidden(units: int = 16) -> layers.Layer:
    return Dense(units, activation="relu")


@pytest.mark.parametrize(
    ("parts", "severity", "words"),
    [
        ([hidden(), softmax(3), Dropout(0.3)], "error", "dropout_1 sets 30% of the outputs"),
        ([hidden(), Dense(3), Dropout(0.3), layers.Softmax()], "error", "30% of the outputs"),
        ([hidden(), softmax(3), layers.GaussianNoise(0.5)], "warning", "adds noise to the out"),
        ([hidden(), Dropout(0.95), softmax(3)], "error", "sets 95% of its inputs"),
        ([hidden(), layers.AlphaDropout(0.85), softmax(3)], "warning", "sets 85% of its inputs"),
        ([Dropout(0.6), hidden(), softmax(3)], "warning", "60% of the model's inputs"),
        (
            [part for _ in range(4) for part in (hidden(), Dropout(0.6))] + [softmax(3)],
            "warning",
            "4 dropouts of at least 50%",
        ),
    ],
)
def test_dropout_where_it_does_harm(parts: Any, severity: str, words: str) -> None:
    (finding,) = findings(check_dropout, program(chain(*parts, shape=(20,))))
    assert (finding.code, finding.severity) == ("DROPOUT_MISPLACED", severity)
    assert words in finding.message


def test_dropout_of_recurrent_states() -> None:
    model = chain(layers.LSTM(8, recurrent_dropout=0.95), softmax(3), shape=(8, 2))
    (finding,) = findings(check_dropout, program(model))
    assert finding.severity == "error"


@pytest.mark.parametrize(
    "parts",
    [
        [Dropout(0.2), hidden(), Dropout(0.5), softmax(3)],
        [layers.GaussianNoise(0.5), hidden(), layers.GaussianDropout(0.5), softmax(3)],
    ],
)
def test_noise_that_networks_bear(parts: Any) -> None:
    assert codes(check_dropout, program(chain(*parts, shape=(20,)))) == []


def test_augmentation_draws_for_whole_pictures() -> None:
    augment = [layers.RandomFlip(), layers.RandomTranslation(0.1, 0.1)]
    model = chain(*augment, layers.Flatten(), hidden(), softmax())
    assert codes(check_dropout, program(model)) == []


def test_denoising_autoencoder_may_lose_much() -> None:
    x = np.random.default_rng(0).random((64, 20)).astype(np.float32)
    model = chain(Dropout(0.8), hidden(), Dense(20), shape=(20,))
    assert codes(check_dropout, program(model, SQUARE, x, x)) == []


def test_factors_of_an_inner_product_are_no_outputs() -> None:
    users, items = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    rows = [Dropout(0.3)(layers.Embedding(20, 4)(ids)) for ids in (users, items)]
    model = keras.Model([users, items], layers.Dot(1)(rows))
    assert codes(check_dropout, program(model, SQUARE)) == []
