"""The cache knows what the storage knows; a trial's cost does not grow with those that wait."""

import contextlib
from contextlib import nullcontext
from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

from mnist_exp.sweeper.attributes import WORKER
from mnist_exp.sweeper.cache import StudyCache
from mnist_exp.sweeper.storage import StudyStorage, TakenOver
from tests.sweeper.conftest import claim


@pytest.mark.parametrize("n_waiting", [3, 300])
def test_the_cost_of_a_trial_does_not_depend_on_how_many_wait(
    storage: StudyStorage, n_waiting: int
) -> None:
    """Count the rows that are read, which take the time, from a claim over a report to the end."""
    study = optuna.create_study(
        study_name="study",
        storage=StudyCache(storage),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=0),
    )
    storage.add_waiting(study._study_id, [({}, {})] * n_waiting)
    study.get_trials()
    built: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        build = storage._build_frozen_trial_from_trial_model

        def counted(model: Any) -> optuna.trial.FrozenTrial:
            built.append(model.number)
            return build(model)

        patch.setattr(storage, "_build_frozen_trial_from_trial_model", counted)
        for _ in range(3):
            trial = optuna.Trial(study, claim(storage, study))
            trial.suggest_float("x", 0, 1)
            trial.report(1.0, 1)
            trial.should_prune()
            study.tell(trial, 1.0)
            storage.give_back_lost(study._study_id, max_retries=3)
            storage.count_failed(study._study_id, "this")
            assert len(study.get_trials()) == n_waiting
    assert set(built) == {0, 1, 2}
    assert len(built) < 30


def test_the_cache_knows_what_the_storage_knows(storage: StudyStorage, study: optuna.Study) -> None:
    """But for the attributes of trials that wait."""
    cached = optuna.load_study(study_name="study", storage=StudyCache(storage))

    def same() -> None:
        for plain, seen in zip(study.get_trials(), cached.get_trials(), strict=True):
            assert (plain.number, plain.state, plain._trial_id) == (
                seen.number,
                seen.state,
                seen._trial_id,
            )
            if plain.state != TrialState.WAITING:
                assert plain == seen

    same()
    first, second = claim(storage, study), claim(storage, study)
    same()
    storage.set_trial_intermediate_value(first, 1, 0.5)
    same()
    storage.set_trial_user_attr(second, WORKER, None)
    storage.give_back_lost(study._study_id, max_retries=None)
    same()
    storage.set_trial_state_values(first, TrialState.COMPLETE, [1.0])
    storage.add_waiting(study._study_id, [({"x": 1}, {})])
    same()
    assert claim(storage, study) == second
    storage.set_trial_state_values(second, TrialState.FAIL)
    same()
    assert [trial.state.name for trial in cached.get_trials()] == [
        "COMPLETE",
        "FAIL",
        "WAITING",
        "WAITING",
    ]


def test_what_is_drawn_is_written_at_once(storage: StudyStorage, study: optuna.Study) -> None:
    cached = optuna.load_study(study_name="study", storage=StudyCache(storage))
    for error in (None, ValueError("in the search space")):
        trial = optuna.Trial(cached, claim(storage, study))
        assert isinstance(trial.storage, StudyCache)
        with contextlib.suppress(ValueError), trial.storage.drawing(trial._trial_id) as attributes:
            values = {"x": trial.suggest_float("x", 0, 1), "y": trial.suggest_int("y", 1, 3)}
            assert trial.params == values
            assert study.trials[trial.number].params == {}
            if error is not None:
                raise error
            attributes["drawn"] = True
        written = study.trials[trial.number]
        assert written.params == values
        assert written.user_attrs.get("drawn") is (None if error else True)
        assert written.distributions == trial.distributions


def test_a_worker_that_lost_its_trial_writes_nothing_that_it_has_drawn(
    storage: StudyStorage, study: optuna.Study
) -> None:
    trial = optuna.Trial(
        optuna.load_study(study_name="study", storage=StudyCache(storage)), claim(storage, study)
    )
    assert isinstance(trial.storage, StudyCache)
    with pytest.raises(TakenOver), trial.storage.drawing(trial._trial_id) as attributes:
        trial.suggest_float("x", 0, 1)
        attributes["drawn"] = True
        storage.set_trial_user_attr(trial._trial_id, WORKER, "elsewhere/1/0")
    assert study.trials[0].params == {}
    assert "drawn" not in study.trials[0].user_attrs


def test_parameters_that_do_not_fit_those_of_earlier_trials(
    storage: StudyStorage, study: optuna.Study
) -> None:
    cached = StudyCache(storage)
    distributions = (FloatDistribution(0, 1), FloatDistribution(0, 2), IntDistribution(0, 1))
    for distribution in distributions:
        is_other = isinstance(distribution, IntDistribution)
        trial_id = claim(storage, study)
        with pytest.raises(ValueError, match="Cannot set") if is_other else nullcontext():
            storage.note_drawn(trial_id, [("x", 1.0, distribution)], {"a": 1})
        trial = cached.get_trial(trial_id)
        assert (trial.params, "a" in trial.user_attrs) == (
            ({}, False) if is_other else ({"x": 1}, True)
        )
