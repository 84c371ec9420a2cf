"""Runs killed at random moments end as if nothing had happened."""

import sys
from pathlib import Path

import mlflow
import pytest

from mnist_exp import run
from mnist_exp.training import checkpoint
from tests.experiment.test_resume import SMALL, final_weights, histories
from tests.support.kills import kill_at_random


@pytest.mark.slow
def test_killed_at_random_moments(workdir: Path, pytestconfig: pytest.Config) -> None:
    """kill -9 at any time after a process' first checkpoint, then the same command again."""
    wanted = pytestconfig.getoption("--kills")
    overrides = [*SMALL, "schedule.epochs=150", "checkpoint.every_seconds=0.01"]
    whole = run([*overrides, "tracking.experiment=whole"])
    command = [sys.executable, "-m", "mnist_exp", *overrides, "resume=auto"]
    kills = kill_at_random(command, wanted)
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    experiment = client.get_experiment_by_name("mnist_exp")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert {tracked.info.status for tracked in runs} == {"FINISHED"}
    assert len(runs) >= kills.completions > 0
    assert kills.inside_writing > 0
    for tracked in runs:
        run_id = tracked.info.run_id
        assert histories(workdir, run_id) == histories(workdir, whole.run_id)
        assert final_weights(run_id) == final_weights(whole.run_id)
        assert not list(checkpoint.run_folder(run_id).glob("writing-*"))
    print(
        f"{kills.count} kills ({kills.inside_writing} inside the writing of a checkpoint), "
        f"{len(runs)} runs, all identical"
    )
