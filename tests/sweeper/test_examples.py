"""The official Optuna plugin's examples run with `hydra/sweeper=optuna_study`, unchanged."""

from typing import Any

import optuna
import pytest
from omegaconf import DictConfig, OmegaConf

from mnist_exp.sweeper.attributes import FAILURE
from tests.support.sweeps import apps
from tests.sweeper.conftest import Sweep

SPHERE = """
defaults:
  - override hydra/sweeper: optuna
  - override hydra/sweeper/sampler: tpe

hydra:
  sweeper:
    sampler:
      seed: 123
    direction: minimize
    study_name: sphere
    storage: null
    n_trials: 20
    n_jobs: 1
    max_failure_rate: 0.0
    params:
      x: range(-5.5, 5.5, step=0.5)
      y: choice(-5 ,0 ,5)

x: 1
y: 1
z: 1

# if true, simulate a failure by raising an exception
error: false
"""
MULTI_OBJECTIVE = """
defaults:
  - override hydra/sweeper: optuna
  - override hydra/sweeper/sampler: nsgaii

hydra:
  sweeper:
    sampler:
      seed: 123
    direction: [minimize, minimize]
    study_name: multi-objective
    storage: null
    n_trials: 20
    n_jobs: 1
    params:
      x: range(0, 5, step=0.5)
      y: range(0, 3, step=0.5)

x: 1
y: 1
"""
CUSTOM_SEARCH_SPACE = """
defaults:
  - override hydra/sweeper: optuna

hydra:
  sweeper:
    sampler:
      seed: 123
    direction: minimize
    study_name: custom-search-space
    storage: null
    n_trials: 20
    n_jobs: 1
    params:
      x: range(-5.5, 5.5, step=0.5)
      y: choice(-5 ,0 ,5)
    custom_search_space: tests.sweeper.test_examples.configure

x: 1
y: 1
z: 100
max_z_difference_from_x: 0.5
"""


def sphere(cfg: DictConfig) -> float:
    if cfg.get("error", False):
        raise RuntimeError("cfg.error is True")
    return float(cfg.x**2 + cfg.y**2)


def binh_and_korn(cfg: DictConfig) -> tuple[float, float]:
    return 4 * cfg.x**2 + 4 * cfg.y**2, (cfg.x - 5) ** 2 + (cfg.y - 5) ** 2


def configure(cfg: DictConfig, trial: optuna.Trial) -> None:
    x_value = trial.params["x"]
    difference = cfg.max_z_difference_from_x
    trial.suggest_float("z", x_value - difference, x_value + difference)
    trial.suggest_float("+w", 0.0, 1.0)  # with Hydra's append syntax
    if x_value > 0:
        trial.suggest_categorical("+positive", [True])


def multi_dimensional_sphere(cfg: DictConfig) -> float:
    assert (cfg.get("positive") is True) == (cfg.x > 0)
    return float(cfg.x**2 + cfg.y**2 + cfg.z**2 + cfg.w**2)


def results(sweep: Sweep) -> Any:
    (path,) = (sweep.folder / "multirun").glob("*/*/optimization_results.yaml")
    return OmegaConf.to_container(OmegaConf.load(path))


def write(sweep: Sweep, config: str) -> None:
    (sweep.folder / "config.yaml").write_text(config)


def test_sphere(sweep: Sweep) -> None:
    write(sweep, SPHERE)
    study = sweep(sphere, n_trials=3)
    assert study.study_name == "sphere"
    assert sweep.states == ["COMPLETE"] * 3
    assert all(-5.5 <= t.params["x"] <= 5.0 and t.params["y"] in (-5, 0, 5) for t in study.trials)
    assert results(sweep) == {
        "name": "optuna",
        "best_params": study.best_params,
        "best_value": min(t.params["x"] ** 2 + t.params["y"] ** 2 for t in study.trials),
    }


def test_a_seed_leads_to_the_same_trials_again(sweep: Sweep) -> None:
    write(sweep, SPHERE)
    once = sweep(sphere, n_trials=2).trials
    (sweep.folder / "optuna.db").unlink()
    again = sweep(sphere, n_trials=2).trials
    assert [t.params for t in again] == [t.params for t in once]


def test_grid(sweep: Sweep) -> None:
    write(sweep, SPHERE)
    study = sweep(
        sphere, "x=choice(-1, 1)", "y=range(0.0, 1.0, 0.5)", "z=choice(-5)", sampler="grid"
    )
    assert sorted((t.params["x"], t.params["y"]) for t in study.trials) == [
        (x, y) for x in (-1, 1) for y in (0.0, 0.5)
    ]
    assert results(sweep)["best_value"] == 1.0
    assert results(sweep)["best_params"] == {"x": -1, "y": 0.0, "z": -5}


def test_multi_objective(sweep: Sweep) -> None:
    write(sweep, MULTI_OBJECTIVE)
    study = sweep(binh_and_korn, n_trials=4)
    solutions = results(sweep)["solutions"]
    assert results(sweep)["name"] == "optuna"
    assert solutions == [{"params": t.params, "values": t.values} for t in study.best_trials]
    for solution in solutions:
        assert solution["values"] == list(binh_and_korn(OmegaConf.create(solution["params"])))


def test_custom_search_space(sweep: Sweep) -> None:
    write(sweep, CUSTOM_SEARCH_SPACE)
    study = sweep(multi_dimensional_sphere, "max_z_difference_from_x=0.3", n_trials=4)
    assert sweep.states == ["COMPLETE"] * 4
    for trial in study.trials:
        assert abs(trial.params["x"] - trial.params["z"]) <= 0.5
        assert 0 <= trial.params["+w"] <= 1
        assert ("+positive" in trial.params) == (trial.params["x"] > 0)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_failure_rate(sweep: Sweep, rate: float) -> None:
    write(sweep, SPHERE)
    message = sweep.refused(
        sphere, "error=true", sampler="random", n_trials=2, max_failure_rate=rate
    )
    assert "RuntimeError: cfg.error is True" in message
    failed = [t for t in sweep.study.trials if t.state.name == "FAIL"]
    assert len(failed) == (1 if rate == 0 else 2)
    assert all(t.user_attrs[FAILURE] == "RuntimeError: cfg.error is True" for t in failed)


def test_a_fixed_override_leaves_the_search_space(sweep: Sweep) -> None:
    write(sweep, SPHERE)
    study = sweep(sphere, "x=2", n_trials=1)
    assert study.trials[0].params.keys() == {"y"}
    assert (study.trials[0].value or 0) >= 4


def test_a_parameter_that_is_fixed_and_suggested_is_refused(sweep: Sweep) -> None:
    write(sweep, CUSTOM_SEARCH_SPACE)
    message = sweep.refused(multi_dimensional_sphere, "z=3", n_trials=1)
    assert "both fixed and searched: z" in message


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("sampler", ["random", "qmc", "nsgaiii"])
def test_samplers_by_name(sweep: Sweep, sampler: str) -> None:
    write(sweep, SPHERE)
    sweep(sphere, sampler=sampler, n_trials=1)
    assert apps.states(sweep.folder) == ["COMPLETE"]
