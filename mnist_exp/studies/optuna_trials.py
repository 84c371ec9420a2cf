"""A study in Optuna's database, as the page of `mnist_exp.tuning` needs it."""

from collections.abc import Sequence

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from mnist_exp.sweeper.ranking import meets_constraints
from mnist_exp.sweeper.study import why_failed
from mnist_exp.tuning.trials import State, Study, Trial

_STATES = {
    "COMPLETE": State.COMPLETE,
    "PRUNED": State.PRUNED,
    "FAIL": State.FAILED,
    "RUNNING": State.RUNNING,
    "WAITING": State.WAITING,
}


def from_optuna(study: optuna.Study, objectives: Sequence[str]) -> Study:
    """Return the study's trials; `objectives` are the names of their values."""
    trials = study.get_trials(deepcopy=False)
    logarithmic = {
        name
        for trial in trials
        for name, searched in trial.distributions.items()
        if isinstance(searched, FloatDistribution | IntDistribution) and searched.log
    }
    return Study(
        name=study.study_name,
        objectives=tuple(objectives),
        maximised=tuple(direction.name == "MAXIMIZE" for direction in study.directions),
        logarithmic=frozenset(logarithmic),
        trials=tuple(map(_trial, trials)),
    )


def _trial(trial: FrozenTrial) -> Trial:
    state = _STATES[trial.state.name]
    return Trial(
        number=trial.number,
        state=state,
        params=trial.params,
        values=tuple(trial.values or ()) if state is State.COMPLETE else (),
        course=trial.intermediate_values,
        seconds=None if trial.duration is None else trial.duration.total_seconds(),
        reason=why_failed(trial) if state is State.FAILED else "",
        is_feasible=meets_constraints(trial),
    )
