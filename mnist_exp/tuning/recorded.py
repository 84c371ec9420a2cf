"""A study as MLflow has it: for `compare`, which may run on another machine, or years later."""

import math

import pandas as pd

from mnist_exp.compare.directions import is_maximised
from mnist_exp.tracking.params import decode, number
from mnist_exp.tracking.runs import Runs, Store, is_finite
from mnist_exp.tracking.status import BREAKS_CONSTRAINT
from mnist_exp.tuning.trials import State, Study, Trial, is_search

_STATES = {
    "finished": State.COMPLETE,
    "pruned": State.PRUNED,
    "waiting": State.WAITING,
    "running": State.RUNNING,
}  # every other status is a failure
_LOGARITHMIC = 20  # times the smallest value is the largest: searched on a log scale, probably
_TIME, _TIME_OF_AN_EPOCH = "time/training_seconds", "time/epoch_seconds"


def from_runs(store: Store, runs: Runs, name: str) -> Study:
    """Return the study that these runs are the trials of.

    Older runs do not record on which scale a parameter was searched and which values are better:
    that follows from the values and from the objective's name. A trial that was begun twice counts
    as its newest run.
    """
    objectives = _objectives(runs)
    values = pd.DataFrame({objective: _last(store, runs, objective) for objective in objectives})
    courses = store.history(list(runs.info.index), objectives[0]).groupby("run_id")
    reported = {str(run_id): _course(points) for run_id, points in courses}
    ordered = tuple(
        _trial(runs, run_id, trial_number, values, reported.get(run_id, {}))
        for trial_number, run_id in sorted(_newest(runs).items())
    )
    directions = _first_tag(runs, "sweep.directions").split()
    return Study(
        name=name,
        objectives=tuple(objectives),
        maximised=tuple(
            directions[i] == "maximize" if len(directions) == len(objectives) else is_maximised(key)
            for i, key in enumerate(objectives)
        ),
        logarithmic=_logarithmic(runs, ordered),
        trials=ordered,
    )


def are_of_search(runs: Runs) -> bool:
    """Return whether these trials of a study search settings, with one run of each."""
    return is_search([_params(runs, run_id) for run_id in _newest(runs).values()])


def _newest(runs: Runs) -> dict[int, str]:
    """Return the id of each trial's newest run, by the trial's number."""
    texts = runs.tags["trial_number"].items() if "trial_number" in runs.tags else ()
    numbers = [(number(str(text)), str(run_id)) for run_id, text in texts]
    return {int(n): run_id for n, run_id in numbers if n is not None and math.isfinite(n)}


def _first_tag(runs: Runs, key: str) -> str:
    """Return the first run's text of a tag, or nothing if no run has the tag."""
    texts = list(runs.tags[key].dropna()) if key in runs.tags else []
    return str(texts[0]) if texts else ""


def _objectives(runs: Runs) -> list[str]:
    """Return the names of the values that the study optimises, by the setting of its runs."""
    texts = list(runs.params["objective"].dropna()) if "objective" in runs.params else []
    names = decode(str(texts[0])) if texts else None
    return list(map(str, names)) if isinstance(names, list) and names else ["val/accuracy"]


def _last(store: Store, runs: Runs, objective: str) -> pd.Series:
    """Return each run's value of an objective, NaN where it has none or none that is finite."""
    if objective == _TIME:
        seconds = store.history(list(runs.info.index), _TIME_OF_AN_EPOCH)
        return seconds.groupby("run_id")["value"].sum().reindex(runs.info.index)
    if objective not in runs.metrics:
        return pd.Series(math.nan, runs.info.index)
    values = runs.metrics[objective]
    return values.where(is_finite(values))


def _course(points: pd.DataFrame) -> dict[int, float]:
    return {int(step): float(v) for step, v in zip(points["step"], points["value"], strict=True)}


def _trial(
    runs: Runs, run_id: str, trial_number: int, values: pd.DataFrame, course: dict[int, float]
) -> Trial:
    info, own = runs.info.loc[run_id], [float(value) for value in values.loc[run_id]]
    state, reason = _STATES.get(str(info["status"]), State.FAILED), str(info["reason"])
    if state is State.COMPLETE and any(map(math.isnan, own)):
        state, reason = State.FAILED, "it has no finite value"
    return Trial(
        number=trial_number,
        state=state,
        params=_params(runs, run_id),
        values=tuple(own) if state is State.COMPLETE else (),
        course=course,
        seconds=None if math.isnan(info["seconds"]) else float(info["seconds"]),
        reason=reason if state is State.FAILED else "",
        is_feasible=not (
            BREAKS_CONSTRAINT in runs.tags and runs.tags.at[run_id, BREAKS_CONSTRAINT] == "true"
        ),
    )


def _params(runs: Runs, run_id: str) -> dict[str, object]:
    """Return the parameters of a trial, decoded."""
    keys = str(runs.tags.at[run_id, "sweep.keys"]).split() if "sweep.keys" in runs.tags else []
    recorded = {key: runs.params.at[run_id, key] for key in keys if key in runs.params}
    return {key: decode(text) for key, text in recorded.items() if isinstance(text, str)}


def _logarithmic(runs: Runs, trials: tuple[Trial, ...]) -> frozenset[str]:
    """Return the parameters that were searched on a log scale."""
    if "sweep.log_keys" in runs.tags:
        return frozenset(
            key for text in runs.tags["sweep.log_keys"].dropna() for key in text.split()
        )
    found = set()
    for key in {key for trial in trials for key in trial.params}:
        values = [trial.params[key] for trial in trials if key in trial.params]
        numbers = [v for v in values if isinstance(v, float) and v > 0]
        if len(numbers) == len(values) and max(numbers) >= _LOGARITHMIC * min(numbers):
            found.add(key)
    return frozenset(found)
