"""On trials whose values are known functions of their parameters."""

import math

import numpy as np
import pytest

from mnist_exp.tuning.importance import SMALLEST, importances

NAMES = ["rate", "optimizer", "noise"]


def trials(count: int, seed: int = 0) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    made: list[dict[str, object]] = []
    for _ in range(count):
        optimizer = str(rng.choice(["sgd", "adam", "rmsprop"]))
        made.append({"rate": rng.random(), "optimizer": optimizer, "noise": rng.random()})
    return made


def test_the_share_is_the_total_sobol_index() -> None:
    """Of independent terms it is the share of each term's variance."""
    params = trials(300)
    rate = np.array([p["rate"] for p in params], float)
    is_adam = np.array([p["optimizer"] == "adam" for p in params], float)
    values = 2 * rate + is_adam
    found = {one.parameter: one for one in importances(params, [*values], NAMES)}
    assert found["rate"].share == pytest.approx(4 * rate.var() / values.var(), abs=0.1)
    assert found["optimizer"].share == pytest.approx(is_adam.var() / values.var(), abs=0.1)
    assert found["rate"].is_shown
    assert found["optimizer"].is_shown
    assert not found["noise"].is_shown
    assert found["noise"].share == pytest.approx(0, abs=0.02)


@pytest.mark.slow
def test_noise_is_not_shown_to_matter() -> None:
    shown = [
        one.is_shown
        for seed in range(5)
        for one in importances(
            trials(20, seed), [*np.random.default_rng(seed).normal(size=20)], NAMES
        )
    ]
    assert len(shown) == 15
    assert not any(shown)


def test_a_parameter_that_some_trials_do_not_have() -> None:
    params = trials(40)
    for one in params:
        if one["optimizer"] != "sgd":
            del one["noise"]
    values = [float("noise" in one) for one in params]
    assert importances(params, values, ["noise"])[0].is_shown


def test_an_infinite_setting_is_a_large_one() -> None:
    """Without a limit, such as of the norm of gradients."""
    clipped: list[dict[str, object]] = [{"clip": math.inf if i % 2 else 1.0} for i in range(30)]
    (found,) = importances(clipped, [float(i % 2) for i in range(30)], ["clip"])
    assert found.is_shown


def test_too_few_trials_or_equal_values_say_nothing() -> None:
    few = trials(SMALLEST - 1)
    assert importances(few, [float(i) for i in range(SMALLEST - 1)], NAMES) == []
    assert importances(trials(30), [1.0] * 30, NAMES) == []
    assert importances(trials(30), [float(i) for i in range(30)], []) == []
