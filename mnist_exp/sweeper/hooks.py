"""Where an application joins in, for instance to track a study: `hydra.sweeper.hooks` names a subclass."""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hydra._internal.execution_policy import _get_active_execution_whitelist
from hydra.utils import instantiate
from omegaconf import DictConfig

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    import optuna

    from mnist_exp.sweeper.trial import RunningTrial


class StudyHooks:
    """Every method does nothing; a subclass overrides what it needs. Made without arguments in each process."""

    def read_overrides(self, overrides: list[str]) -> list[str]:
        """In the parent: the overrides of the sweep, `params` included, in the form that Hydra is to parse."""
        return overrides

    def check_config(self, config: DictConfig) -> None:
        """In the parent, before the first trial, once for each value to be tried. Raises for one that cannot run."""

    def on_study_start(self, study: "optuna.Study", config: DictConfig) -> None:
        """In the parent, before workers start. `config` is the whole config without a trial's parameters."""

    def on_study_end(self, study: "optuna.Study", config: DictConfig) -> None:
        """In the parent, after the last worker, also when the sweep was stopped."""

    def on_trial_start(self, running: "RunningTrial", config: DictConfig) -> None:
        """In the worker, before the task function."""

    def on_trial_end(self, running: "RunningTrial", state: str, reason: str | None) -> None:
        """In the worker; `state` is COMPLETE, PRUNED, FAIL, or WAITING for one that was interrupted.

        Also for a trial that failed before `on_trial_start`, with a config that cannot be composed. What it raises is
        logged, and does not change the trial.
        """


def permitted(config: DictConfig, targets: Sequence[str]) -> tuple[str, ...]:
    """Those that the sweep may call although they are not in the application's execution whitelist.

    Without a whitelist these are all, else those that the user named on the command line.
    """
    if _get_active_execution_whitelist() is None:
        return tuple(targets)
    given = list(config.hydra.overrides.hydra)
    return tuple(target for target in targets if any(target in override for override in given))


def call(setting: str, node: Any, allowed: Sequence[str]) -> Any:
    """The object that a node with `_target_` makes. Raises SweepError if it cannot be had, or must not be called."""
    try:
        return instantiate(node, _convert_="all", _execution_whitelist_=tuple(allowed))
    except Exception as error:
        why = clean(f"{error.__cause__ or error}".partition("\nfull_key")[0].rstrip(". "))
        hint = (
            "; on the command line you may name any"
            if "is not in the Hydra execution whitelist" in why
            else ""
        )
        raise SweepError(f"hydra.sweeper.{setting}: cannot be used ({why}{hint})") from error


def load_function(
    setting: str, target: str, allowed: Sequence[str] | None = None
) -> Callable[..., Any]:
    """The function (config, trial) that a setting names. In a worker all is allowed: the parent has asked before."""
    node = {"_target_": target, "_partial_": True}
    function = call(f"{setting}={target}", node, [target] if allowed is None else allowed)
    try:
        inspect.signature(function).bind("config", "trial")
    except TypeError as error:
        raise SweepError(
            f"hydra.sweeper.{setting}={target}: expected a function (config, trial)"
        ) from error
    return function


def build_hooks(target: str | None, allowed: Sequence[str] | None = None) -> StudyHooks:
    """The hooks that `hydra.sweeper.hooks` names."""
    if not target:
        return StudyHooks()
    hooks = call(f"hooks={target}", {"_target_": target}, [target] if allowed is None else allowed)
    if not isinstance(hooks, StudyHooks):
        raise SweepError(
            f"hydra.sweeper.hooks={target}: expected a subclass of {__name__}.StudyHooks"
        )
    return hooks
