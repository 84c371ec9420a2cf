"""Optimizers of Keras by name: made with their options, or answered in words."""

from typing import Any

import keras
import numpy as np
import pytest

from mnist_exp.config.optimizer_schemas import KerasOptimizerConfig
from mnist_exp.errors import ConfigError
from mnist_exp.training import keras_optimizers
from mnist_exp.training.fused_optimizers import FusedAdam, FusedRmsprop, FusedSgd
from tests.training.test_optimizers import minimise


def built(name: str, **options: Any) -> keras.optimizers.Optimizer:
    config = KerasOptimizerConfig(name=name, options=options, learning_rate=0.01)
    return keras_optimizers.build(config, 0.01)


@pytest.mark.parametrize(
    ("name", "options", "fused"),
    [
        ("Lion", {"beta_2": 0.5}, None),
        ("Adafactor", {"relative_step": False}, None),
        ("Adam", {"beta_1": 0.5}, FusedAdam),
        ("Adam", {"amsgrad": True}, None),
        ("Adam", {"gradient_accumulation_steps": 2}, None),
        ("Adam", {"clipnorm": 1, "use_ema": True, "ema_overwrite_frequency": 2}, FusedAdam),
        ("AdamW", {}, FusedAdam),
        ("AdamW", {"weight_decay": 0.1, "global_clipnorm": 0.5}, FusedAdam),
        ("RMSprop", {"momentum": 0.5}, FusedRmsprop),
        ("RMSprop", {"centered": True}, None),
        ("SGD", {"momentum": 0.9, "nesterov": True}, FusedSgd),
        ("SGD", {"momentum": 0.9, "gradient_accumulation_steps": 2}, FusedSgd),
    ],
)
def test_it_does_what_keras_does(name: str, options: dict[str, Any], fused: type | None) -> None:
    """Where there is one kernel for an update and it can follow the options, it is used."""
    optimizer, keras_own = built(name, **options), getattr(keras.optimizers, name)
    assert type(optimizer) is (fused or keras_own)
    expected = minimise(keras_own(learning_rate=0.01, **options), 7)
    np.testing.assert_allclose(minimise(optimizer, 7), expected, rtol=2e-5)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("lion", {}, "did you mean optimizer.name=Lion"),
        ("adamw", {}, r"did you mean optimizer.name=AdamW\?"),
        ("Adan", {}, "did you mean optimizer.name=Adam"),
        ("LossScaleOptimizer", {}, "for float16, and all is computed in float32"),
        ("MultiOptimizer", {}, "made from other optimizers"),
        ("Optimizer", {}, "the class that Keras' optimizers are made from"),
        ("Lion", {"beta2": 0.9}, r"optimizer.options.beta2: .* did you mean beta_2"),
        ("Lion", {"learning_rate": 0.9}, "it is the setting optimizer.learning_rate"),
        ("Lion", {"loss_scale_factor": 2}, "float32"),
        ("Lion", {"beta_2": "much"}, "beta_2=much: expected a number"),
        ("SGD", {"nesterov": 1}, "nesterov=1: expected true or false"),
        ("Adam", {"beta_1": 2}, "beta_1=2: expected a number from 0 to below 1"),
        ("SGD", {"clipnorm": 1, "clipvalue": 1}, "SGD of Keras refuses them: Only one of"),
        ("SGD", {"clipnorm": "x"}, "clipnorm=x: expected a number"),
        ("Adam", {"use_ema": True}, r"ema_overwrite_frequency=N"),
    ],
)
def test_what_makes_no_optimizer_is_answered(
    name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        built(name, **options)
    assert len(str(error.value).splitlines()) <= 2
