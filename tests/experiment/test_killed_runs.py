"""Runs killed at random moments end as if nothing had happened."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from mnist_exp import run
from mnist_exp.training import checkpoint
from tests.experiment.test_resume import SMALL, final_weights, histories


def starts(command: list[str]) -> Iterator[subprocess.Popen]:
    while True:
        yield subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def written(path: Path) -> float:
    """Return when a file or folder was last changed; 0 if it went meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


@pytest.mark.slow
def test_killed_at_random_moments(workdir: Path, pytestconfig: pytest.Config) -> None:
    """kill -9 at any time after a process' first checkpoint, then the same command again.

    Every third kill is while it writes.
    """
    wanted = pytestconfig.getoption("--kills")
    overrides = [*SMALL, "schedule.epochs=150", "checkpoint.every_seconds=0.01"]
    whole = run([*overrides, "tracking.experiment=whole"])
    command = [sys.executable, "-m", "mnist_exp", *overrides, "resume=auto"]
    moments = random.Random(0)
    kills = completions = inside_writing = 0
    for process in starts(command):
        started, deadline = time.time(), None
        while process.poll() is None:
            folders = [
                f for f in checkpoint.CHECKPOINTS_DIR.glob("*") if not checkpoint.has_ended(f)
            ]
            fresh = [path for folder in folders for path in folder.glob("[0-9]*")]
            if deadline is None and max(map(written, fresh), default=0.0) > started:
                deadline = time.monotonic() + moments.uniform(0, 3)
            if kills < wanted and folders and deadline is not None and time.monotonic() >= deadline:
                writes = any((folder / f"writing-{process.pid}").exists() for folder in folders)
                if writes or kills % 3:
                    process.kill()
            time.sleep(0.002)
        if process.returncode == -signal.SIGKILL:
            kills += 1
            inside_writing += any(checkpoint.CHECKPOINTS_DIR.glob(f"*/writing-{process.pid}"))
        else:
            assert process.returncode == 0
            completions += 1
            if kills >= wanted:
                break
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    experiment = client.get_experiment_by_name("mnist_exp")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert {tracked.info.status for tracked in runs} == {"FINISHED"}
    assert len(runs) >= completions > 0
    assert inside_writing > 0
    for tracked in runs:
        run_id = tracked.info.run_id
        assert histories(workdir, run_id) == histories(workdir, whole.run_id)
        assert final_weights(run_id) == final_weights(whole.run_id)
        assert not list(checkpoint.run_folder(run_id).glob("writing-*"))
    print(
        f"{kills} kills ({inside_writing} inside the writing of a checkpoint), {len(runs)} runs, "
        "all identical"
    )
