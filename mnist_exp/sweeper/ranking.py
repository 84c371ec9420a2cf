"""The best settings of a study. Trials that only repeat each other count by their mean."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper.pareto import costs, dominates


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Parameters, and the complete trials that have them.

    params: what the trials share
    trials: in the order of their numbers
    is_mean: whether a parameter repeats the trials, such as a seed, which `params` leaves out;
        otherwise there is one trial
    """

    params: dict[str, Any]
    trials: tuple[FrozenTrial, ...]
    is_mean: bool

    @property
    def values(self) -> tuple[float, ...]:
        """Return the mean over the trials, for each objective."""
        columns = zip(*(trial.values for trial in self.trials), strict=True)
        return tuple(fmean(column) for column in columns)


def best_settings(study: optuna.Study, repeated_by: str | None = None) -> list[Settings]:
    """Return the best settings, or those of the Pareto front of several objectives.

    The list is empty while no trial is complete, or each breaks a constraint. `repeated_by` is the
    parameter that only repeats a trial: the mean over its values counts.
    """
    trials = study.get_trials(deepcopy=False)
    if repeated_by is None or not any(repeated_by in trial.params for trial in trials):
        return [
            Settings(params=best.params, trials=(best,), is_mean=False)
            for best in _best_trials(study)
        ]
    groups = _groups(trials, repeated_by)
    fronts = [group for group in groups if not any(_beats(o, group, study) for o in groups)]
    return fronts if len(study.directions) > 1 else fronts[:1]


def meets_constraints(trial: FrozenTrial) -> bool:
    """Return whether the trial breaks no constraint, as far as any is known of it."""
    return all(value <= 0 for value in trial.constraints.values())


def _best_trials(study: optuna.Study) -> Sequence[FrozenTrial]:
    if len(study.directions) > 1:
        return study.best_trials
    try:
        return [study.best_trial]
    except ValueError:
        return []


def _groups(trials: Sequence[FrozenTrial], repeated_by: str) -> list[Settings]:
    """Return the settings of which a trial counts, in the order of their first trials.

    Where a trial was pruned or failed, and no other has its value of `repeated_by`, the mean over
    the others would flatter the settings. They count only if there are no others. Nor do those
    count that have fewer values of it than others: the mean of few is high or low by luck.
    """
    by_params: defaultdict[str, list[FrozenTrial]] = defaultdict(list)
    for trial in trials:
        by_params[json.dumps(_without(trial, repeated_by), sort_keys=True)].append(trial)
    groups = [
        (
            Settings(params=_without(several[0], repeated_by), trials=counted, is_mean=True),
            _ended_badly(several, repeated_by) - {repr(t.params.get(repeated_by)) for t in counted},
        )
        for several in by_params.values()
        if (counted := tuple(filter(_counts, several)))
    ]
    whole = [group for group, lacking in groups if not lacking]
    left = whole or [group for group, _ in groups]
    most = max((_repeats(group, repeated_by) for group in left), default=0)
    return [group for group in left if _repeats(group, repeated_by) == most]


def _repeats(group: Settings, repeated_by: str) -> int:
    """Return of how many values of `repeated_by` a trial counts."""
    return len({repr(trial.params.get(repeated_by)) for trial in group.trials})


def _counts(trial: FrozenTrial) -> bool:
    """Return whether the trial is complete, and breaks no constraint of the study's."""
    return trial.state == TrialState.COMPLETE and meets_constraints(trial)


def _ended_badly(trials: Sequence[FrozenTrial], repeated_by: str) -> set[str]:
    """Return the values of `repeated_by` of the trials that have ended and do not count."""
    return {
        repr(trial.params.get(repeated_by))
        for trial in trials
        if trial.state.is_finished() and not _counts(trial)
    }


def _without(trial: FrozenTrial, repeated_by: str) -> dict[str, Any]:
    return {key: value for key, value in trial.params.items() if key != repeated_by}


def _beats(one: Settings, other: Settings, study: optuna.Study) -> bool:
    """Return whether one is as good in every objective, and better in one."""
    maximised = [direction == StudyDirection.MAXIMIZE for direction in study.directions]
    return dominates(costs(one.values, maximised), costs(other.values, maximised))
