"""The trial that runs in this process, for its task function and the application's hooks."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_exp.sweeper.interruption import held

if TYPE_CHECKING:
    import optuna
    from omegaconf import DictConfig


@dataclass(frozen=True, kw_only=True)
class RunningTrial:
    """A trial whose task function is about to run, runs or has run in this process."""

    trial: "optuna.Trial"
    overrides: tuple[str, ...]  # that lead to the trial's config
    threads: int  # this worker's share of the machine's cores
    study_config: "DictConfig"  # the whole config without the trial's parameters
    handed: Any = None  # what `StudyHooks.for_workers` returned in the parent

    @property
    def number(self) -> int:
        """Return the trial's number in its study, from 0."""
        return self.trial.number

    @property
    def study_name(self) -> str:
        """Return the name of the trial's study."""
        return self.trial.study.study_name

    @property
    def study_attributes(self) -> dict[str, Any]:
        """Return what `StudyHooks.on_study_start` noted with the study, and the sweeper itself."""
        return self.trial.study.user_attrs

    @property
    def directions(self) -> list[str]:
        """Return `maximize` or `minimize` for each objective of the study."""
        return [direction.name.lower() for direction in self.trial.study.directions]

    @property
    def log_parameters(self) -> list[str]:
        """Return the trial's parameters that are searched on a log scale."""
        distributions = self.trial.distributions
        return [name for name, searched in distributions.items() if getattr(searched, "log", False)]

    def remember(self, key: str, value: Any) -> None:
        """Keep a JSON value with the trial; a later try after a crash can `recall` it."""
        with held():
            self.trial.set_user_attr(key, value)

    def recall(self, key: str) -> Any:
        """Return what an earlier try of this trial remembered, or None."""
        return self.trial.user_attrs.get(key)


_running: RunningTrial | None = None


def current() -> RunningTrial | None:
    """Return the trial whose task function runs in this process; None outside a sweep."""
    return _running


def report(value: float, step: int) -> None:
    """Report an intermediate value. Raises optuna.TrialPruned if the pruner ends the trial.

    Does nothing outside a sweep, and in a sweep with several objectives, which Optuna cannot prune.
    Raises ValueError for a step that is no whole number: Optuna would round it down.
    """
    if step != int(step):
        raise ValueError(f"report: step={step!r}: expected a whole number")
    if _running is None or len(_running.trial.study.directions) > 1:
        return
    with held():
        _running.trial.report(value, step)
        must_end = _running.trial.should_prune()
    if must_end:
        import optuna

        raise optuna.TrialPruned(f"pruned at step {step} with {value:g}")


def _forget() -> None:
    """Forget the trial in a forked child: the connection to the database is its parent's."""
    global _running
    _running = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def is_pruned(error: BaseException) -> bool:
    """Return True if the error is what `report` raises for a trial that the pruner ends."""
    optuna = sys.modules.get("optuna")  # whoever raised the error has imported it
    return optuna is not None and isinstance(error, optuna.TrialPruned)


@contextmanager
def running(trial: RunningTrial) -> Iterator[None]:
    """Make the trial the `current` one in the block."""
    global _running
    _running = trial
    try:
        yield
    finally:
        _running = None
