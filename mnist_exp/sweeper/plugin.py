"""The Hydra plugin `optuna_study`: its config, with the official Optuna plugin's keys, and the class Hydra calls."""

import importlib
from contextlib import suppress
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from mnist_exp.sweeper.settings import PRUNERS, SAMPLERS, SWEEPER

_PROVIDER = "mnist_exp.sweeper"


def _store() -> None:
    """Where the official plugin is installed too, its samplers keep their names: they work with both.

    It must store them first: Hydra warns of a name that is stored twice, and the official plugin does not look.
    """
    with suppress(ImportError):
        importlib.import_module("hydra_plugins.hydra_optuna_sweeper.config")
    store = ConfigStore.instance()
    for name in ("optuna_study", "optuna_study_base"):  # an application's own file extends the base
        store.store(name, SWEEPER, group="hydra/sweeper", provider=_PROVIDER, replace=True)
    groups = {"sampler": SAMPLERS, "pruner": PRUNERS}
    for group, options in groups.items():
        there = store.repo.get("hydra", {}).get("sweeper", {}).get(group, {})
        for name, node in options.items():
            if f"{name}.yaml" not in there:
                store.store(name, node, group=f"hydra/sweeper/{group}", provider=_PROVIDER)


_store()


class OptunaStudySweeper(Sweeper):
    """See the config above; `run` has the work, so that starting Hydra does not import Optuna."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self._context, self._task, self._config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        from mnist_exp.sweeper.run import run_sweep

        run_sweep(self._context, self._task, self._config, arguments)
