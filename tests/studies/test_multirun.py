"""Ctrl-C on a plain `-m` says how to go on with each of its runs, whoever runs them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from mnist_exp import run
from mnist_exp.training import checkpoint
from tests.support.waiting import LIMIT, until

ENDLESS = ["model=softmax", "schedule.epochs=100000", "data.eval_limit=10", "preflight=off"]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_what_is_left_after_an_interruption(workdir: Path, launcher: str) -> None:
    command = [sys.executable, "-m", "mnist_exp", "-m", f"hydra/launcher={launcher}", "seed=1,2,3"]
    shown = Path("shown")
    # A shell ignores Ctrl-C for what it starts in the background, such as these tests.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    with shown.open("w") as file:
        process = subprocess.Popen(
            [*command, *ENDLESS], stdout=file, stderr=subprocess.STDOUT, process_group=0
        )
    signal.signal(signal.SIGINT, heard)
    until(lambda: "Epoch: 0003" in shown.read_text(), "the third epoch")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.wait(LIMIT) == 130
    lines = shown.read_text().splitlines()
    begun = checkpoint.known_runs()  # a run that was only just begun has no checkpoint yet
    assert begun
    assert "0 of 3 runs are done." in lines
    assert {f"  stopped: python -m mnist_exp resume={run_id}" for run_id in begun} <= set(lines)
    waiting = f"  no run yet: python -m mnist_exp seed=3 {' '.join(ENDLESS)} +tags.multirun="
    assert lines[-1].startswith(waiting)
    tag = lines[-1].removeprefix(waiting)
    client = MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    before = client.search_runs(experiments, f"tags.multirun = '{tag}'")
    assert {each.info.run_id for each in before} >= {*begun}
    shorter = ("schedule.epochs=1", "schedule.max_steps=2", f"+tags.multirun={tag}")
    run(["seed=3", "model=softmax", *shorter])
    after = client.search_runs(experiments, f"tags.multirun = '{tag}'")
    assert len(after) == len(before) + 1
