"""Checks that train for a few steps."""

import math
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight import check
from mnist_exp.preflight.learning.conclusions import check_ignored, check_overfit, check_uphill
from mnist_exp.preflight.learning.short_runs import ShortRun
from tests.support import layer_kinds as kinds
from tests.support.programs import codes, findings, make_program
from tests.support.zoo import losses, models, optimizers, programs

GOOD = ShortRun(
    finite=True,
    steps=15,
    loss_before=2.3,
    loss_after=1.5,
    training_loss=2.3,
    promised=0.01,
    downhill=0.5,
    largest=[0.1, 0.1],
    moved=[0.1, 0.1],
    spread=1.0,
)


def test_uphill_step() -> None:
    assert codes(check_uphill, replace(GOOD, downhill=-0.3)) == ["LOSS_NOT_MINIMISED"]
    assert codes(check_uphill, GOOD) == []
    assert codes(check_uphill, replace(GOOD, downhill=math.nan)) == []


def test_same_outputs_for_all_images() -> None:
    assert codes(check_ignored, replace(GOOD, spread=0.0)) == ["INPUT_IGNORED"]
    assert codes(check_ignored, GOOD) == []
    assert codes(check_ignored, replace(GOOD, spread=math.nan)) == []


def overfit_codes(model: Any, optimizer: Any = None) -> list[str]:
    return codes(check_overfit, make_program(model, optimizer=optimizer))


def test_narrow_network_cannot_overfit() -> None:
    program = models.mlp("glorot", 0, units=1), losses.mean, optimizers.adam()
    assert "CANNOT_OVERFIT" in check(*program, *programs.sample(0)).codes


def test_a_network_with_a_relu_on_its_logits_is_told_what_would_help() -> None:
    keras.utils.set_random_seed(0)
    relu = models.sequential(layers.Flatten(), layers.Dense(10), layers.ReLU())
    (finding,) = findings(check_overfit, make_program(relu))
    assert finding.code == "CANNOT_OVERFIT"
    assert "without the Relu at the end of the model it learns them by heart" in finding.message
    assert finding.evidence["change"] == "activation"


def test_a_tiny_network_need_not_learn_everything_by_heart() -> None:
    keras.utils.set_random_seed(0)
    filters = [layers.Conv2D(4, 3, 2, activation="relu") for _ in range(2)]
    tiny = models.sequential(*filters, layers.GlobalAveragePooling2D(), layers.Dense(10))
    assert overfit_codes(tiny) == []


def test_slow_optimizer_is_no_inability() -> None:
    assert overfit_codes(models.mlp("glorot", 0), optimizers.sgd(1e-6)) == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("hidden", "found", "words"),
    [
        ([], [], ""),
        ([layers.Lambda(lambda x: 0 * x)], ["CANNOT_OVERFIT"], "memorising them should be easy"),
        (
            [layers.Dense(64, "relu", kernel_initializer="zeros")],
            ["CANNOT_OVERFIT"],
            "with initial weights drawn anew",
        ),
    ],
)
def test_numbers_are_learned_by_heart(hidden: list[Any], found: list[str], words: str) -> None:
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(200, 30)).astype(np.float32)
    y = (20 + 5 * np.sin(3 * x[:, 0]) + x[:, 1]).astype(np.float32)
    program = kinds.program(
        kinds.chain(*hidden, layers.Dense(64, "relu"), layers.Dense(1), shape=(30,)), "mse", x, y
    )
    said = findings(check_overfit, program)
    assert [finding.code for finding in said] == found
    assert all(words in finding.message for finding in said)


def test_a_line_through_numbers_and_equal_numbers_are_not_judged() -> None:
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    line = kinds.chain(layers.Dense(1), shape=(3,))
    assert codes(check_overfit, kinds.program(line, "mse", x, np.sin(9 * x[:, 0]))) == []
    same = kinds.chain(layers.Dense(64, "relu"), layers.Dense(1), shape=(3,))
    assert codes(check_overfit, kinds.program(same, "mse", x, np.ones(200, np.float32))) == []
