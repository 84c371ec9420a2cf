"""Runs that a test has started or trained."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import LIMIT

# A run of a second.
TINY = (
    "model=softmax",
    "preflight=off",
    "data.train_limit=200",
    "data.eval_limit=100",
    "schedule.epochs=1",
)
# A run whose cost becomes NaN in its first epoch.
NOT_FINITE = (
    "model=softmax",
    "preflight=off",
    "loss=cross_entropy_sum",
    "loss.from_probabilities=true",
    "optimizer=sgd",
    "optimizer.learning_rate=1000",
    "data.train_limit=500",
    "data.eval_limit=100",
)


def output_of(
    folder: Path, *arguments: str, exit_codes: tuple[int, ...] = (0,), limit: float = LIMIT
) -> str:
    """Run `python -m ARGUMENTS` in the folder; return its output, in which is no traceback.

    `limit`: seconds after which it has failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
    assert done.returncode in exit_codes, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Started:
    """A Python process in a folder of its own, which has a fresh mlflow.db."""

    folder: Path
    process: "subprocess.Popen[str]"

    def output(self) -> tuple[int, str, str]:
        """(exit code, standard output, standard error), when it has ended."""
        out, err = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, out, err


@dataclass(frozen=True)
class Trained:
    """A finished run of a cnn3x3 that is about as good as the blog's."""

    folder: Path
    uri: str
    run_id: str
    variant: str
    test_accuracy: float


def only_run(workdir: Path, experiment: str = "mnist_exp") -> Any:
    """The one run in the folder's database."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    (run,) = client.search_runs([found.experiment_id])
    return run
