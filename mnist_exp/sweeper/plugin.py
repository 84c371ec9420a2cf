"""The Hydra plugin `optuna_study`: its configs are stored with Hydra, which calls its class."""

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
    """Store the configs with Hydra; the official plugin's samplers, if installed, keep their names.

    Those work with both plugins. They must be stored first: Hydra warns of a name that is stored
    twice, and the official plugin stores its names in any case.
    """
    with suppress(ImportError):
        importlib.import_module("hydra_plugins.hydra_optuna_sweeper.config")
    store = ConfigStore.instance()
    for name in ("optuna_study", "optuna_study_base"):  # an application's own file extends the base
        store.store(name, SWEEPER, group="hydra/sweeper", provider=_PROVIDER, replace=True)
    groups = {"sampler": SAMPLERS, "pruner": PRUNERS}
    for group, options in groups.items():
        stored = store.repo.get("hydra", {}).get("sweeper", {}).get(group, {})
        for name, node in options.items():
            if f"{name}.yaml" not in stored:
                store.store(name, node, group=f"hydra/sweeper/{group}", provider=_PROVIDER)


_store()


class OptunaStudySweeper(Sweeper):
    """The sweeper of the configs above.

    Hydra imports this module for every command. So the work is in `run`, which imports Optuna.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what Hydra passes, for `sweep`."""
        self._context, self._task, self._config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Run a sweep of these overrides. Raises SweepError; see `run_sweep`."""
        from mnist_exp.sweeper.run import run_sweep

        run_sweep(self._context, self._task, self._config, arguments)
