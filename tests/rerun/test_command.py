"""The command on real runs: what it trains again, compares, prints and refuses."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow.entities import Metric, Param, RunTag

from mnist_exp import run
from mnist_exp.command import main
from mnist_exp.config.mistakes import USER_ERRORS
from mnist_exp.errors import UserError
from mnist_exp.rerun.__main__ import rerun, settings_of
from mnist_exp.rerun.__main__ import run as rerun_command
from tests.rerun.test_comparison import recorded
from tests.support.runs import only_run

SMALL = [
    "model=softmax",
    "data.train_limit=500",
    "data.eval_limit=100",
    "schedule.epochs=3",
    "preflight=off",
]
NAN = [*SMALL, "loss=cross_entropy_sum", "loss.from_probabilities=true", "optimizer=sgd"]

pytestmark = pytest.mark.usefixtures("bare_runs")


def client_of(workdir: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")


def copy_of(
    workdir: Path,
    run_id: str,
    status: str,
    change: Callable[[Metric], float | None] = lambda m: m.value,
) -> str:
    """A run with the record of another run; `change` gives each metric's value, None to drop it."""
    client = client_of(workdir)
    original = client.get_run(run_id)
    copy = client.create_run(original.info.experiment_id, run_name=original.info.run_name)
    copy_id: str = copy.info.run_id
    history = [m for name in original.data.metrics for m in client.get_metric_history(run_id, name)]
    values = [(metric, change(metric)) for metric in history]
    client.log_batch(
        copy_id,
        [Metric(m.key, value, m.timestamp, m.step) for m, value in values if value is not None],
        [Param(*item) for item in original.data.params.items()],
        [RunTag(*item) for item in original.data.tags.items() if not item[0].startswith("mlflow.")],
    )
    client.log_artifacts(copy_id, client.download_artifacts(run_id, ""))
    client.set_terminated(copy_id, status)
    return copy_id


def main_exit(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """Return what the command exits with: 0, 1, or a text on standard error and 1."""
    monkeypatch.setattr(sys, "argv", ["rerun", *arguments])
    with pytest.raises(SystemExit) as caught:
        main(rerun_command, *USER_ERRORS)
    return caught.value.code


def test_rerun_is_identical(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dropout, a schedule and batch accuracies repeat from the resolved config alone."""
    overrides = [
        "model=mlp",
        "model.hidden_units=[16]",
        "model.dropout=0.3",
        *SMALL[1:],
        "schedule=cosine",
    ]
    done = run([*overrides, "schedule.train_accuracy_every=2", "seed=5", "+tags.purpose=test"])
    client = client_of(workdir)
    client.log_text(done.run_id, "- seed=7\n- resume=auto\n", "config/overrides.yaml")
    assert main_exit(monkeypatch, done.run_id) == 0
    output = capsys.readouterr().out
    new = client.search_runs(["1"], f"tags.rerun_of = '{done.run_id}'")[0]
    assert new.info.run_id != done.run_id
    assert new.info.status == "FINISHED"
    for tag in ("config_hash", "seed", "variant", "purpose", "data.digest"):
        assert new.data.tags[tag] == client.get_run(done.run_id).data.tags[tag]
    assert output.splitlines()[-1].startswith("identical: ")
    assert "train/batch_accuracy" in output
    assert "time/" not in output.split("metric, last value")[1]
    assert "environment: the same" in output


def test_a_changed_metric_is_named(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(SMALL)

    def change(metric: Metric) -> float:
        last_digit = metric.key == "val/cost" and metric.step >= 2
        return metric.value * (1 + 2**-52) if last_digit else metric.value

    tampered = copy_of(workdir, done.run_id, "FINISHED", change)
    comparison = rerun(tampered)
    assert not comparison.identical
    last = capsys.readouterr().out.splitlines()[-1]
    val = done.epochs[1].val.cost
    assert last == (
        f"not identical: val/cost differs from epoch 2 on: {val * (1 + 2**-52)!r} against {val!r}"
    )


def test_a_run_that_did_not_finish_is_compared_as_far_as_it_went(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(SMALL)

    def first_two(metric: Metric) -> float | None:
        return None if metric.step > 2 or metric.key.startswith("val/best_") else metric.value

    killed = copy_of(workdir, done.run_id, "KILLED", first_two)
    assert main_exit(monkeypatch, killed) == 1
    output = capsys.readouterr().out
    assert "The first run is KILLED: it is compared as far as it went, 2 whole epochs." in output
    assert (
        "identical as far as the first run went, which is KILLED after epoch 2: "
        "8 metrics, 16 values, equal to the last digit" in output.splitlines()[-1]
    )


@pytest.mark.slow
def test_a_run_that_ended_in_nan_ends_so_again(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match="the cost became nan"):
        run([*NAN, "optimizer.learning_rate=1000"])
    failed = only_run(workdir).info.run_id
    of_another = {"rerun_of": failed}  # at the same time, by a clock that goes ahead
    beside = client_of(workdir).create_run("1", 2**42, of_another).info.run_id
    assert main_exit(monkeypatch, failed) == 1
    output = capsys.readouterr().out
    assert beside not in output
    runs = client_of(workdir).search_runs(["1"])
    assert sorted(tracked.info.status for tracked in runs) == ["FAILED", "FAILED", "RUNNING"]
    assert output.count("FAILED (NonFiniteCost: training stopped: the cost became nan") == 3
    assert output.splitlines()[-1] == (
        "identical as far as the first run went, which is FAILED after epoch 1: "
        "8 metrics, 8 values, equal to the last digit"
    )


@pytest.mark.slow
def test_a_run_that_was_made_longer(workdir: Path) -> None:
    short = run([*SMALL[:3], "schedule.epochs=1"])
    run([f"resume={short.run_id}", "schedule.epochs=2"])
    comparison = rerun(short.run_id)
    assert comparison.identical
    assert comparison.first.epochs == 2


@pytest.mark.slow
def test_another_store_and_folder(
    workdir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(SMALL)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    uri = f"sqlite:///{workdir}/mlflow.db"
    assert "there is no database" in main_exit(monkeypatch, done.run_id)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for unknown in ("nothing", "a b/..", "latest"):
        output = main_exit(monkeypatch, unknown)
        assert output == (
            f"mnist_exp: {unknown}: no such run in {uri}\n"
            f"expected a run id; the newest run's is {done.run_id}"
        )
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert main_exit(monkeypatch, done.run_id, f"tracking.uri={uri}") == 0
    assert len(client_of(workdir).search_runs(["1"], f"tags.rerun_of = '{done.run_id}'")) == 1
    assert not list(elsewhere.glob("mlflow.db*"))


def test_dirty_code_is_shown(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout's code changes between a run and its rerun; the recorded change can be applied."""
    from mnist_exp.tracking import source_version

    checkout = workdir.parent / "checkout"
    checkout.mkdir()
    (checkout / "code.py").write_text("x = 1\n")

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        command = ["git", "-C", str(checkout), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, encoding="latin-1").stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    monkeypatch.setattr(source_version, "_PACKAGE_DIR", checkout)
    monkeypatch.setattr(source_version, "__file__", str(checkout / "code.py"))
    done = run(SMALL)
    changed = b"x = '\xe9'\r\n"
    (checkout / "code.py").write_bytes(changed)
    (checkout / "new.py").write_text("y = 1\n")
    comparison = rerun(done.run_id)
    output = capsys.readouterr().out
    assert "code differs:\n  uncommitted changes: none -> code.py, new.py (env/git.diff" in output
    patch = workdir / "git.diff"
    patch.write_bytes(comparison.second.files["env/git.diff"])
    git("checkout", "code.py")
    (checkout / "new.py").unlink()
    git("apply", str(patch))
    assert (checkout / "code.py").read_bytes() == changed
    assert (checkout / "new.py").exists()
    assert json.loads(comparison.second.files["env/hardware.json"])["cores"] >= 1


def test_settings_of_a_record(settings: Callable[..., Any]) -> None:
    config = settings(
        *("model=mlp", "seed=3", "resume=auto", "tracking.uri=sqlite:///a.db", "+tags.x=y"),
        "tracking.code=off",
    )
    files = {
        "config/resolved.yaml": yaml.safe_dump(config.to_dict()).encode(),
        "config/overrides.yaml": b"[model=mlp, seed=3, resume=auto, 'tracking.uri=sqlite:///a.db']",
    }
    rerun_settings = settings_of(
        recorded(files=files, params={"model": "mlp", "seed": "3"}), "sqlite:///b.db"
    )
    assert rerun_settings.config.hash() == config.hash()
    assert rerun_settings.config.seed == 3
    assert rerun_settings.config.resume is None
    assert rerun_settings.config.tracking.uri == "sqlite:///b.db"
    assert rerun_settings.config.tracking.code == "off"
    assert rerun_settings.config.tags == {"x": "y", "rerun_of": "a"}
    assert rerun_settings.choices == {"model": "mlp", "optimizer": "adam"}
    assert rerun_settings.overrides == ("model=mlp", "seed=3", "tracking.uri='sqlite:///b.db'")
