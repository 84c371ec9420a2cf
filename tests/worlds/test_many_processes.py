"""Many processes that start at once in an empty folder, and processes that died."""

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from mnist_exp import run
from mnist_exp.errors import UserError
from mnist_exp.training import checkpoint
from tests.support.runs import only_run
from tests.support.waiting import LIMIT

QUICK = [
    "preflight=off",
    "model=softmax",
    "data.train_limit=500",
    "data.eval_limit=100",
    "schedule.epochs=1",
]


def start(*overrides: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "mnist_exp", *QUICK, *overrides]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def statuses(folder: Path) -> list[str]:
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    found = client.get_experiment_by_name("mnist_exp")
    assert found is not None
    return [tracked.info.status for tracked in client.search_runs([found.experiment_id])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "crowd" in metafunc.fixturenames:
        metafunc.parametrize("crowd", range(metafunc.config.getoption("--crowds")))


@pytest.mark.slow
def test_eight_at_once_in_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crowd: int
) -> None:
    monkeypatch.chdir(tmp_path)
    processes = [start(f"seed={seed}") for seed in range(8)]
    outputs = [process.communicate(timeout=LIMIT)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, outputs
    assert statuses(tmp_path) == ["FINISHED"] * 8


@pytest.mark.slow
def test_two_at_once_in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    processes = [start(f"seed={seed}") for seed in range(2)]
    outputs = [process.communicate(timeout=LIMIT)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert statuses(tmp_path) == ["FINISHED"] * 2


@pytest.mark.slow
def test_two_sweeps_at_once_in_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their parents open the store before any run does."""
    monkeypatch.chdir(tmp_path)
    sweep = ["-m", "hydra/sweeper=optuna_study", "hydra.sweeper.n_trials=1"]
    processes = [start(*sweep, f"seed=choice({seed})") for seed in range(2)]
    outputs = [process.communicate(timeout=LIMIT)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert statuses(tmp_path) == ["FINISHED"] * 4


@pytest.mark.slow
@pytest.mark.usefixtures("bare_runs")
def test_a_run_is_left_to_its_process_until_that_is_dead(workdir: Path) -> None:
    process = start("schedule.epochs=1000000")
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("Epoch: 0002"):
                break
        running = only_run(workdir).info.run_id
        with pytest.raises(UserError, match="another process is training that run"):
            run([f"resume={running}"])
        run([*QUICK, "tracking.experiment=next"])
        assert only_run(workdir).info.status == "RUNNING"
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    assert only_run(workdir).info.status == "RUNNING"
    assert not checkpoint.is_in_use(checkpoint.run_folder(running))
    run([*QUICK, "tracking.experiment=next"])
    dead = only_run(workdir)
    assert dead.info.status == "FAILED"
    assert f"its process {process.pid} on " in dead.data.tags["failure_reason"]
