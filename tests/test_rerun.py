import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from conftest import only_run
from mlflow.entities import Metric, Param, RunTag

from mnist_exp import run
from mnist_exp.errors import UserError
from mnist_exp.rerun.__main__ import (
    TrackedRun,
    code_differences,
    compare,
    environment_differences,
    main,
    rerun,
    settings_of,
)

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
    """A run with the record of another, each metric as `change` says, without those it gives None for."""
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
    """What the command exits with: 0, 1, or a text on standard error and 1."""
    monkeypatch.setattr(sys, "argv", ["rerun", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_rerun_is_identical(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dropout, a schedule, batch accuracies and a NaN-free random start repeat from the resolved config alone."""
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
    said = capsys.readouterr().out
    new = client.search_runs(["1"], f"tags.rerun_of = '{done.run_id}'")[0]
    assert new.info.run_id != done.run_id
    assert new.info.status == "FINISHED"
    for tag in ("config_hash", "seed", "variant", "purpose", "data.digest"):
        assert new.data.tags[tag] == client.get_run(done.run_id).data.tags[tag]
    assert said.splitlines()[-1].startswith("identical: ")
    assert "train/batch_accuracy" in said
    assert "time/" not in said.split("metric, last value")[1]
    assert "environment: the same" in said


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
    assert (
        last
        == f"not identical: val/cost differs from epoch 2 on: {val * (1 + 2**-52)!r} against {val!r}"
    )


def test_a_run_that_did_not_finish_is_compared_as_far_as_it_went(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(SMALL)

    def first_two(metric: Metric) -> float | None:
        return None if metric.step > 2 or metric.key.startswith("best/") else metric.value

    killed = copy_of(workdir, done.run_id, "KILLED", first_two)
    assert main_exit(monkeypatch, killed) == 1
    said = capsys.readouterr().out
    assert "The first run is KILLED: it is compared as far as it went, 2 whole epochs." in said
    assert (
        "identical as far as the first run went, which is KILLED after epoch 2: "
        "6 metrics, 12 values, equal to the last digit" in said.splitlines()[-1]
    )


def test_a_run_that_ended_in_nan_ends_so_again(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match="the cost became nan"):
        run([*NAN, "optimizer.learning_rate=1000"])
    failed = only_run(workdir).info.run_id
    assert main_exit(monkeypatch, failed) == 1
    said = capsys.readouterr().out
    runs = client_of(workdir).search_runs(["1"])
    assert [tracked.info.status for tracked in runs] == ["FAILED", "FAILED"]
    assert said.count("FAILED (NonFiniteCost: training stopped: the cost became nan") == 3
    assert said.splitlines()[-1] == (
        "identical as far as the first run went, which is FAILED after epoch 1: "
        "6 metrics, 6 values, equal to the last digit"
    )


def test_a_run_that_was_made_longer(workdir: Path) -> None:
    short = run([*SMALL[:3], "schedule.epochs=1"])
    run([f"resume={short.run_id}", "schedule.epochs=2"])
    comparison = rerun(short.run_id)
    assert comparison.identical
    assert comparison.first.epochs == 2


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
    for unknown in ("nothing", "a b/.."):
        said = main_exit(monkeypatch, unknown)
        assert said.startswith(f"mnist_exp: {unknown}: no such run in {uri}\n")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert main_exit(monkeypatch, done.run_id, f"tracking.uri={uri}") == 0
    assert len(client_of(workdir).search_runs(["1"], f"tags.rerun_of = '{done.run_id}'")) == 1
    assert not list(elsewhere.glob("mlflow.db*"))


def test_data_that_is_gone_or_changed(
    workdir: Path, idx_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(
        ["model=softmax", f"data.dir={idx_folder}", "data.validation_size=50", "schedule.epochs=1"]
    )
    labels = idx_folder / "t10k-labels-idx1-ubyte"
    original = labels.read_bytes()
    labels.write_bytes(original[:-1] + bytes([(original[-1] + 1) % 10]))
    said = main_exit(monkeypatch, done.run_id)
    assert said.startswith(
        f"mnist_exp: run {done.run_id}: the data has changed since: data.digest was "
    )
    assert str(idx_folder) in said
    shutil.rmtree(idx_folder)
    said = main_exit(monkeypatch, done.run_id)
    assert (
        f"run {done.run_id}: its data cannot be used: data.dir={idx_folder}: no such folder" in said
    )
    assert len(said.splitlines()) <= 2
    assert only_run(workdir).info.run_id == done.run_id


def test_records_that_cannot_be_used(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(workdir)
    bare = client.create_run(client.create_experiment("x")).info.run_id
    said = main_exit(monkeypatch, bare)
    assert (
        said == f"mnist_exp: run {bare} has no record to repeat it from: "
        "its artifact config/resolved.yaml is missing"
    )
    for text, reason in (
        ("a: [", "while parsing"),
        ("- 1", "model: expected settings, found None"),
        ("model: {kind: resnet}\ndata: {}\noptimizer: {kind: sgd}", "model.kind=resnet"),
    ):
        client.log_text(bare, text, "config/resolved.yaml")
        said = main_exit(monkeypatch, bare)
        assert f"run {bare}: its recorded config cannot be used here: " in said
        assert reason in said
        assert len(said.splitlines()) <= 2
    (record,) = workdir.glob("mlruns/*/*/artifacts/config/resolved.yaml")
    record.unlink()
    record.symlink_to("/etc/passwd")  # MLflow follows no links that leave the run's folder
    said = main_exit(monkeypatch, bare)
    assert said.startswith(f"mnist_exp: run {bare}: its record cannot be read (")
    assert len(client.search_runs(["1"])) == 1


def test_stores_that_cannot_be_used(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = main_exit(monkeypatch, "0" * 32)
    assert said.startswith(f"mnist_exp: {'0' * 32}: no such run in sqlite:///{workdir}/mlflow.db\n")
    (workdir / "text.db").write_text("no database" * 100)
    for uri, named in (
        ("sqlite:///text.db", f"{workdir}/text.db: "),
        ("http://127.0.0.1:9", "tracking.uri=http://127.0.0.1:9: "),
        ("nonsense://x", "tracking.uri=nonsense://x: "),
    ):
        started = time.monotonic()
        said = main_exit(monkeypatch, "0" * 32, f"tracking.uri={uri}")
        assert said.startswith(f"mnist_exp: {named}")
        assert len(said.splitlines()) <= 2
        assert time.monotonic() - started < 60  # MLflow's own settings wait for minutes
    assert f"there is no database {workdir}/none.db" in main_exit(
        monkeypatch, "0" * 32, "tracking.uri=sqlite:///none.db"
    )
    assert not (workdir / "none.db").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "expected one RUN_ID, found none\nusage: "),
        (["a", "b"], "expected one RUN_ID, found a b\nusage: "),
        (
            ["a", "seed=3"],
            "seed=3: a rerun has its run's settings; only tracking.uri=URI can be given",
        ),
    ],
)
def test_mistakes_on_the_command_line(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main_exit(monkeypatch, *arguments).startswith(f"mnist_exp: {said}")


def test_help_and_mistakes_load_no_tensorflow(workdir: Path) -> None:
    code = (
        "import sys, runpy; sys.argv = ['rerun', sys.argv[1]]\n"
        "try: runpy.run_module('mnist_exp.rerun', run_name='__main__')\n"
        "except SystemExit as end: print(end.code, file=sys.stderr)\n"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib') if name in sys.modules])"
    )
    for argument, said in (
        ("--help", "usage: python -m mnist_exp.rerun RUN_ID"),
        ("0" * 32, "no such run"),
    ):
        command = [sys.executable, "-c", code, argument]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert said in done.stdout + done.stderr
        assert done.stdout.splitlines()[-1] == "[]"


def recorded(**changes: Any) -> TrackedRun:
    """A finished run of two epochs, made by hand."""
    whole = TrackedRun(
        run_id="a",
        name="run",
        status="FINISHED",
        started="2026-01-01 00:00",
        params={"model": "softmax", "seed": "0"},
        tags={"git.commit": "c" * 40},
        metrics={"train/cost": {1: "0.5", 2: "0.25"}, "val/accuracy": {1: "0.5", 2: "0.5"}},
        files={
            "env/packages.txt": b"numpy==2.0\nkeras==3.1\n",
            "env/hardware.json": b'{"cores": 2}',
        },
    )
    return replace(whole, **changes)


@pytest.mark.parametrize(
    ("metrics", "verdict"),
    [
        ({"train/cost": {1: "0.5"}}, "train/cost differs from epoch 2 on: 0.25 against nothing"),
        ({"val/accuracy": {}}, "val/accuracy only in the first run"),
        ({"x": {1: "1.0"}}, "x only in the rerun"),
        (
            {"train/cost": {1: "0.5", 2: "nan"}},
            "train/cost differs from epoch 2 on: 0.25 against nan",
        ),
        (
            {"train/batch_accuracy": {0: "0.1"}, "val/accuracy": {}},
            "train/batch_accuracy only in the rerun; nor are 1 other metrics",
        ),
    ],
)
def test_what_is_not_identical(metrics: dict, verdict: str) -> None:
    first = recorded()
    comparison = compare(first, recorded(run_id="b", metrics={**first.metrics, **metrics}))
    assert not comparison.identical
    assert comparison.verdict() == f"not identical: {verdict}"


def test_what_a_clock_measured_does_not_count() -> None:
    first = recorded()
    timed = {"time/epoch_seconds": {1: "3.0"}, "system/cpu": {0: "1.0"}}
    assert compare(first, recorded(metrics={**first.metrics, **timed})).identical


def test_runs_without_metrics_are_not_identical() -> None:
    assert not compare(recorded(metrics={}), recorded(metrics={})).identical


def test_a_first_run_without_a_whole_epoch() -> None:
    comparison = compare(recorded(status="KILLED", metrics={}), recorded())
    assert not comparison.identical
    assert comparison.verdict() == (
        "not identical: nothing to compare, the first run is KILLED without a whole epoch"
    )


def test_a_rerun_that_did_not_finish_is_not_identical() -> None:
    comparison = compare(recorded(), recorded(status="FAILED"))
    assert comparison.verdict() == "not identical: the rerun ended FAILED"
    assert not comparison.identical


def test_environment_differences() -> None:
    first = recorded()
    files = {
        "env/packages.txt": b"numpy==2.1\nrich==14\n",
        "env/hardware.json": b'{"cores": 4, "new": null}',
    }
    assert environment_differences(first, first) == []
    assert environment_differences(first, recorded(files=files)) == [
        "keras: 3.1 -> not installed",
        "numpy: 2.0 -> 2.1",
        "rich: not installed -> 14",
        "cores: 2 -> 4",
    ]
    assert environment_differences(first, recorded(files={})) == [
        "env/packages.txt: not recorded in the rerun",
        "env/hardware.json: not recorded in the rerun",
    ]


def test_code_differences() -> None:
    first = recorded()
    assert code_differences(first, first) == []
    diff = b"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"
    dirty = recorded(
        files={**first.files, "env/git.diff": diff, "env/git_left_out.txt": b"big: too large\n"}
    )
    assert code_differences(dirty, recorded(tags={"git.commit": "d" * 40})) == [
        "commit cccccccccccc -> dddddddddddd",
        "uncommitted changes: x.py -> none (env/git.diff of both runs)",
        "changed files that are not recorded (env/git_left_out.txt of both runs)",
    ]


def test_dirty_code_is_shown(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real checkout whose code changes between a run and its rerun; the change is in the record, and applies."""
    from mnist_exp.tracking import environment

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
    monkeypatch.setattr(environment, "_PACKAGE_DIR", checkout)
    monkeypatch.setattr(environment, "__file__", str(checkout / "code.py"))
    done = run(SMALL)
    changed = b"x = '\xe9'\r\n"
    (checkout / "code.py").write_bytes(changed)
    (checkout / "new.py").write_text("y = 1\n")
    comparison = rerun(done.run_id)
    said = capsys.readouterr().out
    assert "code differs:\n  uncommitted changes: none -> code.py, new.py (env/git.diff" in said
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
        "model=mlp", "seed=3", "resume=auto", "tracking.uri=sqlite:///a.db", "+tags.x=y"
    )
    files = {
        "config/resolved.yaml": yaml.safe_dump(config.to_dict()).encode(),
        "config/overrides.yaml": b"[model=mlp, seed=3, resume=auto, 'tracking.uri=sqlite:///a.db']",
    }
    found = settings_of(
        recorded(files=files, params={"model": "mlp", "seed": "3"}), "sqlite:///b.db"
    )
    assert found.config.hash() == config.hash()
    assert found.config.seed == 3
    assert found.config.resume is None
    assert found.config.tracking.uri == "sqlite:///b.db"
    assert found.config.tags == {"x": "y", "rerun_of": "a"}
    assert found.choices == {"model": "mlp", "optimizer": "adam"}
    assert found.overrides == ("model=mlp", "seed=3", "tracking.uri='sqlite:///b.db'")
