"""The configs of trials are those that Hydra composes, whether or not it composes them now."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import RunMode
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import Container, DictConfig, ListConfig, Node, OmegaConf

from mnist_exp.config import schema
from mnist_exp.config.groups import CONF_DIR
from mnist_exp.sweeper.composing import Composer

OVERRIDES = [
    *("model=mlp", "model=cnn5x5", "model=softmax", "init=he", "init=zeros", "optimizer=adamw"),
    *("optimizer@optimizer=momentum", "+preset=none_such", "optimizer=[sgd]", "optimizer=null"),
    *(
        "seed=7",
        "seed=1.5",
        "seed=word",
        "optimizer.learning_rate=0.3",
        "threads=null",
        "threads=2",
    ),
    *(
        "optimizer.learning_rate=1e-4",
        "model.hidden_units=[16,32]",
        "model.filters=[16,32]",
        "model=5",
    ),
    *("schedule.epochs=null", "schedule.epochs=3", "schedule.max_steps=10", "schedule={epochs: 2}"),
    *("run_name='a b'", "run_name=${variant}", "seed=${schedule.epochs}", "objective=[val/cost]"),
    *("+tags.who=me", "++seed=3", "~tags", "~seed", "tags={a: b}", "objective=val/cost"),
    *("no_such=1", "schedule.no_such=1", "seed.deep=1", ":seed=4", "hydra.job.num=3"),
    *("hydra/launcher=joblib", "extend_list(objective,val/cost)", "data.train_limit='???'"),
]


@pytest.fixture(scope="module")
def loader() -> ConfigLoaderImpl:
    assert schema
    Plugins.instance()
    return ConfigLoaderImpl(create_config_search_path(str(CONF_DIR)))


@pytest.fixture(scope="module")
def sweep_config(loader: ConfigLoaderImpl) -> DictConfig:
    given = ["hydra/sweeper=optuna_study", "hydra.sweeper.n_trials=3", "hydra.job.name=app"]
    return loader.load_configuration("config", given, RunMode.MULTIRUN)


@pytest.fixture(scope="module")
def composer(loader: ConfigLoaderImpl, sweep_config: DictConfig) -> Composer:
    return Composer(loader, sweep_config)


def description(node: Node) -> Any:
    """All that a node is, and all below it."""
    content: Any = node._value()
    if isinstance(node, DictConfig) and isinstance(content, dict):
        content = [(key, description(node._get_node(key))) for key in content]  # type: ignore[arg-type]
    elif isinstance(node, ListConfig) and isinstance(content, list):
        content = [description(part) for part in content]
    metadata = node._metadata
    types = (metadata.ref_type, metadata.object_type, metadata.optional)
    assert isinstance(node, Container) or not isinstance(content, list | dict)
    return type(node), types, metadata.flags, content


def outcome(compose: Callable[[], DictConfig]) -> Any:
    """What composing returns, or how it fails."""
    try:
        config = compose()
    except (HydraException, ValueError) as error:
        return type(error), str(error)
    return description(config), OmegaConf.get_cache(config)


@pytest.mark.slow
@settings(max_examples=15)
@given(overrides=st.lists(st.sampled_from(OVERRIDES), max_size=5))
def test_it_is_what_hydra_composes(
    loader: ConfigLoaderImpl, sweep_config: DictConfig, composer: Composer, overrides: list[str]
) -> None:
    expected = outcome(lambda: loader.load_sweep_config(sweep_config, overrides))
    assert outcome(lambda: composer.compose(overrides)) == expected


def test_hydra_composes_once_for_trials_that_differ_in_values(
    loader: ConfigLoaderImpl, sweep_config: DictConfig
) -> None:
    composer = Composer(loader, sweep_config)
    with mock.patch.object(loader, "load_sweep_config", wraps=loader.load_sweep_config) as hydra:
        for seed in range(5):
            config = composer.compose(["model=mlp", f"seed={seed}", "model.hidden_units=[4]"])
            assert (config.seed, config.model.hidden_units) == (seed, [4])
            config.seed = 99  # a trial's config is its own
        assert hydra.call_count == 1
        composer.compose(["model=cnn5x5", "seed=1"])
        assert hydra.call_count == 2


def test_the_current_folder_is_that_of_the_trial(
    composer: Composer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    composer.compose(["seed=1"])  # is kept
    monkeypatch.chdir(tmp_path)
    assert composer.compose(["seed=1"]).hydra.runtime.cwd == str(tmp_path)
