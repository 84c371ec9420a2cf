"""Settings that no sweep can run with are named with their value; what is left is a plan."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf
from optuna.study import StudyDirection

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.plan import Plan, check_settings, make_plan, trial_notes
from mnist_exp.sweeper.settings import SAMPLERS, SWEEPER
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.task import TrialFailed, objective_values

SPACE = SearchSpace.parse(["x=choice(1,2)", "y=range(0,3)"])


def settings(**changed: Any) -> DictConfig:
    return OmegaConf.create({**SWEEPER, "sampler": SAMPLERS["tpe"], "pruner": None, **changed})


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("n_trials", 0, "whole number >= 1"),
        ("n_trials", 2.5, "whole number >= 1"),
        ("n_trials", True, "whole number >= 1"),
        ("n_workers", 0, "whole number >= 1"),
        ("n_jobs", "many", "whole number >= 1"),
        ("heartbeat", 0, "whole number >= 1"),
        ("heartbeat", None, "whole number >= 1"),
        ("max_retries", -1, "whole number >= 0"),
        ("max_failure_rate", 1.5, "fraction from 0 to 1"),
        ("max_failure_rate", "some", "fraction from 0 to 1"),
        ("max_failure_rate", None, "fraction from 0 to 1"),
        ("timeout", 0, "number of seconds > 0"),
        ("timeout", "1h", "number of seconds > 0"),
        ("direction", None, "minimize or maximize"),
        ("direction", [], "minimize or maximize"),
        ("params", "x", "{KEY: VALUE}"),
        (
            "storage",
            {"_target_": "optuna.storages.JournalStorage"},
            "database URL such as sqlite:///optuna.db",
        ),
        ("storage", 5, "database URL such as sqlite:///optuna.db"),
    ],
)
def test_bad_settings_are_refused(key: str, value: Any, expected: str) -> None:
    with pytest.raises(SweepError) as error:
        check_settings(settings(**{key: value}))
    assert str(error.value) == f"hydra.sweeper.{key}={value}: expected {_article(expected)}"


@pytest.mark.parametrize(
    "make",
    [
        lambda: check_settings(settings(params="x" * 1000)),
        lambda: check_settings(settings(n_trials="9" * 1000)),
        lambda: check_settings(settings(max_failure_rate="9" * 1000)),
        lambda: check_settings(settings(timeout="9" * 1000)),
        lambda: check_settings(settings(storage={"x": "y" * 1000})),
        lambda: check_settings(settings(pruner="x" * 1000)),
        lambda: make_plan(settings(direction="x" * 1000), SPACE),
        lambda: make_plan(settings(enqueue=["x"] * 1000), SPACE),
        lambda: make_plan(settings(enqueue=[{"x": "y" * 1000}]), SPACE),
        lambda: SearchSpace.parse([f"x=tag(lgo,choice({','.join(map(str, range(1000)))}))"]),
        lambda: SearchSpace.parse([f"x={'it is' * 300}'s"]),
        lambda: objective_values([1.0] * 1000, 1),
    ],
)
def test_a_long_value_leaves_room_for_what_was_expected(make: Callable[[], Any]) -> None:
    """Commands show 500 characters of a line."""
    with pytest.raises((SweepError, TrialFailed)) as error:
        make()
    assert re.search("expected |in quotes|needs quotes", str(error.value)[:400])


def _article(expected: str) -> str:
    return expected if expected[0] in "{m" else f"a {expected}"


def test_the_default_settings_are_accepted() -> None:
    check_settings(settings())
    plan = make_plan(settings(), SPACE)
    assert plan == Plan(
        n_trials=20, configurations=(), directions=(StudyDirection.MINIMIZE,), max_failure_rate=0.0
    )
    assert not plan.is_list


@pytest.mark.parametrize("direction", ["upwards", ["minimize", "upwards"]])
def test_bad_directions_are_refused(direction: Any) -> None:
    with pytest.raises(
        SweepError, match="hydra.sweeper.direction=upwards: expected minimize or maximize"
    ):
        make_plan(settings(direction=direction), SPACE)


def test_a_grid_is_at_most_its_cells() -> None:
    grid = SAMPLERS["grid"]
    plan = make_plan(settings(sampler=grid, n_trials=None), SPACE)
    assert plan.n_trials == len(plan.configurations) == 6
    assert plan.is_list
    assert make_plan(settings(sampler=grid, n_trials=100), SPACE).n_trials == 6
    assert make_plan(settings(sampler=grid, n_trials=4), SPACE).n_trials == 4


def test_enqueued_configurations_are_some_of_the_trials() -> None:
    plan = make_plan(settings(enqueue=[{"x": 2}, {"x": 1, "y": 0}]), SPACE)
    assert plan.configurations == ({"x": 2}, {"x": 1, "y": 0})
    assert plan.n_trials == 20
    assert not plan.is_list
    assert make_plan(settings(enqueue=[{"x": 2}], n_trials=None), SPACE).n_trials == 1


@pytest.mark.parametrize(
    ("enqueue", "part"),
    [
        ([{"z": 1}], "z is not searched; expected some of x, y"),
        ([{"x": 3}], "x=3: expected a value of choice(1,2)"),
        ([5], "expected a list of {KEY: VALUE}"),
        ({"x": 1}, "expected a list of {KEY: VALUE}"),
    ],
)
def test_bad_lists_are_refused(enqueue: Any, part: str) -> None:
    with pytest.raises(SweepError) as error:
        make_plan(settings(enqueue=enqueue), SPACE)
    assert str(error.value).startswith("hydra.sweeper.enqueue")
    assert part in str(error.value)


def test_a_single_value_of_what_the_list_sets_is_refused_by_its_own_name() -> None:
    fixed = replace(SPACE, fixed={"z": "5"})
    with pytest.raises(SweepError, match=r"^z=5: expected no value, or several; trials"):
        make_plan(settings(enqueue=[{"z": 1}]), fixed)
    plan = make_plan(settings(enqueue=[{"z": 1}], custom_search_space="a.b"), fixed)
    assert plan.configurations == ({"z": 1},)


def test_a_custom_search_space_may_know_other_keys() -> None:
    plan = make_plan(settings(enqueue=[{"z": 1}], custom_search_space="a.b"), SPACE)
    assert plan.configurations == ({"z": 1},)


def test_without_a_number_there_must_be_a_list() -> None:
    with pytest.raises(SweepError, match="hydra.sweeper.n_trials=null"):
        make_plan(settings(n_trials=None), SPACE)


@pytest.mark.parametrize(
    ("rate", "n_trials", "allowed"),
    [(0, 10, 0), (0.5, 10, 5), (0.29, 100, 29), (1, 10, 9), (1, 1, 0)],
)
def test_failures_allowed(rate: float, n_trials: int, allowed: int) -> None:
    plan = replace(make_plan(settings(), SPACE), n_trials=n_trials, max_failure_rate=rate)
    assert plan.failures_allowed == allowed


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("sampler", None),
        ("sampler", "random"),
        ("sampler", {"seed": 1}),
        ("pruner", "median"),
        ("pruner", {}),
    ],
)
def test_samplers_and_pruners_are_chosen_as_options(kind: str, value: Any) -> None:
    with pytest.raises(SweepError) as error:
        check_settings(settings(**{kind: value}))
    name = value if isinstance(value, str) else "NAME"
    assert str(error.value) == f"hydra.sweeper.{kind}={value}: expected hydra/sweeper/{kind}={name}"


@pytest.mark.parametrize("key", ["sampler", "n_trials", "enqueue"])
def test_a_setting_that_was_deleted_is_named(key: str) -> None:
    left = settings()
    del left[key]
    with pytest.raises(
        SweepError, match=f"^hydra.sweeper.{key}: is missing; expected a value or null$"
    ):
        check_settings(left)


def test_workers_are_counted_once() -> None:
    check_settings(settings(n_jobs=2, n_workers=2))
    with pytest.raises(
        SweepError, match="n_jobs=3 and hydra.sweeper.n_workers=2: expected one of them"
    ):
        check_settings(settings(n_jobs=3, n_workers=2))


@pytest.mark.parametrize("overrides", [[], ["x=1"], ["x=choice(1)", "y=interval(0,0)"]])
def test_nothing_to_search_is_refused(overrides: list[str]) -> None:
    space = SearchSpace.parse(overrides)
    with pytest.raises(SweepError, match="n_trials=20: nothing is searched"):
        make_plan(settings(), space)
    assert make_plan(settings(n_trials=1), space).n_trials == 1


def test_a_part_of_a_grid_is_told() -> None:
    plan = make_plan(settings(sampler=SAMPLERS["grid"], n_trials=4), SPACE)
    (note,) = trial_notes(plan, SPACE)
    assert note == (
        "hydra.sweeper.n_trials=4: of 6 configurations, only the first are tried, and the next "
        "in place of one that fails; "
        "hydra.sweeper.n_trials=null tries all"
    )


def test_a_list_beside_a_grid_is_refused() -> None:
    with pytest.raises(SweepError, match=r"enqueue: expected \[\]; a grid tries every configura"):
        make_plan(settings(sampler=SAMPLERS["grid"], enqueue=[{"x": 1}]), SPACE)


def test_repetitions_are_told() -> None:
    assert trial_notes(make_plan(settings(n_trials=6), SPACE), SPACE) == []
    assert trial_notes(make_plan(settings(sampler=SAMPLERS["grid"]), SPACE), SPACE) == []
    (few,) = trial_notes(make_plan(settings(n_trials=7), SPACE), SPACE)
    assert few.startswith("hydra.sweeper.n_trials=7, but there are only 6 configurations")
    whole, part = {"x": 1, "y": 2}, {"x": 1}
    (twice,) = trial_notes(
        make_plan(settings(enqueue=[whole, part, whole, part, whole], n_trials=6), SPACE), SPACE
    )
    assert twice == "hydra.sweeper.enqueue: x=1 y=2 is listed more than once and tried as often"


def test_a_grid_that_no_memory_holds_is_refused() -> None:
    space = SearchSpace.parse(["seed=range(1000000000)"])
    with pytest.raises(SweepError, match="grid: 1,000,000,000 combinations; expected at most"):
        make_plan(settings(sampler=SAMPLERS["grid"]), space)


def test_the_notes_of_a_large_grid_take_no_time_to_speak_of() -> None:
    space = SearchSpace.parse(["seed=range(300)", "x=range(300)"])
    plan = make_plan(settings(sampler=SAMPLERS["grid"], n_trials=None), space)
    assert trial_notes(plan, space) == []  # comparing each with each takes minutes
