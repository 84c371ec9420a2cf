"""A study: created or loaded, filled with trials that wait, counted, and summed up."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper.attributes import CONFIGURATION, FAILURE, LAUNCH, SPACE
from mnist_exp.sweeper.cache import StudyCache
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.storage import StudyStorage

_ADVICE = "\nExpected the same as before; hydra.sweeper.study_name=NAME starts another study"


def open_study(
    storage: StudyStorage,
    name: str,
    plan: Plan,
    space: SearchSpace,
    present_name: Callable[[str], str] = str,
) -> optuna.Study:
    """Create or load the study.

    Raises SweepError if it exists with another search space or other objectives. `present_name` is
    that of the study's hooks.
    """
    with storage.lock():
        study = optuna.create_study(
            study_name=name,
            storage=StudyCache(storage),
            directions=list(plan.directions),
            load_if_exists=True,
        )
        if tuple(study.directions) != plan.directions:
            before, now = (
                ",".join(direction.name.lower() for direction in directions)
                for directions in (study.directions, plan.directions)
            )
            raise SweepError(f"study {name}: hydra.sweeper.direction: {before} -> {now}{_ADVICE}")
        recorded = study.user_attrs.get(SPACE)
        if recorded is None:
            study.set_user_attr(SPACE, space.to_dict())
        elif changed := space.differences(recorded, present_name):
            raise SweepError(f"study {name} has other settings: {'; '.join(changed)}{_ADVICE}")
    return study


def fill(study: optuna.Study, storage: StudyStorage, plan: Plan, *, retry_failed: bool) -> int:
    """Add waiting trials until `n_trials` can end well, and return how many were added.

    With `retry_failed`, configurations that failed are tried once more.
    """
    study_id = study._study_id
    with storage.lock():
        missing = max(
            plan.n_trials + beside_list(storage, study_id, plan) - _good(storage, study_id), 0
        )
        if not missing:
            return 0
        tried = {
            key
            for state, key in storage.attributes(study_id, CONFIGURATION)
            if not (retry_failed and state == TrialState.FAIL)
        }
        left = [item for item in _keyed(plan.configurations) if item[0] not in tried][:missing]
        sampled = 0 if plan.is_list else missing - len(left)
        given = [(parameters, {CONFIGURATION: key}) for key, parameters in left]
        storage.add_waiting(study_id, [*given, *(({}, {}) for _ in range(sampled))])
        return len(left) + sampled


def _good(storage: StudyStorage, study_id: int) -> int:
    """Return how many trials have not failed, those that wait included."""
    counts = storage.counts(study_id)
    return counts.total() - counts[TrialState.FAIL]


def beside_list(storage: StudyStorage, study_id: int, plan: Plan) -> int:
    """Return how many trials that have not failed are none of a list's configurations.

    They are of an earlier start, which sampled, or had another list. 0 for a plan that samples.
    """
    if not plan.is_list:
        return 0
    listed = {key for key, _ in _keyed(plan.configurations)}
    noted = storage.attributes(study_id, CONFIGURATION)
    of_list = sum(state != TrialState.FAIL and key in listed for state, key in noted)
    return _good(storage, study_id) - of_list


def budget_notes(plan: Plan, storage: StudyStorage, study_id: int) -> list[str]:
    """Return a note if an earlier start asked for more trials than `n_trials` does."""
    asked_for = _good(storage, study_id) - beside_list(storage, study_id, plan)
    if asked_for <= plan.n_trials:
        return []
    note = (
        f"hydra.sweeper.n_trials={plan.n_trials}: an earlier start asked for {asked_for}, and "
        "those that wait are tried, too; hydra.sweeper.study_name=NAME starts another study"
    )
    return [note]


def _keyed(configurations: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Return each configuration with a key that does not depend on the others.

    A configuration that is listed twice gets two keys, and is tried twice.
    """
    seen: Counter[str] = Counter()
    keyed = []
    for parameters in configurations:
        text = json.dumps(parameters, sort_keys=True)
        keyed.append((f"{text} #{seen[text]}", parameters))
        seen[text] += 1
    return keyed


def failed_trials(study: optuna.Study, launch: str) -> list[FrozenTrial]:
    """Return the trials that failed in one launch."""
    failed = study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
    return [trial for trial in failed if trial.user_attrs.get(LAUNCH) == launch]


def why_failed(trial: FrozenTrial) -> str:
    """Return on one line why the trial failed; anybody with access to the database may write it."""
    return clean(trial.user_attrs.get(FAILURE, "unknown"))


def results(study: optuna.Study) -> Mapping[str, Any]:
    """Return what the official plugin writes to optimization_results.yaml.

    A study of one objective without a best trial has no entry for it.
    """
    if len(study.directions) > 1:
        front = [{"params": trial.params, "values": trial.values} for trial in study.best_trials]
        return {"name": "optuna", "solutions": front}
    try:
        best = study.best_trial
    except ValueError:
        return {"name": "optuna"}
    return {"name": "optuna", "best_params": best.params, "best_value": best.value}
