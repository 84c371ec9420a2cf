"""The plugin's config has what the official Optuna plugin's has."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import hydra
import optuna
import pytest
from hydra.core.plugins import Plugins

from mnist_exp.sweeper.plugin import OptunaStudySweeper
from mnist_exp.sweeper.settings import PRUNERS, SAMPLERS, SWEEPER

OFFICIAL = """sampler direction storage study_name n_trials n_jobs max_failure_rate params
    custom_search_space"""
OFFICIAL_SAMPLERS = "tpe random grid cmaes nsgaii nsgaiii motpe gp qmc"


def test_hydra_finds_the_plugin() -> None:
    assert OptunaStudySweeper in Plugins.instance().discover()


def test_every_key_of_the_official_plugin() -> None:
    groups = {key for default in SWEEPER["defaults"] for key in default}
    assert SWEEPER.keys() | groups >= set(OFFICIAL.split())
    defaults = {"n_trials": 20, "direction": "minimize", "max_failure_rate": 0.0}
    assert SWEEPER.items() >= defaults.items()


def test_every_sampler_of_the_official_plugin() -> None:
    assert SAMPLERS.keys() == set(OFFICIAL_SAMPLERS.split())


@pytest.mark.parametrize("name", sorted(PRUNERS))
def test_settings_of_pruners_have_optunas_defaults(name: str) -> None:
    config = dict(PRUNERS[name])
    pruner = getattr(optuna.pruners, config.pop("_target_").rpartition(".")[2])
    defaults = {
        key: parameter.default for key, parameter in inspect.signature(pruner).parameters.items()
    }
    assert config.keys() <= defaults.keys()
    for key, value in config.items():
        assert defaults[key] in (value, inspect.Parameter.empty)


def test_an_application_whose_default_it_is_still_runs_once_without_m(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text(
        "defaults: [{override hydra/sweeper: optuna_study}]\nx: 1\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["app.py", "hydra.sweeper.n_trials=3", "x=2"])
    seen = []
    hydra.main(config_path=str(tmp_path), config_name="config")(
        lambda config: seen.append(config.x)
    )()
    assert seen == [2]
    assert not (tmp_path / "optuna.db").exists()


OFFICIAL_CONFIG = """
from hydra.core.config_store import ConfigStore
for name in ("tpe", "grid", "motpe"):
    ConfigStore.instance().store(
        name, {"_target_": "official"}, group="hydra/sweeper/sampler", provider="official"
    )
"""


@pytest.mark.parametrize(
    "first", ["mnist_exp.sweeper.plugin", "hydra_plugins.hydra_optuna_sweeper.config"]
)
def test_beside_the_official_plugin_no_name_is_stored_twice(tmp_path: Path, first: str) -> None:
    """A stand-in for the official plugin; Hydra's warning of a name stored twice is an error."""
    folder = tmp_path / "hydra_plugins" / "hydra_optuna_sweeper"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "config.py").write_text(OFFICIAL_CONFIG)
    code = (
        f"import {first}, mnist_exp.sweeper.plugin, hydra_plugins.hydra_optuna_sweeper.config\n"
        "from hydra.core.config_store import ConfigStore\n"
        "samplers = ConfigStore.instance().repo['hydra']['sweeper']['sampler']\n"
        "print(samplers['tpe.yaml'].provider, samplers['qmc.yaml'].provider)"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["official", "mnist_exp.sweeper"]
