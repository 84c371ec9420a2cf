"""The official plugin's configs build Optuna's samplers; draws depend on seed and number."""

import warnings
from importlib.util import find_spec
from typing import Any

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.study import StudyDirection
from optuna.trial import create_trial

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.samplers import (
    build_pruner,
    build_sampler,
    check_pruner,
    check_sampler,
    is_grid,
    targets,
)
from mnist_exp.sweeper.settings import PRUNERS, SAMPLERS
from mnist_exp.sweeper.space import SearchSpace

NEEDED = {"cmaes": "cmaes", "gp": "torch"}  # packages of the extra `samplers`
MISSING = [name for name, package in NEEDED.items() if find_spec(package) is None]
MINIMIZE, BOTH = [StudyDirection.MINIMIZE], [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]
OFFICIAL = "hydra_plugins.hydra_optuna_sweeper._impl"


def config(name: str, **changed: Any) -> Any:
    return OmegaConf.create({**SAMPLERS[name], **changed})


@pytest.mark.parametrize("name", ["tpe", "random", "nsgaii", "nsgaiii", "qmc"])
def test_samplers_draw_from_a_range_that_leaves_its_stop_out(name: str) -> None:
    space = SearchSpace.parse(["a=range(1,3)", "b=range(0.0,1.0,0.5)"])
    study = optuna.create_study()
    drawn = set()
    for number in range(12):
        study.sampler = build_sampler(config(name, seed=1), number)
        trial = study.ask(space.distributions)
        drawn.add((trial.params["a"], trial.params["b"]))
        study.tell(trial, number)
    assert drawn == {(a, b) for a in (1, 2) for b in (0.0, 0.5)}


def draws(name: str, seed: int | None, number: int) -> dict[str, Any]:
    """What a worker draws for a trial after the same three others."""
    space = SearchSpace.parse(["a=interval(0.0,1.0)"]).distributions
    study = optuna.create_study(sampler=build_sampler(config(name, seed=seed), number))
    for value in (0.1, 0.2, 0.3):
        study.add_trial(create_trial(params={"a": value}, distributions=space, value=value))
    return study.ask(space).params


@pytest.mark.parametrize("name", ["tpe", "random", "nsgaii"])
def test_draws_depend_on_the_seed_and_the_number(name: str) -> None:
    assert draws(name, 0, 3) == draws(name, 0, 3)
    assert draws(name, 0, 3) != draws(name, 0, 4)
    assert draws(name, 0, 3) != draws(name, 1, 3)
    assert draws(name, None, 3) != draws(name, None, 3)


def test_qmc_goes_through_one_sequence() -> None:
    study = optuna.create_study()
    points = []
    for number in range(9):
        study.sampler = build_sampler(config("qmc", seed=0), number)
        trial = study.ask(SearchSpace.parse(["a=interval(0.0,1.0)"]).distributions)
        points.append(trial.params["a"])
        study.tell(trial, 0)
    # The first trial is random: there is no space before it.
    assert sorted(points[1:]) == [i / 8 for i in range(8)]


@pytest.mark.parametrize("name", ["qmc", "grid"])
def test_what_a_seeded_sampler_draws_beside_its_points_differs_from_trial_to_trial(
    name: str,
) -> None:
    def draw(number: int) -> float:
        study = optuna.create_study(sampler=build_sampler(config(name, seed=0), number))
        return study.ask().suggest_float("conditional", 0, 1)

    assert len({draw(number) for number in range(5)}) == 5
    assert draw(3) == draw(3)


@pytest.mark.parametrize("function", ["create_nsgaii_sampler", "create_nsgaiii_sampler"])
def test_configs_of_the_official_plugin_work_without_it(function: str) -> None:
    official = OmegaConf.create({"_target_": f"{OFFICIAL}.{function}", "seed": 1, "mutation": None})
    assert isinstance(build_sampler(official, 0), optuna.samplers.BaseGASampler)


def test_the_official_config_of_motpe_is_told_what_took_its_place() -> None:
    official = OmegaConf.create(
        {"_target_": "hydra_plugins.hydra_optuna_sweeper.config.raise_motpe_removed"}
    )
    with pytest.raises(SweepError, match="hydra/sweeper/sampler=tpe"):
        build_sampler(official, 0)


def test_nested_objects_and_arrays() -> None:
    crossover = {"_target_": "optuna.samplers.nsgaii.SBXCrossover"}
    points = [[0.0, 1.0], [1.0, 0.0]]
    sampler: Any = build_sampler(config("nsgaiii", crossover=crossover, reference_points=points), 0)
    assert sampler._elite_population_selection_strategy._reference_points.tolist() == points
    assert isinstance(
        sampler._child_generation_strategy._crossover, optuna.samplers.nsgaii.SBXCrossover
    )


def test_grid_needs_no_sampler() -> None:
    assert is_grid(config("grid"))
    assert not is_grid(config("tpe"))
    assert isinstance(build_sampler(config("grid"), 0), optuna.samplers.RandomSampler)


def test_experimental_settings_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_sampler(config("tpe", multivariate=True, group=True, seed=1), 0)


@pytest.mark.parametrize("name", sorted(PRUNERS))
def test_every_pruner_is_built(name: str) -> None:
    lower = {"lower": 0.0} if name == "threshold" else {}
    assert isinstance(
        build_pruner(OmegaConf.create({**PRUNERS[name], **lower})), optuna.pruners.BasePruner
    )


def test_no_pruner() -> None:
    assert isinstance(build_pruner(None), optuna.pruners.NopPruner)


@pytest.mark.parametrize(
    "bad",
    [
        {"_target_": "optuna.samplers.NoSuchSampler"},
        {"_target_": "optuna.samplers.TPESampler", "no_such_setting": 1},
        {"_target_": "os.getcwd"},
    ],
)
def test_bad_samplers_are_refused_in_one_line(bad: dict[str, Any]) -> None:
    with pytest.raises(SweepError, match=r"^hydra.sweeper.sampler(.no_such_setting=1)?: [^\n]+$"):
        build_sampler(OmegaConf.create(bad), 0)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("tpe", "seed", "abc"),
        ("tpe", "seed", 1.5),
        ("random", "seed", -1),
        ("qmc", "seed", 2**32),
        ("grid", "seed", "abc"),
        ("tpe", "n_startup_trials", -5),
        ("tpe", "n_startup_trials", "many"),
        ("tpe", "n_ei_candidates", 0),
        ("tpe", "multivariate", "perhaps"),
        ("nsgaii", "population_size", 1),
        ("nsgaii", "crossover_prob", 1.5),
        ("nsgaiii", "crossover", "abc"),
        ("qmc", "qmc_type", "nosuch"),
        ("tpe", "nosuch", 1),
    ],
)
def test_a_wrong_setting_of_a_sampler_is_named(name: str, key: str, value: Any) -> None:
    with pytest.raises(SweepError, match=rf"^hydra.sweeper.sampler.{key}={value}: [^\n]+$"):
        build_sampler(config(name, **{key: value}), 0)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("median", "n_startup_trials", -5),
        ("median", "n_warmup_steps", "abc"),
        ("percentile", "percentile", 101),
        ("percentile", "percentile", "abc"),
        ("hyperband", "reduction_factor", 1),
        ("successive_halving", "min_resource", "abc"),
        ("wilcoxon", "p_threshold", 2),
    ],
)
def test_a_wrong_setting_of_a_pruner_is_named(name: str, key: str, value: Any) -> None:
    with pytest.raises(SweepError, match=rf"^hydra.sweeper.pruner.{key}={value}: [^\n]+$"):
        build_pruner(OmegaConf.create({**PRUNERS[name], key: value}))


SPACE = SearchSpace.parse(["a=interval(0.0,1.0)", "b=range(0,3)", "c=choice(x,y)"])


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_runs_or_its_package_is_named(name: str) -> None:
    """Past its start-up trials, when the last of them import what they need."""
    quick = {"n_startup_trials": 2} if "n_startup_trials" in SAMPLERS[name] else {}
    if name in MISSING:
        with pytest.raises(
            SweepError, match=f"Sampler needs the package {NEEDED[name]}, which is not installed"
        ):
            check_sampler(config(name), SPACE, MINIMIZE)
        return
    if name == "motpe":
        with pytest.raises(
            SweepError, match="expected hydra/sweeper/sampler=tpe, which takes several objectives"
        ):
            check_sampler(config(name), SPACE, MINIMIZE)
        return
    check_sampler(config(name, seed=0), SPACE, MINIMIZE)
    study = optuna.create_study()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(5):
            study.sampler = build_sampler(config(name, seed=0, **quick), number)
            trial = study.ask(dict(SPACE.distributions))
            study.tell(trial, trial.params["a"])
    assert len(study.trials) == 5


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_package_is_named_before_the_first_trial(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(SweepError, match=f"`pip install {NEEDED[name]}` installs it$"):
        check_sampler(config(name), SPACE, MINIMIZE)


@pytest.mark.skipif("cmaes" in MISSING, reason="needs the package cmaes")
def test_a_sampler_that_cannot_have_several_objectives_is_refused() -> None:
    with pytest.raises(
        SweepError, match="hydra.sweeper.sampler: CmaEsSampler cannot sample this study"
    ):
        check_sampler(config("cmaes"), SPACE, BOTH)


@pytest.mark.parametrize("name", sorted(PRUNERS))
def test_every_pruner_decides_on_a_trial(name: str) -> None:
    lower = {"lower": 0.0} if name == "threshold" else {}
    settings = OmegaConf.create({**PRUNERS[name], **lower})
    check_pruner(settings, MINIMIZE)
    study = optuna.create_study(
        pruner=build_pruner(settings), sampler=optuna.samplers.RandomSampler(seed=0)
    )
    for _ in range(4):
        trial = study.ask()
        for step in range(4):
            trial.report(float(step), step)
            trial.should_prune()
        study.tell(trial, 0.0)
    if name == "none":
        check_pruner(settings, BOTH)
    else:
        with pytest.raises(
            SweepError,
            match="hydra.sweeper.pruner: .*Pruner does nothing in a study of 2 objectives",
        ):
            check_pruner(settings, BOTH)


def feasible(trial: object) -> tuple[float]:
    return (0.0,)


def test_own_functions_in_a_sampler() -> None:
    own = {"_target_": f"{__name__}.feasible", "_partial_": True}
    sampler: Any = build_sampler(config("tpe", constraints_func=own), 0)
    assert sampler._constraints_func(None) == (0.0,)
    got = {"_target_": "hydra.utils.get_method", "path": f"{__name__}.feasible"}
    sampler = build_sampler(config("tpe", constraints_func=got), 0)
    assert sampler._constraints_func(None) == (0.0,)
    assert targets(config("tpe", constraints_func=got))[1:] == [*got.values()]
    with pytest.raises(
        SweepError,
        match=r"sampler.constraints_func=.*: cannot be used "
        r"\(.*not in the Hydra execution whitelist",
    ):
        check_sampler(config("tpe", constraints_func=own), SPACE, MINIMIZE, allowed=())
