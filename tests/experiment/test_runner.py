"""Runs from settings to result, through the command and from Python."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest

from mnist_exp import run
from mnist_exp.errors import DataError, NonFiniteCost, PreflightFailed
from mnist_exp.experiment import runner
from mnist_exp.experiment.console import Reporter
from mnist_exp.tracking.job import Origin
from mnist_exp.training import precision
from tests.support.jobs import a_job
from tests.support.runs import NOT_FINITE, Started, only_run
from tests.support.waiting import LIMIT

SAME = ["model=softmax", "seed=3", "debug=limit", "schedule.epochs=2", "preflight=off"]
# No file may grow beyond 4 MiB: enough for the database, not for a checkpoint of this model.
FULL_DISK = """\
import resource, signal, runpy, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))
sys.argv[0] = "mnist_exp"
runpy.run_module("mnist_exp", run_name="__main__")
"""
BIG = [
    "model=mlp",
    "model.hidden_units=[2048]",
    "preflight=off",
    "data.train_limit=200",
    "data.eval_limit=100",
]


@pytest.fixture(scope="module", autouse=True)
def commands(start: Callable[..., Started]) -> dict[str, Started]:
    """Command lines that tests below wait for."""
    return {"same": start("-m", "mnist_exp", *SAME), "full disk": start("-c", FULL_DISK, *BIG)}


def artifact(workdir: Path, name: str) -> Path:
    (path,) = (workdir / "mlruns").rglob(name)
    return path


def test_buggy_notebook_is_right_on_exactly_the_980_zeros(workdir: Path) -> None:
    result = run(["experiment=notebook_softmax_buggy", "preflight=off"])
    assert result.test_accuracy == 0.098
    # No weight has changed, so that the cost is what it was: README says so beside the number.
    assert result.epochs[-1].cost == pytest.approx(np.log(10), abs=1e-6)
    predictions = np.load(artifact(workdir, "test.npz"))
    assert (predictions["prediction"] == 0).all()
    tracked = only_run(workdir)
    assert tracked.data.metrics["test/accuracy"] == 0.098
    assert tracked.data.metrics["tutorial/test_accuracy"] == 0.098
    assert tracked.data.tags["variant"] == "notebook_softmax_buggy"


@pytest.mark.usefixtures("bare_runs")
def test_correct_notebook_softmax(workdir: Path) -> None:
    assert 0.910 < run(["experiment=notebook_softmax", "preflight=off"]).test_accuracy < 0.925


def test_api_tracks_the_same_numbers_as_the_command_line(
    workdir: Path, commands: dict[str, Started]
) -> None:
    result = run(SAME)
    command = commands["same"]
    assert command.output()[0] == 0
    for folder in (workdir, command.folder):
        client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
        history = client.get_metric_history(
            only_run(folder, "mnist_exp_debug").info.run_id, "train/cost"
        )
        assert [metric.value for metric in history] == [epoch.cost for epoch in result.epochs]


def test_everything_a_run_leaves(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(["debug=fast", "model=cnn3x3", "schedule.train_accuracy_every=1", "seed=2"])
    out = capsys.readouterr().out
    assert "conv1     (?, 28, 28, 32)" in out
    assert f"Epoch: 0001 cost = {result.epochs[0].cost:.9f}" in out
    assert "step 0, training accuracy" in out
    assert f"run {result.run_id}" in out
    assert "python -m mnist_exp.ui" in out
    tags = only_run(workdir, "mnist_exp_debug").data.tags
    assert f"`python -m mnist_exp.rerun {result.run_id}`" in tags["mlflow.note.content"]
    assert f"test accuracy **{result.test_accuracy:.4f}**" in tags["mlflow.note.content"]
    assert tags["result"] == f"{result.test_accuracy:.4f}"
    assert tags["changes"] == "debug=fast model=cnn3x3 schedule.train_accuracy_every=1"
    assert result.run_name == "blog_cnn3x3-train_accuracy_every1-fast-s2"
    tracked = only_run(workdir, "mnist_exp_debug")
    assert tracked.data.metrics["val/best_epoch"] == 1
    for name in (
        "learning_curves.png",
        "confusion_matrix.png",
        "mistakes.png",
        "random_digit.png",
        "batch_accuracy.png",
        "layers.txt",
        "resolved.yaml",
    ):
        assert artifact(workdir, name).stat().st_size > 0
    predictions = np.load(artifact(workdir, "test.npz"))
    assert predictions["probability"].shape == (200, 10)
    assert (predictions["prediction"] == predictions["label"]).mean() == result.test_accuracy
    model = mlflow.pyfunc.load_model(f"models:/{tracked.outputs.model_outputs[0].model_id}")
    assert model.metadata.signature is not None
    assert len(model.predict(np.zeros((2, 28, 28, 1), np.float32))["probabilities"][1]) == 10
    assert (
        mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db").search_registered_models() == []
    )  # debug


@pytest.mark.usefixtures("bare_runs")
def test_overfit_learns_one_batch_by_heart(workdir: Path) -> None:
    result = run(["debug=overfit", "model=mlp", "preflight=off"])
    assert result.val_accuracy == result.test_accuracy == 1.0
    assert result.epochs[-1].step < 200


def test_nan_fails_the_run_with_its_reason(workdir: Path) -> None:
    with pytest.raises(NonFiniteCost):
        run(NOT_FINITE)
    tracked = only_run(workdir)
    assert tracked.info.status == "FAILED"
    reason = tracked.data.tags["failure_reason"]
    assert "first batch with a NaN or infinite cost came after step 1" in reason
    assert tracked.data.metrics["val/accuracy"] >= 0  # the epoch that failed is on record


def test_damaged_data_makes_no_run(workdir: Path, idx_folder: Path) -> None:
    (idx_folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError):
        run([f"data.dir={idx_folder}"])
    assert (
        mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db").get_experiment_by_name("mnist_exp")
        is None
    )


@pytest.mark.usefixtures("bare_runs")
def test_own_data(workdir: Path, idx_folder: Path) -> None:
    small = ["data.validation_size=50", "model=softmax", "schedule.epochs=1", "preflight=off"]
    result = run([f"data.dir={idx_folder}", *small])
    assert result.epochs[0].examples == 150
    assert len(only_run(workdir).data.tags["data.digest"]) == 64


@pytest.mark.slow
def test_signals_end_the_run_as_killed(workdir: Path) -> None:
    """All at once, since loading TensorFlow takes most of the time."""
    endless = ["model=softmax", "schedule.epochs=100000", "data.eval_limit=10", "preflight=off"]
    exit_codes = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}
    processes = {
        number: subprocess.Popen(
            [sys.executable, "-m", "mnist_exp", *endless, f"tracking.experiment={number.name}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in exit_codes
    }
    for number, process in processes.items():
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Epoch: 0002"):
                break
        os.kill(process.pid, number)
    for number, process in processes.items():
        process.communicate(timeout=LIMIT)
        assert process.returncode == exit_codes[number]
        assert only_run(workdir, number.name).info.status == "KILLED"


@pytest.mark.usefixtures("bare_runs")
def test_a_run_that_learned_nothing_says_so_on_the_screen_and_in_mlflow(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["experiment=notebook_softmax_buggy", "schedule.max_steps=20", "data.eval_limit=1000"])
    sentence = "Nothing was learned in 20 steps."
    assert sentence in capsys.readouterr().out
    assert sentence in only_run(workdir).data.tags["mlflow.note.content"]


def test_preflight_error_stops_before_training(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PreflightFailed, match="found LOSS_IGNORES_LABELS"):
        run(["experiment=notebook_softmax_buggy", "preflight=error"])
    assert "Epoch: 0001" not in capsys.readouterr().out
    tracked = only_run(workdir)
    assert tracked.info.status == "FAILED"
    assert tracked.data.tags["preflight"] == "error"
    assert "LOSS_IGNORES_LABELS" in tracked.data.tags["preflight.codes"]
    assert "error **LOSS_IGNORES_LABELS**" in tracked.data.tags["mlflow.note.content"]
    assert tracked.data.metrics["trouble/preflight_errors"] >= 1
    assert "LOSS_IGNORES_LABELS" in artifact(workdir, "preflight.json").read_text()


@pytest.mark.usefixtures("bare_runs", "workdir")
def test_preflight_is_left_out_for_one_image(capsys: pytest.CaptureFixture[str]) -> None:
    run(["data.train_limit=1", "data.eval_limit=1", "model=softmax", "schedule.epochs=1"])
    printed = capsys.readouterr().out
    assert "preflight is left out: it needs 2 training images or more, found 1" in printed
    assert "Epoch: 0001" in printed


@pytest.mark.usefixtures("bare_runs")
def test_preflight_warns_and_goes_on_by_default(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(["experiment=notebook_softmax_buggy", "schedule.max_steps=20"])
    assert "ERROR LOSS_IGNORES_LABELS" in capsys.readouterr().out
    assert result.epochs[-1].step == 20
    assert only_run(workdir).info.status == "FINISHED"


@pytest.mark.usefixtures("bare_runs")
def test_preflight_changes_no_result(workdir: Path) -> None:
    small = [
        "model=cnn3x3",
        "model.dropout=0.5",
        "data.train_limit=300",
        "data.eval_limit=100",
        "schedule.epochs=1",
    ]
    costs = {run([*small, f"preflight={mode}"]).epochs[0].cost for mode in ("off", "warn")}
    assert len(costs) == 1


def test_a_full_disk_fails_the_run_in_one_line(commands: dict[str, Started]) -> None:
    command = commands["full disk"]
    exit_code, _, errors = command.output()
    assert exit_code == 1
    assert "the checkpoint of step 0 cannot be written (File too large)" in errors
    assert "Traceback" not in errors
    tracked = only_run(command.folder)
    assert tracked.info.status == "FAILED"
    assert "cannot be written" in tracked.data.tags["failure_reason"]


def test_a_worker_says_once_that_its_processor_has_no_fast_bfloat16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "bfloat16_slowdown", lambda: 4.83)
    monkeypatch.setattr(runner, "_told", set())
    said: list[str] = []
    reporter = Reporter(quiet=True)
    monkeypatch.setattr(reporter, "warn", said.append)

    def build(origin: Origin) -> int:
        job = a_job("model=softmax", "precision=bfloat16", origin=origin)
        runner._build(job, reporter)
        return len(said)

    trial, by_itself = Origin(is_retried=True), Origin()
    assert [build(origin) for origin in (trial, trial, by_itself, by_itself)] == [1, 1, 2, 3]
