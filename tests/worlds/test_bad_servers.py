"""A run trains behind a proxy that refuses, answers nonsense or takes its time."""

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mlflow
import pytest

from mnist_exp import run
from mnist_exp.experiment.console import Reporter
from mnist_exp.tracking import delivery, outbox
from mnist_exp.tracking.unsent import pending
from tests.support.servers import MlflowServer
from tests.support.waiting import LIMIT

pytestmark = pytest.mark.slow
SETTINGS = (
    "preflight=off",
    "model=softmax",
    "data.train_limit=200",
    "data.eval_limit=100",
    "schedule.epochs=4",
)
Answer = Callable[[BaseHTTPRequestHandler], bool]  # whether it has answered, instead of the server


def with_status(status: int, body: bytes = b"<html>no</html>") -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
        return True

    return answer


def drops(request: BaseHTTPRequestHandler) -> bool:
    request.connection.close()
    return True


def slow(request: BaseHTTPRequestHandler) -> bool:
    time.sleep(1)
    return False


def drips(request: BaseHTTPRequestHandler) -> bool:
    """Bytes that never become an answer, until the client has had enough."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    with contextlib.suppress(OSError):
        for _ in range(3000):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.1)
    return True


class Proxy:
    """Passes requests on, unless `answer` answers them itself."""

    def __init__(self, target: int) -> None:
        self.answer: Answer = lambda request: False
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def handle_one_request(self) -> None:
                with contextlib.suppress(OSError, ValueError):
                    super().handle_one_request()

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _pass_on(self) -> None:
                body = self._body()
                if proxy.answer(self):
                    self.close_connection = True
                    return
                connection = http.client.HTTPConnection("127.0.0.1", target, timeout=LIMIT)
                headers = {
                    key: value for key, value in self.headers.items() if key != "Transfer-Encoding"
                }
                connection.request(
                    self.command, self.path, body, headers | {"Content-Length": str(len(body))}
                )
                answered = connection.getresponse()
                content = answered.read()
                self.send_response(answered.status)
                self.send_header(
                    "Content-Type", answered.headers.get("Content-Type", "application/json")
                )
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.uri = f"http://127.0.0.1:{self._server.server_port}"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Proxy]:
    """In front of a real server with one worker."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    server = MlflowServer(folder)
    try:
        server.start()
        yield Proxy(server.port)
    finally:
        server.kill()


TROUBLES = {
    "401": with_status(401),
    "403": with_status(403, b'{"error_code": "PERMISSION_DENIED", "message": "not yours"}'),
    "404": with_status(404),
    "502": with_status(502),
    "a page": with_status(200),
    "no answer": drops,
    "slow": slow,
    "drips": drips,
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_in_the_middle_of_a_run(
    proxy: Proxy,
    workdir: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Training goes on, results wait on disk, and `sync` makes the record what it should be."""
    monkeypatch.setattr(outbox, "_GRACE_SECONDS", 3.0)
    monkeypatch.setattr(outbox, "_LAST_SECONDS", 3.0)
    original, trained = Reporter.epoch, list[float]()

    def epoch(self: Reporter, *rest: object) -> None:
        original(self, *rest)  # type: ignore[arg-type]
        trained.append(time.monotonic())
        proxy.answer = TROUBLES[name]

    monkeypatch.setattr(Reporter, "epoch", epoch)
    try:
        run_id = run([*SETTINGS, f"tracking.uri={proxy.uri}", f"run_name={name}"]).run_id
    finally:
        proxy.answer = lambda request: False
    assert trained[-1] - trained[0] < 60
    out = capsys.readouterr().out
    assert "meanwhile" in out
    assert [queue.run_id for queue in pending()] == [run_id]
    for queue in pending():
        delivery.sync(queue)
    assert pending() == []
    client = mlflow.MlflowClient(proxy.uri)
    tracked = client.get_run(run_id)
    assert tracked.info.status == "FINISHED"
    for metric in ("train/cost", "val/accuracy", "time/epoch_seconds"):
        assert sorted(m.step for m in client.get_metric_history(run_id, metric)) == [1, 2, 3, 4]
    assert tracked.outputs is not None
    (output,) = tracked.outputs.model_outputs
    assert client.get_logged_model(output.model_id).status == "READY"
    names = {entry.path for entry in client.list_artifacts(run_id, "figures")}
    assert {"figures/learning_curves.png", "figures/mistakes.png"} <= names


def test_a_slow_server_from_the_start_to_the_end(
    proxy: Proxy, workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of fifty calls takes seconds: the run waits for some, the rest is sent beside it."""
    monkeypatch.setattr(outbox, "_GRACE_SECONDS", 3.0)
    monkeypatch.setattr(outbox, "_LAST_SECONDS", 3.0)
    proxy.answer = slow
    try:
        run_id = run([*SETTINGS, f"tracking.uri={proxy.uri}", "run_name=slow"]).run_id
    finally:
        proxy.answer = lambda request: False
    assert "MLflow takes long to answer" in capsys.readouterr().out
    for queue in pending():
        delivery.sync(queue)
    client = mlflow.MlflowClient(proxy.uri)
    assert client.get_run(run_id).info.status == "FINISHED"
    assert sorted(m.step for m in client.get_metric_history(run_id, "train/cost")) == [1, 2, 3, 4]
    inputs = client.get_run(run_id).inputs
    assert inputs is not None
    assert len(inputs.dataset_inputs) == 3
