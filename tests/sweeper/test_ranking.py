"""Which settings of a study are the best, where seeds only repeat them."""

from collections.abc import Sequence
from typing import Literal

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from mnist_exp.sweeper.ranking import best_settings

NAMES = CategoricalDistribution(["a", "b", "c"])
SEEDS = CategoricalDistribution([0, 1])


def a_study(*directions: Literal["minimize", "maximize"]) -> optuna.Study:
    return optuna.create_study(directions=list(directions) or ["maximize"])


def add(
    study: optuna.Study,
    name: str,
    seed: int | None,
    values: Sequence[float] | None,
    state: TrialState = TrialState.COMPLETE,
) -> None:
    seeds = {} if seed is None else {"seed": seed}
    study.add_trial(
        create_trial(
            state=state,
            values=values,
            params={"name": name, **seeds},
            distributions={"name": NAMES, **({"seed": SEEDS} if seeds else {})},
        )
    )


def names(study: optuna.Study, repeated_by: str | None = "seed") -> list[str]:
    return [best.params["name"] for best in best_settings(study, repeated_by)]


def test_the_mean_over_seeds_decides() -> None:
    study = a_study()
    for name, values in {"a": (0.9, 0.1), "b": (0.7, 0.6)}.items():
        for seed, value in enumerate(values):
            add(study, name, seed, [value])
    (best,) = best_settings(study, "seed")
    assert (best.params, best.values, best.is_mean) == ({"name": "b"}, (pytest.approx(0.65),), True)
    assert [trial.number for trial in best.trials] == [2, 3]
    assert names(study, None) == ["a"]  # if nothing is said to repeat a trial


def test_a_lucky_seed_of_a_study_that_was_stopped_is_not_the_best() -> None:
    study = a_study()
    add(study, "a", 0, [0.99])
    add(study, "a", 1, None, TrialState.WAITING)
    for seed in (0, 1):
        add(study, "b", seed, [0.98])
    assert names(study) == ["b"]


def test_the_direction_counts() -> None:
    study = a_study("minimize")
    for name, value in (("a", 0.9), ("b", 0.2)):
        add(study, name, 0, [value])
    assert names(study) == ["b"]


def test_trials_without_a_seed_stand_alone() -> None:
    study = a_study()
    for name, value in (("a", 0.9), ("b", 0.2), ("a", 0.1)):
        add(study, name, None, [value])
    (best,) = best_settings(study, "seed")
    assert (best.values, best.is_mean) == ((0.9,), False)


@pytest.mark.parametrize("state", [TrialState.PRUNED, TrialState.FAIL])
def test_a_mean_of_the_seeds_that_were_not_ended_early_flatters(state: TrialState) -> None:
    study = a_study()
    add(study, "a", 0, [0.9])
    add(study, "a", 1, None, state)
    assert names(study) == ["a"]  # there is nothing else
    add(study, "b", 0, [0.5])
    assert names(study) == ["b"]
    add(study, "a", 1, [0.9])  # tried once more
    assert names(study) == ["a"]


@pytest.mark.parametrize("repeated_by", ["seed", None])
def test_a_trial_that_breaks_a_constraint_is_never_the_best(repeated_by: str | None) -> None:
    study = a_study()
    for name, value, constraint in (("a", 0.9, 1.0), ("b", 0.5, -1.0)):
        study.enqueue_trial({"name": name, "seed": 0})
        trial = study.ask({"name": NAMES, "seed": SEEDS})
        trial.set_constraint("c", constraint)
        study.tell(trial, value)
        assert names(study, repeated_by) == ([] if name == "a" else ["b"])


def test_several_objectives_have_a_front() -> None:
    study = a_study("maximize", "minimize")
    for name, values in {"a": (0.9, 9.0), "b": (0.5, 1.0), "c": (0.4, 2.0)}.items():
        for seed in range(2):
            add(study, name, seed, values)
    assert names(study) == ["a", "b"]


def test_no_trial_is_complete() -> None:
    study = a_study()
    assert best_settings(study, "seed") == []
    add(study, "a", 0, None, TrialState.WAITING)
    assert best_settings(study, "seed") == []
