"""Runs that a test has started or trained."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import LIMIT


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
    test_accuracy: float


def only_run(workdir: Path, experiment: str = "mnist_exp") -> Any:
    """The one run in the folder's database."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    (run,) = client.search_runs([found.experiment_id])
    return run
