"""Where an application joins in, for instance to track a study: `hydra.sweeper.hooks` names a subclass."""

from typing import TYPE_CHECKING, Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from mnist_exp.sweeper.errors import SweepError

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


def load(setting: str, target: str, **options: Any) -> Any:
    """What a setting of the sweeper names by its dotted path. Raises SweepError if that cannot be had."""
    try:
        return instantiate({"_target_": target, **options})
    except Exception as error:
        why = str(error.__cause__ or error).strip().splitlines()[0]
        raise SweepError(f"hydra.sweeper.{setting}={target}: cannot be used ({why})") from error


def build_hooks(target: str | None) -> StudyHooks:
    """The hooks that `hydra.sweeper.hooks` names."""
    return load("hooks", target) if target else StudyHooks()
