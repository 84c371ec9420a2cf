"""A real MLflow server, one that never finishes its answer, and the drawing page's."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.surroundings import free_port
from tests.support.waiting import answers, until

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
