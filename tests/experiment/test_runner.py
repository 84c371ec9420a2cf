import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest
import yaml

from mnist_exp import run
from mnist_exp.compare import groups
from mnist_exp.compare.baseline import find_baseline
from mnist_exp.config import presets
from mnist_exp.config.tree import compose
from mnist_exp.errors import DataError, NonFiniteCost, PreflightFailed
from mnist_exp.experiment import outcome
from mnist_exp.tracking.runs import Selection, Store
from mnist_exp.tracking.tracker import RunTracker
from mnist_exp.training.loop import fit
from mnist_exp.training.program import build_program, evaluate
from tests.support.runs import Started, only_run
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
    predictions = np.load(artifact(workdir, "test.npz"))
    assert (predictions["prediction"] == 0).all()
    tracked = only_run(workdir)
    assert tracked.data.metrics["test/accuracy"] == 0.098
    assert tracked.data.metrics["reference/test_accuracy"] == 0.098
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
    assert "mlflow ui" in out
    tags = only_run(workdir, "mnist_exp_debug").data.tags
    assert f"`python -m mnist_exp.rerun {result.run_id}`" in tags["mlflow.note.content"]
    assert f"test accuracy **{result.test_accuracy:.4f}**" in tags["mlflow.note.content"]
    assert tags["result"] == f"{result.test_accuracy:.4f}"
    assert tags["changes"] == "debug=fast model=cnn3x3 schedule.train_accuracy_every=1"
    assert result.run_name == "cnn3x3-adam-s2"
    tracked = only_run(workdir, "mnist_exp_debug")
    assert tracked.data.metrics["best/epoch"] == 1
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


def test_the_blogs_settings_are_recognised_without_naming_them(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:

    settings = compose(["model=cnn3x3", "optimizer=adam"])
    variant, reference, changes = presets.identify(settings, presets.find_preset(settings.config))
    assert (variant, changes) == ("blog_cnn3x3", [])
    assert reference is not None
    settings = compose(["experiment=blog_cnn3x3", "schedule.epochs=1"])
    variant, _, changes = presets.identify(settings, presets.find_preset(settings.config))
    assert (variant, changes) == ("blog_cnn3x3", ["schedule.epochs=1"])
    settings = compose(["model=cnn3x3", "optimizer=adam", "variant=mine"])
    variant, reference, changes = presets.identify(settings, presets.find_preset(settings.config))
    assert (variant, changes) == ("mine", [])
    assert reference is not None


SPELLED_OUT = [
    "model=softmax",
    "init=zeros",
    "loss=self_entropy",
    "optimizer=sgd",
    "schedule.max_steps=1000",
    "schedule.batch_size=50",
]


def test_params_tags_and_files_of_a_run_name_the_same_variant(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run that is no preset, and of one that spells a preset out; `compare` then finds the runs by that name."""
    monkeypatch.setattr(outcome, "log_figures", lambda *_: None)
    monkeypatch.setattr(RunTracker, "log_model", lambda *_: None)
    small = ["preflight=off", "data.train_limit=200", "data.eval_limit=100", "schedule.max_steps=3"]
    names = {}
    for overrides in (
        ["model=softmax", *small],
        ["model=mlp", "variant=1.10", *small],
        [*SPELLED_OUT, "preflight=off"],
    ):
        result = run(overrides)
        stored = mlflow.MlflowClient().get_run(result.run_id)
        folder = workdir / "mlruns" / stored.info.experiment_id / result.run_id / "artifacts"
        resolved = yaml.safe_load((folder / "config" / "resolved.yaml").read_text())
        named = {stored.data.params["variant"], stored.data.tags["variant"], resolved["variant"]}
        (names[result.run_id],) = named
        assert result.run_name == f"{names[result.run_id]}-s0"
    assert list(names.values()) == ["softmax-adam", "1.10", "notebook_softmax_buggy"]
    runs = Store().select(Selection(experiment="mnist_exp"))
    said = groups.statuses(runs, "test/accuracy")
    made = groups.make_groups(runs, said, "test/accuracy", ["variant"])
    assert [group.label for group in made] == list(names.values())
    assert [find_baseline(runs, made, f"variant={name}") for name in names.values()] == [0, 1, 2]


@pytest.mark.usefixtures("bare_runs")
def test_overfit_learns_one_batch_by_heart(workdir: Path) -> None:
    result = run(["debug=overfit", "model=mlp", "preflight=off"])
    assert result.val_accuracy == result.test_accuracy == 1.0
    assert result.epochs[-1].step < 200


def test_nan_fails_the_run_with_its_reason(workdir: Path) -> None:
    with pytest.raises(NonFiniteCost):
        run(
            [
                "model=softmax",
                "loss=cross_entropy_sum",
                "loss.from_probabilities=true",
                "optimizer=sgd",
                "optimizer.learning_rate=1000",
                "data.train_limit=500",
                "data.eval_limit=100",
                "preflight=off",
            ]
        )
    tracked = only_run(workdir)
    assert tracked.info.status == "FAILED"
    assert (
        "first batch with a NaN or infinite cost was step 1" in tracked.data.tags["failure_reason"]
    )
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


OPTIONS = [
    *[[f"model={name}"] for name in ("softmax", "mlp", "cnn3x3", "cnn5x5")],
    *[[f"init={name}", "model=cnn5x5"] for name in ("blog", "notebook", "zeros", "glorot", "he")],
    *[
        [f"loss={name}", f"loss.from_probabilities={literal}", "model=softmax"]
        for name in ("cross_entropy", "cross_entropy_sum", "self_entropy")
        for literal in (False, True)
    ],
    *[
        [f"optimizer={name}", "model=softmax"]
        for name in ("sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad")
    ],
    *[[f"schedule={name}", "model=softmax"] for name in ("constant", "cosine", "one_cycle")],
    *[
        [f"experiment={name}"]
        for name in (
            "notebook_softmax_buggy",
            "notebook_softmax",
            "notebook_cnn5x5",
            "blog_cnn3x3",
            "speedrun",
        )
    ],
    ["data=mnist", "model=softmax"],
]


@pytest.mark.parametrize("overrides", OPTIONS, ids=" ".join)
def test_every_option_trains_two_batches(overrides: list[str], small_mnist: object) -> None:
    config = compose([*overrides, "debug=fast", "schedule.batch_size=16"]).config
    program = build_program(config, len(small_mnist.train))  # type: ignore[attr-defined]
    (result,) = fit(program, small_mnist)  # type: ignore[arg-type]
    assert result.step == 2
    test = evaluate(program, small_mnist.test)  # type: ignore[attr-defined]
    assert np.isfinite([result.cost, result.val.cost, test.cost]).all()


def test_every_option_is_tried() -> None:
    from mnist_exp.config.groups import group_names, group_options

    tried = {override for overrides in OPTIONS for override in overrides}
    missing = {
        f"{group}={option}"
        for group in group_names()
        if group not in ("debug", "sweeps")  # these have tests of their own
        for option in group_options(group)
    } - tried
    assert missing == set()


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
    assert tracked.data.metrics["preflight/errors"] >= 1
    assert "LOSS_IGNORES_LABELS" in artifact(workdir, "preflight.json").read_text()


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
    exit_code, _, said = command.output()
    assert exit_code == 1
    assert "the checkpoint of step 0 cannot be written (File too large)" in said
    assert "Traceback" not in said
    tracked = only_run(command.folder)
    assert tracked.info.status == "FAILED"
    assert "cannot be written" in tracked.data.tags["failure_reason"]


def test_what_the_first_run_imports_is_not_searched_for_garbage(
    start: Callable[..., Started],
) -> None:
    code = """
import gc
from mnist_exp.config import presets
from mnist_exp.training import startup
from mnist_exp.experiment import outcome
for _ in range(2):
    with startup.quick_imports():
        assert gc.isenabled() == ("tensorflow" in sys.modules)
        import tensorflow
    assert gc.isenabled()
    print(gc.get_freeze_count() > 300_000)
    gc.unfreeze()
"""
    assert start("-c", code).output()[:2] == (0, "True\nFalse\n")
