"""A sweep with code of one's own that is edited while it runs, through the installed command."""

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from tests.support.waiting import LIMIT, until

pytestmark = pytest.mark.slow

NETS = """
import keras

def net(input_shape, num_classes, scale=1.0):
    from layers import head  # not before the function is called
    layers = [keras.Input(input_shape), keras.layers.Rescaling(scale), keras.layers.Flatten()]
    return keras.Sequential([*layers, head(num_classes)])
"""
LAYERS = "import keras\n\ndef head(units):\n    return keras.layers.Dense(units, name='first')\n"


def command(folder: Path, trials: int) -> "subprocess.Popen[str]":
    """The sweep, with two workers whose `sys.path` does not have the folder."""
    script = Path(sys.executable).parent / "mnist-exp"
    arguments = [
        *("-m", "hydra/sweeper=optuna_study", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        *("hydra.sweeper.study_name=mine", f"hydra.sweeper.n_trials={trials}", "preflight=off"),
        *("model=own", "model.build=nets:net", "optimizer.learning_rate=interval(0.01,0.1)"),
        *("data.train_limit=300", "data.eval_limit=100", "schedule.epochs=1"),
    ]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [str(script), *arguments], cwd=folder, text=True, stdout=pipe, stderr=pipe
    )


def test_an_edit_changes_no_trial_and_the_study_does_not_go_on_with_it(workdir: Path) -> None:
    (workdir / "nets.py").write_text(NETS)
    (workdir / "layers.py").write_text(LAYERS)
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    sweep = command(workdir, 5)
    until(lambda: _trials(client), "the first trial")
    (workdir / "layers.py").write_text(LAYERS.replace("first", "second"))
    said, complained = sweep.communicate(timeout=LIMIT)
    assert sweep.returncode == 0, said + complained
    trials = _trials(client)
    assert len(trials) == 5
    assert len({trial.data.tags["own_code.digest"] for trial in trials}) == 1
    for trial in trials:
        folder = Path(trial.info.artifact_uri.removeprefix("file://"))
        assert (folder / "own_code/layers.py").read_text() == LAYERS
        assert "first" in (folder / "layers.txt").read_text()

    again = command(workdir, 6)
    _, complained = again.communicate(timeout=LIMIT)
    assert again.returncode == 1
    assert complained.splitlines() == [
        "mnist_exp: study mine: code of your own has changed since its trials: layers.py; what they"
        + " ran is in their artifacts own_code/",
        "Bring the earlier source back; hydra.sweeper.study_name=NAME starts another study",
    ]
    assert len(_trials(client)) == 5


def _trials(client: mlflow.MlflowClient) -> list[mlflow.entities.Run]:
    experiments = [one.experiment_id for one in client.search_experiments()]
    return list(client.search_runs(experiments, "tags.study_role = 'trial'"))
