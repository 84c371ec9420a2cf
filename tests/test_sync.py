"""A real MLflow server that dies while a run goes on."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from tests.support.servers import MlflowServer
from tests.support.waiting import LIMIT, until


@pytest.fixture
def server(workdir: Path) -> Iterator[MlflowServer]:
    """A server on the folder's database; it is not started yet."""
    server = MlflowServer(workdir)
    yield server
    server.kill()


def cli(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


@pytest.mark.slow
def test_server_killed_mid_run_loses_nothing(workdir: Path, server: MlflowServer) -> None:
    server.start()
    overrides = [
        "preflight=off",
        "model=softmax",
        "schedule.epochs=200",
        "data.eval_limit=1000",
        f"tracking.uri={server.uri}",
    ]
    log = workdir / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "mnist_exp", *overrides],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    until(lambda: "Epoch: 0020" in log.read_text() or process.poll() is not None, "epoch 20")
    assert process.poll() is None, log.read_text()
    server.kill()
    killed_at = time.monotonic()
    assert process.wait(timeout=LIMIT) == 0, log.read_text()
    trained_in = time.monotonic() - killed_at
    text = log.read_text()
    assert "MLflow cannot be reached" in text
    assert "python -m mnist_exp.sync" in text
    assert "Traceback" not in text
    assert "Epoch: 0200" in text
    assert trained_in < 180  # 180 epochs of half a second, and no stall of minutes

    unreachable = cli("mnist_exp.sync")
    assert unreachable.returncode == 1
    assert "cannot take what waits" in unreachable.stderr
    assert "Traceback" not in unreachable.stderr

    server.start()
    sent = cli("mnist_exp.sync")
    assert sent.returncode == 0, sent.stderr
    assert f"records sent to {server.uri}" in sent.stdout
    assert cli("mnist_exp.sync").stdout == "Nothing waits to be sent.\n"

    assert_whole(workdir)


def assert_whole(workdir: Path) -> None:
    """Assert that the folder's one run has each of its 200 epochs once, its model and figures."""
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    (run,) = client.search_runs(["1"])
    assert run.info.status == "FINISHED"
    for name in ("train/cost", "test/accuracy", "time/epoch_seconds"):
        steps = [metric.step for metric in client.get_metric_history(run.info.run_id, name)]
        assert sorted(steps) == list(range(1, 201))
    assert run.outputs is not None
    assert len(run.outputs.model_outputs) == 1
    assert {path.name for path in (workdir / "served").rglob("*.png")} >= {
        "learning_curves.png",
        "mistakes.png",
    }


@pytest.mark.slow
def test_next_run_in_the_folder_sends_what_waits(
    workdir: Path, server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_exp import run
    from mnist_exp.experiment.console import Reporter
    from mnist_exp.tracking.unsent import pending

    server.start()
    quick = [
        "preflight=off",
        "model=softmax",
        "data.train_limit=500",
        "data.eval_limit=100",
        f"tracking.uri={server.uri}",
    ]
    original = Reporter.epoch

    def epoch(self: Reporter, result: object, *rest: object) -> None:
        original(self, result, *rest)  # type: ignore[arg-type]
        if result.epoch == 2:  # type: ignore[attr-defined]
            server.kill()

    monkeypatch.setattr(Reporter, "epoch", epoch)
    cut = run([*quick, "schedule.epochs=3"])
    assert [queue.run_id for queue in pending()] == [cut.run_id]
    monkeypatch.setattr(Reporter, "epoch", original)
    server.start()
    run([*quick, "schedule.epochs=1"])
    assert pending() == []
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    assert client.get_run(cut.run_id).info.status == "FINISHED"
    assert [m.step for m in client.get_metric_history(cut.run_id, "val/cost")] == [1, 2, 3]
