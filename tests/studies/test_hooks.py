"""Small studies through the command line, seen in MLflow and Optuna afterwards."""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import mlflow
import optuna
import pytest
import yaml
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution
from optuna.study import StudyDirection

from benchmarks import fake_runs
from mnist_exp import run
from mnist_exp.errors import ConfigError
from mnist_exp.rerun import __main__ as rerun
from mnist_exp.studies import hooks
from mnist_exp.studies.trial import RUN_ID
from mnist_exp.sweeper.attributes import SPACE
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.storage import StudyStorage
from mnist_exp.sweeper.study import open_study
from mnist_exp.tracking.runs import Selection, Store
from mnist_exp.tuning.recorded import from_runs
from tests.support.waiting import LIMIT, until

SMALL = ["data.train_limit=200", "data.eval_limit=100", "preflight=off"]
SOFTMAX = ["hydra/sweeper=optuna_study", "model=softmax", "schedule.epochs=2", *SMALL]


def sweep(*overrides: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mnist_exp", "-m", *overrides]
    return subprocess.run(
        command, check=False, cwd=cwd, capture_output=True, text=True, timeout=LIMIT
    )


def mlflow_client(database: str = "mlflow.db") -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{Path(database).absolute()}")


def runs(role: str, database: str = "mlflow.db") -> list[Any]:
    client = mlflow_client(database)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return client.search_runs(
        experiments, f"tags.study_role = '{role}'", order_by=["attributes.start_time"]
    )


def study(name: str) -> optuna.Study:
    return optuna.load_study(study_name=name, storage="sqlite:///optuna.db")


@pytest.fixture(scope="module")
def small_study(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A folder with a study of four trials, the poor ones pruned."""
    folder = tmp_path_factory.mktemp("small")
    shutil.copy(empty_store, folder / "mlflow.db")
    done = sweep(
        *SOFTMAX,
        "hydra.sweeper.study_name=small",
        "hydra/sweeper/sampler=grid",
        "hydra/sweeper/pruner=threshold",
        "hydra.sweeper.pruner.lower=0.2",
        "optimizer=sgd,adam",
        "optimizer.learning_rate=1e-9,0.01",
        r"+tags.note=choice('it\'s a=b #1, null')",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    for line in (
        "To compare the trials: python -m mnist_exp.compare --study small",
        "To train the best settings in full: python -m mnist_exp best_of=small",
    ):
        assert line in done.stdout.splitlines()
    assert re.search(r"^trial \d COMPLETE, val/accuracy 0\.\d+, with ", done.stdout, re.MULTILINE)
    return folder


def test_the_command_for_the_best_settings_names_the_folder_of_the_images() -> None:
    _, best = hooks._commands("small", [], "my flowers").splitlines()
    assert best.endswith("python -m mnist_exp best_of=small \"data.dir='my flowers'\"")


@pytest.mark.parametrize(
    ("storage", "runs"),
    [
        ("mlflow.db", None),
        ("link/mlflow.db", None),
        ("optuna.db", "sqlite:///optuna.db"),
        ("optuna.db", "sqlite:///link/../optuna.db"),
    ],
)
def test_the_database_of_the_runs_is_none_of_a_study_before_it_has_tables(
    workdir: Path, storage: str, runs: str | None
) -> None:
    (workdir / "link").symlink_to(workdir)
    url = f"sqlite:///{workdir}/{storage}"
    tracking = hooks.StudyTracking()
    for name in ("mlflow.db", "optuna.db"):
        (workdir / name).unlink(missing_ok=True)
    with pytest.raises(SweepError, match="is the database of MLflow's runs; expected one of its"):
        tracking.check_storage(url, OmegaConf.create({"tracking": {"uri": runs}}))
    tracking.check_storage(url, OmegaConf.create({"tracking": {"uri": "sqlite:///other.db"}}))
    assert [path.name for path in workdir.iterdir()] == ["link"]


def test_a_study_that_goes_on_no_longer_says_that_its_process_died(workdir: Path) -> None:
    client = mlflow_client()
    run_id = client.create_run("0", tags={"failure_reason": "its process died"}).info.run_id
    for _ in range(2):
        assert hooks._reopen(client, run_id)
    assert "failure_reason" not in client.get_run(run_id).data.tags


@pytest.fixture
def finished(small_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small_study)


def test_a_study_is_a_parent_run_with_its_trials_below(finished: None) -> None:
    (parent,) = runs("study")
    trials = runs("trial")
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["study_name"] == "small"
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {parent.info.run_id}
    assert [run.data.tags["trial_number"] for run in trials] == ["0", "1", "2", "3"]
    states = {run.data.tags["trial_number"]: run.data.tags["trial_state"] for run in trials}
    assert states == {str(trial.number): trial.state.name for trial in study("small").trials}
    for run_ in trials:
        params = json.loads(run_.data.tags["trial_params"])
        assert run_.data.params["optimizer.learning_rate"] == str(params["optimizer.learning_rate"])
        status = {"COMPLETE": "FINISHED", "PRUNED": "KILLED"}[run_.data.tags["trial_state"]]
        assert run_.info.status == status
        steps = mlflow_client().get_metric_history(run_.info.run_id, "test/accuracy")
        is_complete = run_.data.tags["trial_state"] == "COMPLETE"  # else there is no last epoch
        assert [metric.step for metric in steps] == ([2] if is_complete else [])
    assert "PRUNED" in states.values()
    assert parent.data.metrics["study/pruned"] == list(states.values()).count("PRUNED")


def test_the_parent_has_the_best_trial_the_page_and_best_of_trains_it_again(finished: None) -> None:
    (parent,) = runs("study")
    best = study("small").best_trial
    assert parent.data.metrics["study/best_value"] == best.value
    assert json.loads(parent.data.tags["best.params"]) == best.params
    note = parent.data.tags["mlflow.note.content"]
    assert f"Best: val/accuracy **{best.value:.6g}** in trial {best.number}" in note
    assert "**Study small**: " in note
    assert "The page: artifact `study/tuning.html`." in note
    best_run = mlflow_client().get_run(parent.data.tags["best.run_id"])
    assert best_run.data.metrics["val/accuracy"] == best.value
    artifacts = mlflow_client().list_artifacts(parent.info.run_id, "study")
    names = {artifact.path.removeprefix("study/") for artifact in artifacts}
    assert names == {"trials.csv", "tuning.html"}
    again = run(["best_of=sma", "run_name=again"])  # no other study begins so
    assert again.val_accuracy == best.value
    tags = mlflow_client().get_run(again.run_id).data.tags
    assert tags["best_of"] == "small"
    assert tags["note"] == best_run.data.tags["note"] == "it's a=b #1, null"
    assert tags["config_hash"] == best_run.data.tags["config_hash"]
    with pytest.raises(ConfigError, match="best_of=smll: no such study; did you mean small"):
        run(["best_of=smll"])


def test_a_nan_cost_fails_its_trial_with_the_reason_and_not_the_sweep(workdir: Path) -> None:
    done = sweep(
        *SOFTMAX,
        "hydra.sweeper.study_name=not_a_number",
        "hydra/sweeper/sampler=grid",
        "hydra.sweeper.max_failure_rate=0.5",
        "optimizer.learning_rate=1e38,0.01",
    )
    assert done.returncode == 0, done.stderr
    assert "training stopped: the cost became" in done.stdout
    states = {run.data.tags["trial_state"]: run for run in runs("trial")}
    assert states.keys() == {"FAIL", "COMPLETE"}
    assert states["FAIL"].info.status == "FAILED"
    assert "the cost became" in states["FAIL"].data.tags["failure_reason"]


def test_commands_that_start_at_the_same_time_have_one_parent_run(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one starts, from beginning to end, when the first has just created its run."""
    plan = Plan(
        n_trials=1, configurations=(), directions=(StudyDirection.MINIMIZE,), max_failure_rate=0.0
    )
    space = SearchSpace.parse(["seed=1,2"])
    study = open_study(StudyStorage("sqlite:///optuna.db", heartbeat=60), "s", plan, space)
    config: Any = OmegaConf.create({"tracking": {"uri": None, "experiment": "mnist_exp"}})
    create, second = hooks._create_parent, [hooks.StudyTracking()]

    def create_slowly(*arguments: Any) -> str:
        run_id = create(*arguments)
        if second:
            second.pop().on_study_start(study, config)
        return run_id

    monkeypatch.setattr(hooks, "_create_parent", create_slowly)
    hooks.StudyTracking().on_study_start(study, config)
    (parent,) = runs("study")
    assert parent.info.run_id == study.user_attrs[RUN_ID]
    assert parent.info.status == "RUNNING"


@pytest.mark.parametrize("ends", [1, 2])
def test_a_trial_that_breaks_a_constraint_is_not_the_best_of_its_runs_either(
    workdir: Path, ends: int
) -> None:
    """Also where the run of such a trial was deleted before the study ended once more."""
    fakes = fake_runs.FakeRuns(workdir)
    study = optuna.create_study(study_name="limited", direction="maximize")
    study.set_user_attr(RUN_ID, fakes.study("limited"))
    study.set_user_attr(SPACE, {})
    for number, (value, constraint) in enumerate([(0.9, 1.0), (0.8, -1.0), (0.7, 0.0), (0.6, 1.0)]):
        tried = study.ask({"init": CategoricalDistribution(["zeros", "glorot"])})
        tags = fake_runs.trial("limited", number, "init")
        run_id = fakes.add(0, 0.1, tags=tags, **{"val/accuracy": value})  # type: ignore[arg-type]
        tried.set_user_attr(RUN_ID, run_id)
        tried.set_constraint("c", constraint)
        study.tell(tried, value)
    config: Any = OmegaConf.create(
        {"tracking": {"uri": None}, "objective": ["val/accuracy"], "data": {"dir": None}}
    )
    for _ in range(ends):
        hooks.StudyTracking().on_study_end(study, config)
        fakes.client.delete_run(run_id)
    found = from_runs(Store(), Store().select(Selection(study="limited")), "limited")
    assert [one.is_feasible for one in found.trials] == [False, True, True]


BAD_KEY_FIRST = """
def draw(config, trial):
    if trial.number == 0:
        trial.suggest_int("nosuchkey", 0, 1)
"""


@pytest.mark.slow
def test_the_direction_follows_from_the_objective(workdir: Path) -> None:
    objectives = "objective=[val/cost,val/accuracy,time/training_seconds]"
    done = sweep(*SOFTMAX, objectives, "hydra.sweeper.n_trials=1", "hydra.sweeper.study_name=two")
    assert done.returncode == 0, done.stderr
    directions = [direction.name for direction in study("two").directions]
    assert directions == ["MINIMIZE", "MAXIMIZE", "MINIMIZE"]


@pytest.mark.slow
def test_a_trial_without_a_config_fails_in_the_store_of_its_study(workdir: Path) -> None:
    Path("mlflow.db").rename("own.db")
    Path("own_space.py").write_text(BAD_KEY_FIRST)
    done = sweep(
        *SOFTMAX,
        "seed=choice(0,1)",
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.max_failure_rate=0.5",
        "hydra.sweeper.custom_search_space=own_space.draw",
        "tracking.uri=sqlite:///own.db",
    )
    assert done.returncode == 0, done.stderr
    assert not Path("mlflow.db").exists()
    (parent,) = runs("study", "own.db")
    failed, *finished = runs("trial", "own.db")
    assert (failed.info.run_name, failed.info.status) == ("trial-0", "FAILED")
    assert failed.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert "nosuchkey" in failed.data.tags["failure_reason"]
    assert [trial.info.status for trial in finished] == ["FINISHED"] * 2


@pytest.mark.slow
def test_a_value_that_cannot_be_is_refused_before_the_first_trial(workdir: Path) -> None:
    for overrides, said in [
        (["optimizer.learning_rate=interval(-1,1)"], "optimizer.learning_rate=-1"),
        (
            ["loss=choice(cross_entropy,cross)"],
            "loss=cross: no such option; did you mean loss=cross_entropy or ",
        ),
    ]:
        done = sweep(*SOFTMAX, *overrides)
        assert done.returncode == 1
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2
    assert runs("trial") == []


def test_another_application_is_told_that_its_studies_need_other_hooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    if (
        "absl.logging" in sys.modules
    ):  # TensorFlow's; it closes pytest's stream when Hydra configures logging
        monkeypatch.setattr(
            sys.modules["absl.logging"].PythonHandler, "close", logging.StreamHandler.close
        )
    (tmp_path / "config.yaml").write_text(
        "defaults: [{override hydra/sweeper: optuna_study}]\nx: 1\n"
    )
    hooks = "hydra.sweeper.hooks=mnist_exp.studies.hooks.StudyTracking"
    monkeypatch.setattr("sys.argv", ["app.py", "-m", "x=1,2", hooks])
    with pytest.raises(SystemExit, match="1"):
        hydra.main(config_path=str(tmp_path), config_name="config")(lambda _: 0.0)()
    assert capsys.readouterr().err.startswith(
        f"{hooks}: it tracks runs of mnist_exp only; expected "
    )
    assert not (tmp_path / "mlflow.db").exists()


WATCHED = """
import runpy, sys
try:
    runpy.run_module("mnist_exp", run_name="__main__")
finally:
    print("tensorflow" in sys.modules, "keras" in sys.modules)
"""


@pytest.mark.slow
def test_trials_go_on_from_their_checkpoints_and_the_parent_needs_no_tensorflow(
    workdir: Path,
) -> None:
    """All processes are killed within a trial: it goes on as one MLflow run, each epoch once."""
    command = [
        sys.executable,
        "-c",
        WATCHED,
        "-m",
        "hydra/sweeper=optuna_study",
        "hydra/launcher=joblib",
    ]
    command += ["model=softmax", "data.eval_limit=100", "preflight=off", "schedule.epochs=40"]
    command += ["seed=range(2)", "hydra.sweeper.n_trials=2", "checkpoint.every_seconds=0.2"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    checkpoints = Path("outputs/checkpoints")

    def begun() -> set[str]:
        """Runs with a checkpoint after their first step."""
        found = checkpoints.glob("*/0*.[01]")
        return {path.parent.name for path in found if not path.name.startswith("0" * 9)}

    until(begun, "a checkpoint")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    goes_on = begun()
    started = set(Path("multirun").rglob("output.txt"))
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False False"
    trials = [trial for trial in runs("trial") if trial.info.status == "FINISHED"]
    assert sorted(trial.data.tags["trial_number"] for trial in trials) == ["0", "1"]
    assert goes_on <= {trial.info.run_id for trial in trials}
    for trial in trials:
        history = mlflow_client().get_metric_history(trial.info.run_id, "train/cost")
        assert sorted(metric.step for metric in history) == list(range(1, 41))
    assert any("Resuming run" in path.read_text() for path in Path("multirun").rglob("output.txt"))
    assert not list(checkpoints.glob("*/0*"))  # nobody needs them any more
    (folder,) = {path.parent.parent for path in set(Path("multirun").rglob("output.txt")) - started}
    assert (folder / "0" / ".hydra" / "config.yaml").exists()  # one folder for all workers


SWEEPS = {
    "variants": ["schedule.max_steps=2", "hydra.sweeper.n_trials=4"],
    "loss_bug": ["schedule.max_steps=20", "hydra.sweeper.n_trials=4"],
    "cnn3x3_tuning": ["schedule.epochs=1", "hydra.sweeper.n_trials=3"],
    "bridge": ["bridge.epochs=0.5", "bridge.seeds=1"],
    "precision": ["schedule.max_steps=2", "hydra.sweeper.n_trials=4"],
    "cost_accuracy": ["hydra.sweeper.n_trials=3"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SWEEPS)
def test_each_shipped_sweep_runs(workdir: Path, name: str) -> None:
    overrides = [f"sweeps={name}", "hydra/launcher=basic", *SMALL, *SWEEPS[name]]
    done = sweep(*overrides)
    assert done.returncode == 0, done.stderr
    (parent,) = runs("study")
    assert parent.data.tags["study_name"].startswith(name)
    assert parent.data.metrics["study/complete"] >= 2
    results = yaml.safe_load(next(Path("multirun").rglob("optimization_results.yaml")).read_text())
    assert results["solutions"] if name == "cost_accuracy" else results["best_params"]


@pytest.mark.parametrize("ask", [lambda: run(["best_of=x"]), lambda: rerun.rerun("a" * 32, None)])
def test_asking_for_runs_in_an_empty_folder_makes_nothing(
    ask: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(
        ConfigError, match=f"^no runs here: there is no database {tmp_path}/mlflow.db"
    ):
        ask()
    assert list(tmp_path.iterdir()) == []
