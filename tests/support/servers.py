"""Real servers of MLflow, one that never finishes its answer, and the drawing page's."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.surroundings import free_port
from tests.support.waiting import LIMIT, answers, until

if TYPE_CHECKING:
    from mnist_exp.predict import drawing
    from mnist_exp.predict.trained_models import TrainedModel


class MlflowServer:
    """`mlflow server` on the database in a folder; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        command += ["--artifacts-destination", str(self.folder / "served")]
        self._process = subprocess.Popen(
            command,
            start_new_session=True,
            env={key: text for key, text in os.environ.items() if not key.startswith("MLFLOW_")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: answers(f"{self.uri}/health"), "the MLflow server")

    def kill(self) -> None:
        """End it and its workers at once, if it runs."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def model_server(model: str, store: str, folder: Path) -> Iterator[str]:
    """`mlflow models serve` of a model's URI; yield where it answers questions."""
    port = free_port()
    serve = ["models", "serve", "-m", model, "--env-manager", "local", "--port", str(port)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {
        "MLFLOW_TRACKING_URI": store,
        # MLflow calls uvicorn.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with (folder / "served.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *serve],
            env=environment,
            cwd=folder,
            start_new_session=True,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            until(
                lambda: answers(f"http://127.0.0.1:{port}/ping") or process.poll() is not None,
                "the model server",
            )
            assert process.poll() is None, (folder / "served.log").read_text()
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(LIMIT)


def ask(endpoint: str, body: Any) -> tuple[int, Any]:
    """Return (status, answer) of a model server to JSON, or to a text in CSV."""
    kind, text = (
        ("text/csv", body) if isinstance(body, str) else ("application/json", json.dumps(body))
    )
    request = urllib.request.Request(endpoint, text.encode(), {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """A server that sends `head` and then a byte now and then; yield its address.

    No timeout of a connection, which begins anew with each byte, ever comes.
    """
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(head)
            while not over.wait(0.1):
                connection.sendall(b"x")

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=[server.accept()[0]], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()


@contextmanager
def served(
    models: "Sequence[TrainedModel]", roles: Mapping[str, str]
) -> "Iterator[drawing.Server]":
    """The drawing page's server, which answers from a thread."""
    from mnist_exp.predict import drawing

    with drawing.serving(models, roles) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
