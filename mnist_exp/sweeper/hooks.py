"""Where an application joins in, for instance to track a study, and what a sweep may call."""

import inspect
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hydra._internal.execution_policy import _get_active_execution_whitelist
from hydra.utils import instantiate
from omegaconf import DictConfig

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    import optuna

    from mnist_exp.sweeper.trial import RunningTrial


class TrialEnd(StrEnum):
    """How a trial ended in its worker, in Optuna's words."""

    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"
    WAITING = "WAITING"  # it was interrupted, and waits for a worker again


class StudyHooks:
    """Every method does nothing; a subclass overrides those it needs.

    Each process makes one object of the class, without arguments.
    """

    def read_overrides(self, overrides: list[str]) -> list[str]:
        """Return the sweep's overrides as Hydra is to parse them. Called in the parent.

        `overrides` holds those from `hydra.sweeper.params`, too.
        """
        return overrides

    def present_name(self, recorded: str) -> str:
        """Return what a function is called now, by a name that an earlier study has recorded."""
        return recorded

    def objective_names(self, config: DictConfig) -> Sequence[str]:
        """Return what the values of a trial are called, in the order of `direction`."""
        return ()

    def repeated_by(self) -> str | None:
        """Return the parameter that only repeats a trial, such as a seed: its values are averaged.

        None if there is none.
        """
        return None

    def check_config(self, config: DictConfig) -> None:
        """Raise an error for a config that cannot run.

        Called in the parent before the first trial, once for each value that will be tried.
        """

    def check_storage(self, url: str, config: DictConfig) -> None:
        """Raise SweepError for a study's database that the application needs for itself.

        Called in the parent before the database is opened or made.
        """

    def for_workers(self) -> Any:
        """Return what each worker of the sweep gets as `RunningTrial.handed`, which is pickled.

        Called in the parent, after `check_config`.
        """
        return None

    def on_study_start(self, study: "optuna.Study", config: DictConfig) -> None:
        """Begin a study. Called in the parent, before workers start.

        `config` is the whole config without a trial's parameters.
        """

    def on_study_end(self, study: "optuna.Study", config: DictConfig) -> None:
        """End a study, also one that was stopped. Called in the parent, after the last worker."""

    def next_steps(self, study: "optuna.Study", config: DictConfig) -> str:
        """Return what to do next with the study: the last lines that the sweep prints.

        Called in the parent, after `on_study_end`, and where there was nothing to do.
        """
        return ""

    def on_trial_start(self, running: "RunningTrial", config: DictConfig) -> None:
        """Begin a trial. Called in the worker, before the task function."""

    def on_trial_end(self, running: "RunningTrial", state: TrialEnd, reason: str | None) -> None:
        """End a trial; `reason` says why it failed or was pruned. Called in the worker.

        Also called for a trial that failed before `on_trial_start`, because its config cannot be
        composed; `running.study_config` is that of the study in any case. An error that is raised
        here is logged and does not change the trial.
        """


def permitted(config: DictConfig, targets: Sequence[str]) -> tuple[str, ...]:
    """Return the targets that the sweep may call beyond the application's execution whitelist.

    Without a whitelist these are all, else those that the user named on the command line.
    """
    if _get_active_execution_whitelist() is None:
        return tuple(targets)
    given = list(config.hydra.overrides.hydra)
    return tuple(target for target in targets if any(target in override for override in given))


def call(setting: str, node: Any, allowed: Sequence[str]) -> Any:
    """Return the object that a node with `_target_` makes.

    Raises SweepError if it cannot be made, or must not be called.
    """
    try:
        return instantiate(node, _convert_="all", _execution_whitelist_=tuple(allowed))
    except Exception as error:
        why = clean(f"{error.__cause__ or error}".partition("\nfull_key")[0].rstrip(". "))
        is_forbidden = "is not in the Hydra execution whitelist" in why
        hint = "; on the command line you may name any" if is_forbidden else ""
        raise SweepError(f"hydra.sweeper.{setting}: cannot be used ({why}{hint})") from error


def load_function(
    setting: str, target: str, allowed: Sequence[str] | None = None
) -> Callable[..., Any]:
    """Return the function (config, trial) that a setting names.

    Without `allowed` any function may be named: in a worker, whose parent has checked it before.
    """
    node = {"_target_": target, "_partial_": True}
    function: Callable[..., Any] = call(
        f"{setting}={target}", node, [target] if allowed is None else allowed
    )
    try:
        inspect.signature(function).bind("config", "trial")
    except TypeError as error:
        raise SweepError(
            f"hydra.sweeper.{setting}={target}: expected a function (config, trial)"
        ) from error
    return function


def build_hooks(target: str | None, allowed: Sequence[str] | None = None) -> StudyHooks:
    """Return the hooks that `hydra.sweeper.hooks` names; `allowed` as in `load_function`."""
    if not target:
        return StudyHooks()
    hooks = call(f"hooks={target}", {"_target_": target}, [target] if allowed is None else allowed)
    if not isinstance(hooks, StudyHooks):
        raise SweepError(
            f"hydra.sweeper.hooks={target}: expected a subclass of {__name__}.StudyHooks"
        )
    return hooks
