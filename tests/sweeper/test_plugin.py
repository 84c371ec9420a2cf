"""The plugin's config has what the official Optuna plugin's has."""

import inspect
from pathlib import Path

import hydra
import optuna
import pytest
from hydra.core.plugins import Plugins

from mnist_exp.sweeper.plugin import _PRUNERS, _SAMPLERS, _SWEEPER, OptunaStudySweeper

OFFICIAL = {
    "sampler",
    "direction",
    "storage",
    "study_name",
    "n_trials",
    "n_jobs",
    "max_failure_rate",
    "params",
    "custom_search_space",
}


def test_hydra_finds_the_plugin() -> None:
    assert OptunaStudySweeper in Plugins.instance().discover()


def test_every_key_of_the_official_plugin() -> None:
    groups = {key for default in _SWEEPER["defaults"] for key in default}
    assert _SWEEPER.keys() | groups >= OFFICIAL
    assert (_SWEEPER["n_trials"], _SWEEPER["direction"], _SWEEPER["max_failure_rate"]) == (
        20,
        "minimize",
        0.0,
    )


def test_every_sampler_of_the_official_plugin() -> None:
    assert _SAMPLERS.keys() == {"tpe", "random", "grid", "cmaes", "nsgaii", "nsgaiii", "gp", "qmc"}


@pytest.mark.parametrize("name", sorted(_PRUNERS))
def test_settings_of_pruners_have_optunas_defaults(name: str) -> None:
    config = dict(_PRUNERS[name])
    pruner = getattr(optuna.pruners, config.pop("_target_").rpartition(".")[2])
    defaults = {key: parameter.default for key, parameter in inspect.signature(pruner).parameters.items()}
    assert config.keys() <= defaults.keys()
    for key, value in config.items():
        assert defaults[key] in (value, inspect.Parameter.empty)


def test_an_application_whose_default_it_is_still_runs_once_without_m(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text("defaults: [{override hydra/sweeper: optuna_study}]\nx: 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["app.py", "hydra.sweeper.n_trials=3", "x=2"])
    seen = []
    hydra.main(config_path=str(tmp_path), config_name="config")(lambda config: seen.append(config.x))()
    assert seen == [2]
    assert not (tmp_path / "optuna.db").exists()
