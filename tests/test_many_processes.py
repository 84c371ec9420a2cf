"""Many processes that start at once in an empty folder, and processes that died."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest
from conftest import only_run

from mnist_exp import run

QUICK = ["preflight=off", "model=softmax", "data.train_limit=500", "data.eval_limit=100", "schedule.epochs=1"]


def start(*overrides: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "mnist_exp", *QUICK, *overrides]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def statuses(folder: Path) -> list[str]:
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    found = client.get_experiment_by_name("mnist_exp")
    assert found is not None
    return [tracked.info.status for tracked in client.search_runs([found.experiment_id])]


@pytest.mark.slow
@pytest.mark.parametrize("time_around", range(10))
def test_eight_at_once_in_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time_around: int
) -> None:
    monkeypatch.chdir(tmp_path)
    processes = [start(f"seed={seed}") for seed in range(8)]
    outputs = [process.communicate(timeout=400)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, outputs
    assert statuses(tmp_path) == ["FINISHED"] * 8


def test_two_at_once_in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    processes = [start(f"seed={seed}") for seed in range(2)]
    outputs = [process.communicate(timeout=400)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert statuses(tmp_path) == ["FINISHED"] * 2


def test_a_run_whose_process_was_killed_ends_as_failed(workdir: Path) -> None:
    process = start("schedule.epochs=1000000")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Epoch: 0002"):
            break
    assert only_run(workdir).info.status == "RUNNING"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    run([*QUICK, "tracking.experiment=next"])
    dead = only_run(workdir)
    assert dead.info.status == "FAILED"
    assert f"its process {process.pid} on " in dead.data.tags["failure_reason"]


def test_a_run_whose_process_lives_is_left_alone(workdir: Path) -> None:
    process = start("schedule.epochs=1000000")
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("Epoch: 0002"):
                break
        run([*QUICK, "tracking.experiment=next"])
        time.sleep(0.2)
        assert only_run(workdir).info.status == "RUNNING"
    finally:
        process.kill()
        process.wait()
