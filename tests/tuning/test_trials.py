import math

import pytest

from mnist_exp.tuning.trials import State, Trial
from tests.tuning.studies import a_study, a_trial

NAN = math.nan


def numbers(trials: list[Trial]) -> list[int]:
    return [trial.number for trial in trials]


def test_the_best_comes_first_and_only_finite_feasible_complete_trials_count() -> None:
    trials = [
        a_trial(0, {"x": 1}, 0.8),
        a_trial(1, {"x": 2}, 0.9),
        a_trial(2, {"x": 3}, math.inf),
        a_trial(3, {"x": 4}, 0.99, is_feasible=False),
        a_trial(4, {"x": 5}, state=State.PRUNED, course={1: 0.95}),
        a_trial(5, {"x": 6}, state=State.FAILED),
    ]
    study = a_study(trials)
    assert numbers(study.best) == [1, 0]
    assert study.winners == {1}
    assert numbers(a_study(trials, {"val/cost": False}).best) == [0, 1]


def test_the_pareto_front_keeps_ties_and_drops_what_is_beaten() -> None:
    values = [(0.9, 10.0), (0.8, 5.0), (0.85, 10.0), (0.9, 10.0), (0.7, 6.0)]
    trials = [a_trial(i, {"x": i}, *pair) for i, pair in enumerate(values)]
    study = a_study(trials, {"val/accuracy": True, "time/training_seconds": False})
    assert numbers(study.best) == [0, 3, 1]
    assert study.winners == {0, 1, 3}


def test_parameters_are_those_that_differ_in_value_or_in_being_set() -> None:
    params = [{"a": 1, "b": 1}, {"a": 1, "b": 2, "c": 1}]
    assert a_study([a_trial(i, p, 0.9) for i, p in enumerate(params)]).parameters == ["b", "c"]


@pytest.mark.parametrize(
    ("params", "is_search"),
    [
        ([{"x": 1, "seed": 0}, {"x": 2, "seed": 1}], True),
        ([{"x": 1}, {"x": 1}, {"x": 2}], True),  # a sampler may try the same twice
        ([{"x": 1, "seed": 0}, {"x": 1, "seed": 1}, {"x": 2, "seed": 0}], False),
        ([{"seed": 0}, {"seed": 1}], False),
        ([{}], False),
        ([], False),
    ],
)
def test_a_search_has_one_run_of_each_configuration(
    params: list[dict[str, object]], is_search: bool
) -> None:
    assert a_study([a_trial(i, p, 0.9) for i, p in enumerate(params)]).is_search is is_search


def test_pruned_trials_are_compared_after_the_last_epoch_that_all_reached() -> None:
    trials = [
        a_trial(0, {"x": 1}, 0.9, course={1: 0.5, 2: 0.7, 3: 0.9}),
        a_trial(1, {"x": 2}, state=State.PRUNED, course={1: 0.4, 2: 0.6}),
        a_trial(2, {"x": 3}, state=State.PRUNED, course={1: 0.3, 2: NAN}),
        a_trial(3, {"x": 4}, state=State.FAILED, course={1: 0.2}),
    ]
    assert a_study(trials).common_step == 2
    assert [value for _, value in a_study(trials).comparable()] == [0.7, 0.6]
    assert a_study(trials[:1]).common_step is None
    assert [value for _, value in a_study(trials[:1]).comparable()] == [0.9]
