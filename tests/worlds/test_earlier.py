"""What the first version left in a folder, which was moved since, is still of use.

`earlier/store.tar.xz` was made by version 0.1.0. It holds two finished runs with a model, a study
of three trials, and a run that was killed in epoch 6 of 12, with its checkpoint.
"""

import tarfile
from pathlib import Path

import mlflow
import pytest
from hydra.utils import get_object

from mnist_exp.config.tree import EXECUTION_WHITELIST
from mnist_exp.studies.hooks import StudyTracking
from tests.support.runs import output_of

SOFTMAX, MLP, KILLED = (
    "e382344a869440aca54b091e2ea5b788",
    "92798079b6ee40b19fdbb9ef3068b623",
    "0cede27ad84140878b4aa084ce5412f3",
)
SMALL = (
    "model=softmax",
    "init=zeros",
    "preflight=off",
    "data.train_limit=400",
    "data.eval_limit=200",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder as somebody else has it, under another name."""
    there = tmp_path / "my runs (2)"
    with tarfile.open(Path(__file__).parent / "earlier" / "store.tar.xz") as archive:
        archive.extractall(there, filter="data")
    return there


@pytest.mark.slow
def test_earlier_runs_are_compared_and_predicted_with(folder: Path) -> None:
    rates = ("mnist_exp.compare", "--study", "rates")
    assert "learning_rate=0.07236" in output_of(folder, *rates)
    assert "log scale" in (folder / "tuning.html").read_text()
    assert "learning_rate=0.07236" in output_of(folder, *rates, "--metric", "test/accuracy")
    assert (folder / "compare.html").is_file()
    assert f"run {SOFTMAX}" in output_of(
        folder, "mnist_exp.predict", "--run", SOFTMAX, "--index", "7", "--trust"
    )
    assert (folder / "predict-test-7.png").is_file()


@pytest.mark.slow
def test_an_earlier_run_that_was_killed_goes_on(folder: Path) -> None:
    output_of(folder, "mnist_exp", f"resume={KILLED}")
    run = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").get_run(KILLED)
    assert run.info.status == "FINISHED"
    steps = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").get_metric_history(
        KILLED, "train/cost"
    )
    assert [metric.step for metric in steps] == list(range(1, 13))


@pytest.mark.slow
def test_an_earlier_run_is_trained_again_from_its_record(folder: Path) -> None:
    # Another kind of processor rounds sums otherwise: the rerun is then not identical, exit code 1.
    report = output_of(folder, "mnist_exp.rerun", MLP, exit_codes=(0, 1))
    assert f"first run  {MLP}" in report
    assert "train/cost" in report


PACKAGE = "mnist_exp"  # apart from the names: they are no longer those of modules


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("earlier_files.EarlierFiles", "config.earlier_files.EarlierFiles"),
        ("search_spaces.optimizers", "studies.search_spaces.optimizers"),
        ("study_tracking.StudyTracking", "studies.hooks.StudyTracking"),
    ],
)
def test_earlier_names_in_yaml_files_are_understood(earlier: str, now: str) -> None:
    earlier, now = f"{PACKAGE}.{earlier}", f"{PACKAGE}.{now}"
    assert get_object(earlier) is get_object(now)
    assert earlier in EXECUTION_WHITELIST
    assert StudyTracking().present_name(earlier) == StudyTracking().present_name(now) == now


@pytest.mark.slow
def test_a_study_that_recorded_an_earlier_name_goes_on(workdir: Path) -> None:
    """It goes on with the earlier name, and with the present one."""
    setting = "hydra.sweeper.custom_search_space="
    own_callback = f"+hydra.callbacks.own._target_={PACKAGE}.earlier_files.EarlierFiles"
    command = ["-m", *SMALL, "schedule.max_steps=2", "hydra/sweeper=optuna_study", own_callback]
    command += ["optimizer=adamw,momentum", "hydra.sweeper.study_name=tuned"]
    for n_trials, name in enumerate(("search_spaces", "search_spaces", "studies.search_spaces"), 1):
        hooks = f"hydra.sweeper.hooks={PACKAGE}.study_tracking.StudyTracking"
        space = f"{setting}{PACKAGE}.{name}.optimizers"
        n = f"hydra.sweeper.n_trials={n_trials}"
        assert f"{n_trials}/{n_trials} done" in output_of(
            workdir, PACKAGE, *command, hooks, space, n
        )


@pytest.mark.slow
@pytest.mark.parametrize("hooks", ["studies.hooks", "study_tracking"])
def test_an_earlier_study_goes_on_and_its_best_trial_is_trained(folder: Path, hooks: str) -> None:
    more = output_of(
        folder,
        "mnist_exp",
        "-m",
        *SMALL,
        "schedule.batch_size=50",
        "schedule.epochs=1",
        "hydra/sweeper=optuna_study",
        "hydra.sweeper.n_trials=4",
        "hydra.sweeper.study_name=rates",
        "hydra.sweeper.sampler.seed=0",
        "optimizer.learning_rate=tag(log, interval(1e-4,1e-1))",
        f"hydra.sweeper.hooks={PACKAGE}.{hooks}.StudyTracking",
        "hydra.sweeper.direction=maximize",
    )
    assert "4/4 done" in more
    assert "test accuracy" in output_of(folder, "mnist_exp", "best_of=rates")
