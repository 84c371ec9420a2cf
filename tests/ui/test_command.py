"""`python -m mnist_exp.ui`: what a person reads, and that nothing is left running."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import mlflow
import pytest

from mnist_exp.errors import UserError
from mnist_exp.tracking import links
from mnist_exp.ui import server
from mnist_exp.ui.__main__ import _page, _parser, run
from tests.support.servers import MlflowServer
from tests.support.stores import refused
from tests.support.surroundings import free_port
from tests.support.waiting import LIMIT, until

OWN = {"config_hash": "c" * 12}  # of a run of this project


def test_a_folder_without_runs_is_told_in_two_lines(
    tmp_path: Path, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = refused(lambda: run([]))
    assert message.startswith(f"no runs here: sqlite:///{workdir}/mlflow.db has none\n")
    monkeypatch.chdir(tmp_path)
    message = refused(lambda: run([]))
    assert f"no runs here: there is no database {tmp_path}/mlflow.db" in message
    assert "MLFLOW_TRACKING_URI names another store" in message
    assert list(tmp_path.iterdir()) == [workdir]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "0"], "--port 0: expected a number from 1 to 65535"),
        (["--experiment", "mnist_ex"], "no such experiment; did you mean mnist_exp?"),
        (["--study", "variants"], "--study variants: no such study"),
        (["tracking.uri=nonsense"], "tracking.uri=nonsense: is no URI"),
    ],
)
def test_mistakes_are_answered_before_a_server_starts(
    arguments: list[str], message: str, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    client.create_run(client.create_experiment("mnist_exp"))
    monkeypatch.setattr(server, "running", None)
    assert message in refused(lambda: run(arguments))


def test_somebody_elses_experiment_is_not_the_first_and_stays_as_it_is(workdir: Path) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    own, carols = map(client.create_experiment, ("mnist_exp", "carol's"))
    mixed = client.create_experiment("mixed")

    def opened(*arguments: str) -> str:
        return _page(client, _parser().parse_args(arguments)).partition("/experiments/")[2]

    client.create_run(carols, start_time=3)
    client.create_run(mixed, start_time=2)
    assert opened() == f"{carols}/runs?workflowType=machine_learning"
    client.create_run(own, start_time=1, tags=OWN)
    assert opened().startswith(f"{own}/runs?")
    assert opened().endswith("viewStateShareKey=results")
    assert opened("--experiment", "carol's") == f"{carols}/runs?workflowType=machine_learning"
    assert client.get_experiment(carols).tags == {}
    client.create_run(mixed, start_time=1, tags=OWN)
    assert opened("--experiment", "mixed").endswith("viewStateShareKey=results")


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"--port {port}: is taken by another program"):
            server.choose_port(port)
    assert server.choose_port(port) == port


def test_a_port_that_is_not_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(UserError, match="--port 1: this system does not let you use it; expected"):
        server.choose_port(1)


def test_the_usual_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(server, "USUAL_PORT", taken.getsockname()[1])
        assert server.choose_port(None) not in (server.USUAL_PORT, 0)
    assert server.choose_port(None) == server.USUAL_PORT


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    uri = "no-such-store://"
    with server.running(uri, free_port()) as started, pytest.raises(UserError) as caught:
        started.wait_until_it_answers()
    assert "MLflow's server has ended: " in str(caught.value)
    assert started.process.poll() is not None


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGKILL, -9, marks=pytest.mark.slow)],
)
def test_it_serves_the_runs_until_it_ends_and_leaves_nothing(
    number: signal.Signals, code: int, workdir: Path
) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    experiment = client.create_experiment("mnist_exp")
    client.create_run(experiment, tags=OWN)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_exp.ui", "--no-browser", "--port", str(port)],
        env=os.environ | {"MLFLOW_STATIC_PREFIX": "/behind-a-proxy"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.strip())
        if "Ctrl-C" in line:
            break
    address = f"http://127.0.0.1:{port}/"
    where = f"{address}#/experiments/{experiment}/runs?workflowType=machine_learning"
    assert lines[0].startswith(f"Starting MLflow's server on sqlite:///{workdir}/mlflow.db")
    assert lines[1] == f"In links that were printed before, write {port} instead of 5000."
    assert links.server(f"sqlite:///{workdir}/mlflow.db") == address.rstrip("/")
    assert lines[-2:] == [f"{where}&viewStateShareKey=results", "Ctrl-C ends it."]
    with urlopen(address, timeout=LIMIT) as page:
        assert b"MLflow" in page.read()
    os.killpg(process.pid, number)  # as a terminal does
    rest, _ = process.communicate(timeout=LIMIT)
    assert (process.returncode, rest.strip()) == (code, "")
    until(lambda: not answers(port), "the end of the server")
    until(lambda: server.choose_port(port) == port, "the port")
    assert sorted(path.name for path in workdir.iterdir()) == [".mlflow.db.lock", "mlflow.db"]


@pytest.mark.slow
def test_a_tracking_servers_own_page_is_shown(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "running", None)
    mlflow_server = MlflowServer(workdir)
    mlflow_server.start()
    try:
        client = mlflow.MlflowClient(mlflow_server.uri)
        client.create_run(client.create_experiment("mnist_exp"))
        run(["--no-browser", f"tracking.uri={mlflow_server.uri}"])
        assert capsys.readouterr().out.startswith(f"{mlflow_server.uri}/#/experiments/")
    finally:
        mlflow_server.kill()
