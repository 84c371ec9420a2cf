"""A study: created or loaded, filled with trials that wait, counted, and summed up."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper.attributes import CONFIG_NAME, CONFIGURATION, FAILURE, LAUNCH, SPACE
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
    config_name: str = "",
) -> optuna.Study:
    """Create or load the study.

    Raises SweepError if it exists with another search space, other objectives or another primary
    config than `config_name`, or with trials of another program. `present_name` is that of the
    study's hooks.
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
        before = study.user_attrs.get(CONFIG_NAME, config_name)
        if before != config_name:
            raise SweepError(f"study {name}: --config-name: {before} -> {config_name}{_ADVICE}")
        recorded = study.user_attrs.get(SPACE)
        if recorded is None and (count := storage.counts(study._study_id).total()):
            raise SweepError(
                f"study {name}: another program made it and its trials ({count}); "
                "hydra.sweeper.study_name=NAME starts another study"
            )
        if recorded is None:
            study.set_user_attr(SPACE, space.to_dict())
        elif changed := space.differences(recorded, present_name):
            raise SweepError(f"study {name} has other settings: {'; '.join(changed)}{_ADVICE}")
        study.set_user_attr(CONFIG_NAME, config_name)
    return study


def fill(study: optuna.Study, storage: StudyStorage, plan: Plan, *, retry_failed: bool) -> int:
    """Add waiting trials until `n_trials` can end well, and return how many were added.

    Of a list, only its own configurations count. With `retry_failed`, those that failed are tried
    once more. Trials that wait to be sampled get configurations first: they are tried first.
    """
    study_id = study._study_id
    with storage.lock():
        missing = max(plan.n_trials - _good(storage.counts(study_id)), 0)
        if not missing and not plan.configurations:
            return 0
        keyed, noted = _keyed(plan.configurations), storage.attributes(study_id, CONFIGURATION)
        tried = {key for state, key in noted if not (retry_failed and state == TrialState.FAIL)}
        left = [item for item in keyed if item[0] not in tried]
        if plan.is_list:
            missing = max(plan.n_trials - len(_of_list(keyed, noted)), 0)
            left = left[:missing]
        given = [(parameters, {CONFIGURATION: key}) for key, parameters in left]
        added = given[storage.configure_waiting(study_id, given) :][:missing]
        sampled = 0 if plan.is_list else missing - len(added)
        storage.add_waiting(study_id, [*added, *(({}, {}) for _ in range(sampled))])
        return len(added) + sampled


def budget(storage: StudyStorage, study_id: int, plan: Plan) -> tuple[int, list[str]]:
    """Return how many trials the study is to have, and notes if these are not as asked for.

    A list is tried beside the trials that an earlier start has left, which sampled or had another
    list. Those of them that wait are tried, too, and so are those of a larger `n_trials`.
    """
    counts, own = storage.counts(study_id), plan.n_trials
    good, waiting = _good(counts), counts[TrialState.WAITING]
    begun, total, notes = good - waiting, own, []
    keyed, noted = _keyed(plan.configurations), storage.attributes(study_id, CONFIGURATION)
    if plan.is_list:
        of_list = _of_list(keyed, noted)
        begun = sum(state != TrialState.WAITING for state in of_list)
        total = own + good - len(of_list)
    elif left := {key for key, _ in keyed} - {key for _, key in noted}:
        notes.append(
            f"hydra.sweeper.enqueue: no trial is left for {len(left)} of its {len(keyed)}; "
            f"a larger number than hydra.sweeper.n_trials={own} tries them"
        )
    if waiting > max(own - begun, 0):
        notes.append(
            f"hydra.sweeper.n_trials={own}: an earlier start asked for more, and what waits "
            f"({waiting}) is tried, too; hydra.sweeper.study_name=NAME starts another study"
        )
    return total, notes


def _good(counts: Counter[TrialState]) -> int:
    """Return how many trials have not failed, those that wait included."""
    return counts.total() - counts[TrialState.FAIL]


def _of_list(
    keyed: Sequence[tuple[str, Any]], noted: Sequence[tuple[TrialState, Any]]
) -> list[TrialState]:
    """Return the states of the list's trials that have not failed."""
    listed = {key for key, _ in keyed}
    return [state for state, key in noted if state != TrialState.FAIL and key in listed]


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


def replace_attribute(study: optuna.Study, key: str, before: Any, value: Any) -> Any:
    """Set an attribute of the study if it is still `before`, and return what it is then.

    Commands that start at the same time agree on the value of the first one.
    """
    assert isinstance(study._storage, StudyCache)
    with study._storage._backend.lock():
        now = study.user_attrs.get(key)
        if now != before:
            return now
        study.set_user_attr(key, value)
    return value


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
