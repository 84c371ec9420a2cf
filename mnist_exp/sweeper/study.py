"""The study: made or loaded, filled with trials that wait, and counted."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import optuna
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper.cache import StudyCache
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.storage import FAILURE, LAUNCH, StudyStorage

SPACE = "sweeper:search_space"  # user attribute of the study: what was searched, see SearchSpace.to_dict
_CONFIGURATION = "sweeper:configuration"  # user attribute of a trial that stands for one given configuration: its key


def open_study(storage: StudyStorage, name: str, plan: Plan, space: SearchSpace) -> optuna.Study:
    """Create or load the study. Raises SweepError if it is there with another search space or other objectives."""
    with storage.lock():
        study = optuna.create_study(
            study_name=name,
            storage=StudyCache(storage),
            directions=cast(list[Literal["minimize", "maximize"]], list(plan.directions)),
            load_if_exists=True,
        )
        there = tuple(direction.name.lower() for direction in study.directions)
        if there != plan.directions:
            before, now = ",".join(there), ",".join(plan.directions)
            raise SweepError(f"study {name}: hydra.sweeper.direction: {before} -> {now}{_ADVICE}")
        recorded = study.user_attrs.get(SPACE)
        if recorded is None:
            study.set_user_attr(SPACE, space.to_dict())
        elif changed := space.differences(recorded):
            raise SweepError(f"study {name} has other settings: {'; '.join(changed)}{_ADVICE}")
    return study


_ADVICE = "\nExpected the same as before; hydra.sweeper.study_name=NAME starts another study"


def fill(study: optuna.Study, storage: StudyStorage, plan: Plan, *, retry_failed: bool) -> int:
    """Let as many trials wait as are needed for `n_trials` that end well; returns how many were added.

    `retry_failed`: configurations that failed are tried once more.
    """
    study_id = study._study_id
    with storage.lock():
        number = storage.counts(study_id)
        missing = max(plan.n_trials - (sum(number.values()) - number["FAIL"]), 0)
        if not missing:
            return 0
        tried = {
            key
            for state, key in storage.attributes(study_id, _CONFIGURATION)
            if not (retry_failed and state == TrialState.FAIL)
        }
        left = [item for item in _keyed(plan.configurations) if item[0] not in tried][:missing]
        sampled = 0 if plan.is_list else missing - len(left)
        given = [(parameters, {_CONFIGURATION: key}) for key, parameters in left]
        storage.add_waiting(study_id, [*given, *(({}, {}) for _ in range(sampled))])
        return len(left) + sampled


def _keyed(configurations: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """A key for each that it keeps when others come and go; one that is given twice is tried twice."""
    seen: Counter[str] = Counter()
    keyed = []
    for parameters in configurations:
        text = json.dumps(parameters, sort_keys=True)
        keyed.append((f"{text} #{seen[text]}", parameters))
        seen[text] += 1
    return keyed


def failures(study: optuna.Study, launch: str) -> list[FrozenTrial]:
    """Trials that failed in one launch."""
    failed = study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
    return [trial for trial in failed if trial.user_attrs.get(LAUNCH) == launch]


def counts(trials: Sequence[FrozenTrial]) -> dict[str, int]:
    """Trials by state: COMPLETE, PRUNED, FAIL, RUNNING, WAITING."""
    return {state.name: sum(trial.state == state for trial in trials) for state in TrialState}


def reason(trial: FrozenTrial) -> str:
    """Why the trial failed, on one line: whoever can write to the database may have written it."""
    return clean(trial.user_attrs.get(FAILURE, "unknown"))


def results(study: optuna.Study) -> Mapping[str, Any]:
    """What the official plugin writes to optimization_results.yaml; without a best trial that entry is missing."""
    if len(study.directions) > 1:
        front = [{"params": trial.params, "values": trial.values} for trial in study.best_trials]
        return {"name": "optuna", "solutions": front}
    try:
        best = study.best_trial
    except ValueError:
        return {"name": "optuna"}
    return {"name": "optuna", "best_params": best.params, "best_value": best.value}
