"""The same study through every launcher: workers start with nothing of the command's state."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import mlflow
import optuna
import pytest

from tests.support.surroundings import skip_unless_required
from tests.support.sweeps import studies
from tests.support.waiting import LIMIT

PACKAGES = {
    "ray": "hydra_plugins.hydra_ray_launcher",
    "submitit": "hydra_plugins.hydra_submitit_launcher",
}
LAUNCHERS = [
    "joblib",
    pytest.param("submitit_local", marks=[pytest.mark.submitit, pytest.mark.slow]),
    pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow]),
]


@pytest.fixture(params=LAUNCHERS)
def launcher(request: pytest.FixtureRequest) -> str:
    """`submitit_local` stands in for `submitit_slurm`: a process runs the same pickled job."""
    name = str(request.param)
    marker = name.split("_")[0]
    if marker in PACKAGES and importlib.util.find_spec(PACKAGES[marker]) is None:
        skip_unless_required(marker, f"{PACKAGES[marker]} is not installed")
    return name


def test_a_study_on_every_launcher(tmp_path: Path, launcher: str) -> None:
    """A median pruner gives up what is above the median of the first two trials."""
    url = f"sqlite:///{tmp_path}/optuna.db"
    sweep = studies.Sweep(
        tmp_path,
        url,
        f"hydra/launcher={launcher}",
        "hydra.sweeper.n_workers=2",
        "hydra.sweeper.n_trials=8",
        "hydra/sweeper/pruner=median",
        "hydra.sweeper.pruner.n_startup_trials=2",
        "hydra.sweeper.enqueue=[{x:0.1},{x:0.1},{x:0.9},{x:0.8}]",
        "steps=2",
        "seconds=0.4",
    )
    sweep.wait()
    trials = studies.assert_exactly(url, 8)
    assert len(studies.workers(trials)) == 2
    assert "PRUNED" in {trial.state.name for trial in trials}
    (folder,) = tmp_path.glob("multirun/*/*")
    assert {path.name for path in folder.iterdir()} >= {
        "optimization_results.yaml",
        *map(str, range(8)),
    }


@pytest.mark.slow
def test_mnist_on_every_launcher(workdir: Path, launcher: str) -> None:
    command = [
        *(
            sys.executable,
            "-m",
            "mnist_exp",
            "-m",
            "hydra/sweeper=optuna_study",
            f"hydra/launcher={launcher}",
        ),
        *(
            "hydra.sweeper.study_name=mnist",
            "hydra.sweeper.n_trials=4",
            "hydra.sweeper.direction=maximize",
        ),
        *(
            "model=softmax",
            "optimizer.learning_rate=tag(log, interval(1e-3,1e-1))",
            "schedule.epochs=1",
        ),
        *("data.train_limit=500", "data.eval_limit=100", "preflight=off"),
    ]
    done = subprocess.run(
        command,
        check=False,
        env=studies.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stdout.decode()
    trials = optuna.load_study(
        study_name="mnist", storage=f"sqlite:///{workdir}/optuna.db"
    ).get_trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 4
    assert len(studies.workers(trials)) == 2
    runs = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db").search_runs(["1"])
    accuracies = {
        run.data.metrics["val/accuracy"] for run in runs if "val/accuracy" in run.data.metrics
    }
    assert accuracies == {trial.value for trial in trials}
