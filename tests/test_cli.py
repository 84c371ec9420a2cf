"""The command line in its own process, as a user meets it."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import Started
from tests.support.waiting import LIMIT


@pytest.fixture(scope="module", autouse=True)
def multiruns(start: Callable[..., Started]) -> dict[str, Started]:
    """Multiruns that tests below wait for."""
    overrides = {
        "models": ["model=softmax,cnn3x3"],
        "one bad": ["optimizer.learning_rate=-1,0.5", "model=softmax"],
    }
    return {
        name: start("-m", "mnist_exp", "-m", *given, "debug=fast")
        for name, given in overrides.items()
    }


# Runs the command, and says so on standard output if it has loaded TensorFlow.
WATCHED = """
import runpy, sys
try:
    runpy.run_module("mnist_exp", run_name="__main__", alter_sys=True)
finally:
    if "tensorflow" in sys.modules:
        print("tensorflow was loaded")
"""


def run_cli(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mnist_exp", *arguments]
    return subprocess.run(
        command, check=False, cwd=cwd, capture_output=True, text=True, timeout=LIMIT
    )


def test_the_bare_command_composes_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run would take minutes; the store is looked at when all settings are there."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nope://x")
    done = run_cli(cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("mnist_exp: MLFLOW_TRACKING_URI=nope://x: nope is no kind of")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["model=cnn3x4"],
            (
                "model=cnn3x4: no such option; did you mean model=cnn3x3?\n"
                "Options: cnn3x3, cnn5x5, mlp, own, softmax"
            ),
        ),
        (
            ["optimizer.learning_rat=0.1"],
            (
                "optimizer.learning_rat: no such setting; did you mean optimizer.learning_rate=0.1?"
                "\noptimizer.learning_rate: The size of the steps"
            ),
        ),
        (["schedule.epochs=abc"], "schedule.epochs=abc: expected a whole number"),
        (["schedule.epochs=0"], "schedule.epochs=0: expected a whole number from 1 to 1000000000"),
        (["data.dir=/proc/nope"], "data.dir=/proc/nope: no such folder or file"),
        (["optimizer.learning_rate=-1"], "optimizer.learning_rate=-1.0: expected a number > 0"),
        (["modl=cnn3x3"], "modl: no such setting; did you mean model=cnn3x3?"),
        (
            ["model=softmax", "model.kernel_size=3"],
            "model.kernel_size: no such setting; did you mean model=cnn3x3 model.kernel_size=3?",
        ),
        (["--epochs", "3"], "--epochs 3: a setting is written SETTING=VALUE; did you mean schedul"),
        (["schedule.epochs=[1"], "schedule.epochs=[1: cannot be read as SETTING=VALUE"),
        (
            ["model=mlp", "#", "a", "note"],
            "#: cannot be read as SETTING=VALUE; the shell takes no com",
        ),
        (["schedule.epochs=1,2"], "schedule.epochs=1,2: several values need -m"),
        (["tags.x=3"], "tags.x: no such tag yet; +tags.x=VALUE adds it"),
        ([f"+tags.{'k' * 300}=x"], "a name on the command line is too long"),
        (["run_name=" + "x" * 300], "...: expected at most 250 characters, found 300"),
        (["tracking.experiment=" + "x" * 300], "...: expected at most 250 characters, found 300"),
        (["+hydra.callbacks.x._target_=os.getcwd"], "not in the"),
        (["sweeps=cnn3x3_tuning"], "sweeps=cnn3x3_tuning: `-m` is missing"),
        (
            ["hydra.sweeper.n_trials=3", "model=softmax"],
            "hydra.sweeper.n_trials=3: `-m` is missing",
        ),
    ],
)
def test_mistakes_get_a_short_answer_and_leave_nothing(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    command = [sys.executable, "-c", WATCHED, *arguments]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("logging", ["disabled", "none"])
def test_hydras_logging_can_be_turned_off(tmp_path: Path, logging: str) -> None:
    off = [f"hydra/job_logging={logging}", f"hydra/hydra_logging={logging}"]
    done = run_cli(*off, "optimizer.learning_rate=-1", cwd=tmp_path)
    assert done.stderr == "mnist_exp: optimizer.learning_rate=-1.0: expected a number > 0\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("in_the_way", "arguments", "folder"),
    [
        ("outputs", ["model=softmax"], "outputs/"),
        ("multirun", ["-m", "seed=1,2"], "multirun/"),
        (None, [f"hydra.run.dir={'x' * 300}"], "xxx"),
    ],
)
def test_an_output_folder_that_cannot_be_made_is_named(
    tmp_path: Path, in_the_way: str | None, arguments: list[str], folder: str
) -> None:
    if in_the_way is not None:
        (tmp_path / in_the_way).write_text("a file")
    done = run_cli(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert f"the output folder {folder}" in done.stderr
    assert "hydra.run.dir=FOLDER names another one" in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ([in_the_way] if in_the_way else [])


def test_a_mistake_in_a_multirun(tmp_path: Path) -> None:
    done = run_cli("-m", "model=softmax,cnn3x4", cwd=tmp_path)
    assert done.returncode == 1
    assert "model=cnn3x4: no such option" in done.stderr
    assert "Traceback" not in done.stderr


def test_hydras_part_of_a_sweeps_config_alone(tmp_path: Path) -> None:
    done = run_cli("sweeps=variants", "--cfg", "hydra", "--resolve", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "direction: ???" in done.stdout


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("argument", ["--help", "--cfg=job", "--hydra-help", "--info=config"])
def test_nobody_reads_the_rest(tmp_path: Path, argument: str) -> None:
    """As with `| head -1`: the pipe is closed before anything is printed."""
    command = [sys.executable, "-m", "mnist_exp", argument]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, timeout=LIMIT, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_config_errors_and_help_load_neither_tensorflow_nor_mlflow() -> None:
    code = (
        "import sys, runpy; sys.argv = ['mnist_exp', 'schedule.epochs=0']\n"
        "try: runpy.run_module('mnist_exp', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = ('tensorflow', 'keras', 'mlflow', 'matplotlib')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_full_error_shows_the_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert "Traceback" in run_cli("schedule.epochs=0", cwd=tmp_path).stderr


def tracked_runs(folder: Path) -> list[Any]:
    import mlflow

    return list(mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").search_runs(["1"]))


def test_multirun_trains_two_models_in_one_process(multiruns: dict[str, Started]) -> None:
    exit_code, out, said = multiruns["models"].output()
    assert exit_code == 0, said
    assert "2 of 2 runs are done." in out
    last = out.splitlines()[-2].partition("To compare them: ")[2]
    assert last.startswith("python -m mnist_exp.compare --filter ")
    command = [sys.executable, *shlex.split(last)[1:]]
    folder = multiruns["models"].folder
    compared = subprocess.run(
        command, check=True, cwd=folder, capture_output=True, text=True, timeout=LIMIT
    )
    assert "cnn3x3" in compared.stdout
    assert "softmax" in compared.stdout
    runs = tracked_runs(multiruns["models"].folder)
    assert {run.data.params["model"] for run in runs} == {"softmax", "cnn3x3"}
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(list(multiruns["models"].folder.glob("multirun/*/*/[01]/.hydra"))) == 2


def test_failed_job_of_a_multirun_does_not_stop_the_others(multiruns: dict[str, Started]) -> None:
    exit_code, out, said = multiruns["one bad"].output()
    assert exit_code == 1
    assert "1 of 2 runs is done." in out
    assert "no run yet: python -m mnist_exp optimizer.learning_rate=-1 model=softmax" in out
    assert "optimizer.learning_rate=-1.0: expected a number > 0" in said
    assert "Traceback" not in said
    runs = tracked_runs(multiruns["one bad"].folder)
    assert [run.data.params["optimizer.learning_rate"] for run in runs] == ["0.5"]
