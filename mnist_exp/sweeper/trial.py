"""The trial that runs in this process, for the task function: what it is, what to report, what to remember."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_exp.sweeper.interruption import held

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class RunningTrial:
    """`threads` is this worker's share of the machine's cores; `overrides` lead to the trial's config."""

    trial: "optuna.Trial"
    overrides: tuple[str, ...]
    threads: int

    @property
    def number(self) -> int:
        return self.trial.number

    @property
    def study_name(self) -> str:
        return self.trial.study.study_name

    @property
    def study_attributes(self) -> dict[str, Any]:
        """What `StudyHooks.on_study_start` gave, and the sweeper's own notes."""
        return self.trial.study.user_attrs

    def remember(self, key: str, value: Any) -> None:
        """Keep a JSON value with the trial; whoever retries the trial after a crash can `recall` it."""
        with held():
            self.trial.set_user_attr(key, value)

    def recall(self, key: str) -> Any:
        """What an earlier try of this trial remembered, or None."""
        return self.trial.user_attrs.get(key)


_running: RunningTrial | None = None


def current() -> RunningTrial | None:
    """The trial whose task function is running in this process, None outside a sweep of this sweeper."""
    return _running


def report(value: float, step: int) -> None:
    """Report an intermediate value of the objective. Raises optuna.TrialPruned if the pruner gives the trial up.

    Does nothing outside a sweep, and in one with several objectives, which Optuna cannot prune. Raises ValueError for
    a step that is no whole number, which Optuna would round down.
    """
    if step != int(step):
        raise ValueError(f"report: step={step!r}: expected a whole number")
    if _running is None or len(_running.trial.study.directions) > 1:
        return
    with held():
        _running.trial.report(value, step)
        is_pruned = _running.trial.should_prune()
    if is_pruned:
        import optuna

        raise optuna.TrialPruned(f"pruned at step {step} with {value:g}")


def _forget() -> None:
    """A child that was forked runs no trial: the connection to the study's database is its parent's."""
    global _running
    _running = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def is_pruned(error: BaseException) -> bool:
    """Whether the error is what `report` raises for a trial that the pruner gives up."""
    optuna = sys.modules.get("optuna")  # whoever raised it has imported it
    return optuna is not None and isinstance(error, optuna.TrialPruned)


@contextmanager
def running(trial: RunningTrial) -> Iterator[None]:
    global _running
    _running = trial
    try:
        yield
    finally:
        _running = None
