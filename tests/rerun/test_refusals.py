"""What the command refuses: data, records, stores and command lines that cannot be used."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mnist_exp import run
from tests.rerun.test_command import client_of, main_exit
from tests.support.runs import only_run

pytestmark = pytest.mark.usefixtures("bare_runs")


def test_data_that_is_gone_or_changed(
    workdir: Path, idx_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(
        ["model=softmax", f"data.dir={idx_folder}", "data.validation_size=50", "schedule.epochs=1"]
    )
    labels = idx_folder / "t10k-labels-idx1-ubyte"
    original = labels.read_bytes()
    labels.write_bytes(original[:-1] + bytes([(original[-1] + 1) % 10]))
    output = main_exit(monkeypatch, done.run_id)
    assert output.startswith(
        f"mnist_exp: run {done.run_id}: the data has changed since: data.digest was "
    )
    assert str(idx_folder) in output
    shutil.rmtree(idx_folder)
    output = main_exit(monkeypatch, done.run_id)
    assert (
        f"run {done.run_id}: its data cannot be used: data.dir={idx_folder}: no such folder"
        in output
    )
    assert len(output.splitlines()) <= 2
    assert only_run(workdir).info.run_id == done.run_id


def test_records_that_cannot_be_used(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(workdir)
    bare = client.create_run(client.create_experiment("x")).info.run_id
    output = main_exit(monkeypatch, bare)
    assert (
        output == f"mnist_exp: run {bare} has no record to repeat it from: "
        "its artifact config/resolved.yaml is missing"
    )
    for text, reason in (
        ("a: [", "while parsing"),
        ("- 1", "model: expected settings, found None"),
        ("model: {kind: resnet}\ndata: {}\noptimizer: {kind: sgd}", "model.kind=resnet"),
    ):
        client.log_text(bare, text, "config/resolved.yaml")
        output = main_exit(monkeypatch, bare)
        assert f"run {bare}: its recorded config cannot be used here: " in output
        assert reason in output
        assert len(output.splitlines()) <= 2
    (record,) = workdir.glob("mlruns/*/*/artifacts/config/resolved.yaml")
    record.unlink()
    record.symlink_to("/etc/passwd")  # MLflow follows no links that leave the run's folder
    output = main_exit(monkeypatch, bare)
    assert output.startswith(f"mnist_exp: run {bare}: its record cannot be read (")
    assert len(client.search_runs(["1"])) == 1


def test_stores_that_cannot_be_used(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = main_exit(monkeypatch, "0" * 32)
    assert output.startswith(
        f"mnist_exp: {'0' * 32}: no such run in sqlite:///{workdir}/mlflow.db\n"
    )
    (workdir / "text.db").write_text("no database" * 100)
    for uri, named in (
        ("sqlite:///text.db", f"{workdir}/text.db: "),
        ("http://127.0.0.1:9", "tracking.uri=http://127.0.0.1:9: "),
        ("nonsense://x", "tracking.uri=nonsense://x: "),
    ):
        started = time.monotonic()
        output = main_exit(monkeypatch, "0" * 32, f"tracking.uri={uri}")
        assert output.startswith(f"mnist_exp: {named}")
        assert len(output.splitlines()) <= 2
        assert time.monotonic() - started < 60  # MLflow's own settings wait for minutes
    assert f"there is no database {workdir}/none.db" in main_exit(
        monkeypatch, "0" * 32, "tracking.uri=sqlite:///none.db"
    )
    assert not (workdir / "none.db").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected one RUN_ID, found none\nusage: "),
        (["a", "b"], "expected one RUN_ID, found a b\nusage: "),
        (
            ["a", "seed=3"],
            "seed=3: a rerun has its run's settings; only tracking.uri=URI and trust_code=true can "
            + "be given",
        ),
    ],
)
def test_mistakes_on_the_command_line(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main_exit(monkeypatch, *arguments).startswith(f"mnist_exp: {message}")


@pytest.mark.slow
def test_help_and_mistakes_load_no_tensorflow(workdir: Path) -> None:
    code = (
        "import sys, runpy; sys.argv = ['rerun', sys.argv[1]]\n"
        "try: runpy.run_module('mnist_exp.rerun', run_name='__main__')\n"
        "except SystemExit as end: print(end.code, file=sys.stderr)\n"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib') if name in sys.modules])"
    )
    for argument, message in (
        ("--help", "usage: python -m mnist_exp.rerun RUN_ID"),
        ("0" * 32, "no such run"),
    ):
        command = [sys.executable, "-c", code, argument]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert message in done.stdout + done.stderr
        assert done.stdout.splitlines()[-1] == "[]"
