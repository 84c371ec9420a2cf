"""Whole sweeps: how they are refused, stopped, killed and gone on with."""

import os
import re
import signal
import sqlite3
from pathlib import Path

import optuna
import pytest
from omegaconf import DictConfig, OmegaConf

from tests.support.sweeps import apps
from tests.support.waiting import LIMIT
from tests.sweeper.conftest import Sweep


@pytest.mark.first_cases(5)
@pytest.mark.parametrize(
    ("overrides", "pattern"),
    [
        (["x=range(3,3)"], r"x=range\(3,3\): expected at least one value"),
        (
            ["x=1,2", "hydra.sweeper.direction=up"],
            r"hydra.sweeper.direction=up: expected minimize or maximize",
        ),
        (
            ["x=1,2", "hydra.sweeper.n_trials=0"],
            r"hydra.sweeper.n_trials=0: expected a whole number >= 1",
        ),
        (["x=1,2", "hydra.sweeper.enqueue=[{y:1}]"], r"hydra.sweeper.enqueue: y is not searched"),
        (
            ["x=1,2", "hydra.sweeper.storage=sqlite:///mlflow.db"],
            r"mlflow.db: holds MLflow's tables",
        ),
        (
            ["x=1,2", "hydra.sweeper.storage=postgresql+psycopg://u:secret@localhost:1/d"],
            r"u:\*\*\*@localhost",
        ),
        (
            ["x=1,2", "hydra.sweeper.custom_search_space=sweeper.nosuch"],
            r"custom_search_space=sweeper.nosuch",
        ),
        (
            ["x=1,2", "hydra.sweep.dir=/proc/nope"],
            r"^hydra.sweep.dir=/proc/nope: expected a folder to write to \(No",
        ),
        (
            ["x=1,2", "hydra.sweep.dir=config.yaml"],
            r"^hydra.sweep.dir=config.yaml: expected a folder to write to",
        ),
        (
            ["x=1,2", "hydra.sweeper.storage=postgresql://u:secret@h:abc/d"],
            r"^hydra.sweeper.storage=postgresql://u:\*\*\*@h:abc/d: .*; a port is a whole number$",
        ),
        (
            ["x=1,2", "hydra.sweeper.sampler._target_=os.system"],
            r"^hydra.sweeper.sampler: .*os.system.*\)$",
        ),
        (["x=1,2", "hydra.sweeper.hooks=os.getcwd"], r"hydra.sweeper.hooks=os.getcwd"),
        (
            ["x=interval(0,1)", "hydra/sweeper/sampler=grid"],
            r"x: expected a choice or a range for a grid",
        ),
        (["x=1,2", "+hydra.sweeper.sampler.nosuch=1"], r"hydra.sweeper.sampler.nosuch=1: "),
        (
            ["x=1,2", "hydra.sweeper.direction=[minimize,maximize]", "hydra/sweeper/pruner=median"],
            r"hydra.sweeper.pruner: MedianPruner does nothing in a study of 2 objectives",
        ),
        (["x=3"], r"hydra.sweeper.n_trials=20: nothing is searched"),
    ],
)
def test_refused_before_the_first_trial(sweep: Sweep, overrides: list[str], pattern: str) -> None:
    with sqlite3.connect("mlflow.db") as connection:
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
    assert re.search(pattern, sweep.refused(apps.sphere, *overrides))
    assert sweep.states == []


@pytest.mark.parametrize(
    "overrides",
    [
        ["x=choice(1,2)", "nosuch=1"],
        ["model=choice({lr:2},{nosuch:3})"],
        ["x=1,2", "hydra/launcher=nosuch"],
    ],
)
def test_what_hydra_cannot_compose_is_refused_in_its_own_words(
    sweep: Sweep, overrides: list[str]
) -> None:
    """For a bad value of a choice, too, before the first trial."""
    assert "nosuch" in sweep.refused(apps.sphere, *overrides, most_lines=30)
    assert sweep.states == []


def test_what_is_unusual_is_told_before_the_first_trial(sweep: Sweep) -> None:
    overrides = ("hydra.sweeper.n_trials=3", "hydra.sweeper.n_workers=2", "hydra.sweep.subdir=same")
    sweep(apps.sphere, "x=1,2", *overrides)
    notes = [
        line for line in sweep.output.split("trial 0")[0].splitlines() if line.startswith("note: ")
    ]
    assert "n_trials=3, but there are only 2 configurations" in notes[0]
    assert "n_workers=2, but hydra/launcher=basic runs one" in notes[1]
    assert "hydra.sweep.subdir=same: all trials write into this one folder" in notes[2]
    assert len(notes) == 3


def test_the_number_of_trials_is_the_total_of_all_runs(sweep: Sweep) -> None:
    study = sweep(apps.sphere, "x=interval(1,2)", n_trials=2, output="one")
    assert len(study.trials) == 2
    study = sweep(apps.sphere, "x=interval(1,2)", n_trials=3, output="two")
    assert sweep.states == ["COMPLETE"] * 3
    assert "2 of 3 trials are done" in sweep.output
    assert not (sweep.folder / "two" / "1").exists()
    study = sweep(apps.sphere, "x=interval(1,2)", n_trials=3, output="three")
    assert sweep.states == ["COMPLETE"] * 3
    assert "all 3 trials are done; none is started" in sweep.output
    results = OmegaConf.load(sweep.folder / "three" / "optimization_results.yaml")
    assert results == {
        "name": "optuna",
        "best_params": study.best_params,
        "best_value": study.best_value,
    }


def test_a_changed_search_space_is_refused(sweep: Sweep) -> None:
    named = ("hydra.sweeper.study_name=named", "hydra.sweeper.n_trials=1")
    sweep(apps.sphere, "x=1,2", "y=3", *named)
    message = sweep.refused(apps.sphere, "x=1,2,3", "y=4", *named)
    assert message.startswith(
        "study named has other settings: x: choice(1,2) -> choice(1,2,3); y: 3 -> 4\n"
    )
    assert sweep.states == ["COMPLETE"]


def test_another_primary_config_is_refused(sweep: Sweep) -> None:
    (sweep.folder / "large.yaml").write_text(apps.CONFIG)
    sweep(apps.sphere, "x=1,2", n_trials=1)
    sweep(apps.sphere, "x=1,2", "--config-name=config.yaml", n_trials=1)
    message = sweep.refused(apps.sphere, "x=1,2", "--config-name=large", n_trials=1)
    assert re.match(r"study app-\w+: --config-name: config -> large\nExpected the same", message)


def test_pruned_trials_count(sweep: Sweep) -> None:
    study = sweep(
        apps.pruned,
        "x=1.0,2.0",
        "hydra.sweeper.pruner.upper=5.5",
        sampler="grid",
        pruner="threshold",
    )
    assert sweep.states == ["COMPLETE", "PRUNED"]
    assert study.trials[1].intermediate_values == {1: 2.0, 2: 4.0, 3: 6.0}
    assert "1 complete, 1 pruned" in sweep.output


def draws_two(config: DictConfig, trial: optuna.Trial) -> None:
    """Parameters one after the other, between which a worker dies, or is interrupted, once."""
    trial.suggest_float("x", 0, 1)
    if config.model.name != "plain" and not Path("died").exists():
        Path("died").touch()
        for _ in range(2):  # a second Ctrl-C is not held back
            os.kill(os.getpid(), getattr(signal, config.model.name))
    trial.suggest_float("y", 0, 1)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("signum", ["SIGKILL", "SIGINT"])
def test_what_a_trial_draws_depends_on_seed_and_number_alone(folder: Path, signum: str) -> None:
    """Also when its worker ends between two parameters."""
    settings = (
        "hydra.sweeper.n_trials=2",
        "hydra/sweeper/sampler=random",
        "hydra.sweeper.sampler.seed=7",
    )
    space = f"hydra.sweeper.custom_search_space={__name__}.draws_two"
    drawn = []
    for name in ("plain", signum):
        here = folder / name
        here.mkdir()
        while apps.start(apps.sphere, here, "z=0", f"model.name={name}", space, *settings).wait(
            LIMIT
        ):
            assert (here / "died").exists(), (here / "terminal.txt").read_text()
        drawn.append([trial.params for trial in apps.study(here).trials])
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 2


def test_what_is_enqueued_is_tried_first(sweep: Sweep) -> None:
    study = sweep(
        apps.sphere, "x=interval(1,2)", "y=1,2", n_trials=3, enqueue="[{x:1.25,y:2},{y:1}]"
    )
    assert study.trials[0].params == {"x": 1.25, "y": 2}
    assert study.trials[1].params["y"] == 1
    assert len(study.trials) == 3


def test_a_database_that_takes_no_trials_is_told(sweep: Sweep) -> None:
    sweep(apps.sphere, "x=1,2", n_trials=2)
    with sqlite3.connect("optuna.db") as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON trials BEGIN SELECT RAISE(ABORT, 'not here'); END"
        )
    told = sweep.refused(apps.sphere, "x=1,2", n_trials=3)
    assert re.search(r"hydra.sweeper.storage=sqlite:.*: cannot be used \(not here\)", told)
