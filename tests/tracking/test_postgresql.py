"""Tracking on a PostgreSQL server, beside a study in a database of its own.

Both programs own a table of the same name.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import optuna
import pytest

from benchmarks.postgresql import Server
from tests.support.waiting import LIMIT

SWEEP = [
    *(sys.executable, "-m", "mnist_exp", "-m", "hydra/sweeper=optuna_study"),
    *("hydra/launcher=joblib", "hydra.sweeper.study_name=mnist", "hydra.sweeper.n_trials=3"),
    *("model=softmax", "optimizer.learning_rate=tag(log, interval(1e-3,1e-1))"),
    *("schedule.epochs=1", "data.train_limit=500", "data.eval_limit=100", "preflight=off"),
]


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_study_and_its_tracking_on_one_server(
    tmp_path: Path, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    optuna_url, mlflow_url = (postgresql.create_database(name) for name in ("optuna", "mlflow"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_url)
    command = [*SWEEP, f"hydra.sweeper.storage={optuna_url}"]
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT
    )
    assert done.returncode == 0, done.stdout.decode()
    trials = optuna.load_study(study_name="mnist", storage=optuna_url).get_trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 3
    client = mlflow.MlflowClient(mlflow_url)
    experiment = client.get_experiment_by_name("mnist_exp")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    by_number = {
        run.data.tags["trial_number"]: run for run in runs if "trial_number" in run.data.tags
    }
    assert {number: run.data.metrics["val/accuracy"] for number, run in by_number.items()} == {
        str(trial.number): trial.value for trial in trials
    }
    assert not list(tmp_path.glob("*.db"))

    refused = subprocess.run(
        [*command, f"hydra.sweeper.storage={mlflow_url}"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 1
    assert "is the database of MLflow's runs" in refused.stderr


@pytest.mark.slow
@pytest.mark.postgresql
def test_runs_that_find_an_empty_database_at_once(tmp_path: Path, postgresql: Server) -> None:
    uri = postgresql.create_database("empty")
    code = f"""
from mnist_exp.tracking.lifetime import track_run
from tests.support.jobs import a_job
job = a_job("tracking.uri={uri}")
input("ready\\n")
with track_run(job):
    pass
"""
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)}  # for `tests`
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    processes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, text=True, env=env, **pipes)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=LIMIT)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("mnist_exp")
    assert experiment is not None
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == [
        "FINISHED"
    ] * 4
