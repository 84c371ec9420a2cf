"""MLflow's own server as a process of ours: started on a free port, waited for, and ended."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from mnist_exp.errors import UserError
from mnist_exp.outside.uris import masked
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking import ui_note

USUAL_PORT = 5000
_HOST = "127.0.0.1"  # nobody but this machine
_END_SECONDS = 5.0  # after which what is left of the server is killed
# MLflow's own settings of the server; what the user has set stays.
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # processes that evaluate language models
}
# Ends the server's processes when this program has ended in whichever way: its input ends then.
_WATCHER = """import contextlib, os, signal, sys
sys.stdin.buffer.read()
for note in sys.argv[2:]:
    with contextlib.suppress(OSError):
        os.unlink(note)
os.killpg(int(sys.argv[1]), signal.SIGTERM)"""
# A client's settings, or those of a job around this one, which a server would follow, too.
_UNSET = (
    *("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"),
    *("MLFLOW_STATIC_PREFIX", "_MLFLOW_STATIC_PREFIX", "MLFLOW_ARTIFACTS_ONLY"),
)

_FOR_ANYBODY = 1024  # the first port that every system lets everybody use


def choose_port(wanted: int | None) -> int:
    """Return the wanted port, or else 5000 if it is free, or else another free one.

    Raises UserError if the wanted port is taken, or there is none.
    """
    if wanted is not None:
        if wanted < _FOR_ANYBODY and isinstance(_refusal(wanted), PermissionError):
            raise UserError(
                f"--port {wanted}: this system does not let you use it; expected one from "
                f"{_FOR_ANYBODY} on"
            )
        if not _is_free(wanted):
            raise UserError(
                f"--port {wanted}: is taken by another program; without --port a free one is found"
            )
        return wanted
    if _is_free(USUAL_PORT):
        return USUAL_PORT
    try:
        with socket.create_server((_HOST, 0)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        raise UserError(f"{_HOST}: has no port for this program ({error.strerror})") from error


def _is_free(port: int) -> bool:
    """Return whether nobody answers at the port, and this process may use it."""
    with socket.socket() as caller:  # on macOS another program's port can be bound a second time
        caller.settimeout(1.0)
        if caller.connect_ex((_HOST, port)) == 0:
            return False
    return _refusal(port) is None


def _refusal(port: int) -> OSError | None:
    """Return why this process cannot use the port; None if it can."""
    try:
        with socket.create_server((_HOST, port)):
            return None
    except OSError as error:
        return error


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that has been started."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: IO[bytes]

    @property
    def address(self) -> str:
        """The address at which it answers, without a slash at the end."""
        return f"http://{_HOST}:{self.port}"

    def wait_until_it_answers(self) -> None:
        """Return when the server answers. Raises UserError with its last words if it ends."""
        while not self._answers():
            if self.process.poll() is not None:
                raise UserError(f"MLflow's server has ended: {self._last_words()}")
            time.sleep(0.1)

    def wait_until_it_ends(self) -> None:
        """Wait for its end, which nobody expects. Raises UserError then."""
        self.process.wait()
        raise UserError(f"MLflow's server has ended: {self._last_words()}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=5.0)  # past any proxy
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        """Return the last line that the server printed."""
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return clean(masked(lines[-1]), 300) if lines else "it said nothing"


@contextmanager
def running(uri: str, port: int) -> Iterator[Server]:
    """Run MLflow's server on the store with this `store_uri` for the block, with one worker."""
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--host", _HOST, "--port", str(port)]
    environment = {name: text for name, text in os.environ.items() if name not in _UNSET}
    # A URI may hold a password, and everybody on this machine can read a command line.
    environment = _QUIET | environment | {"MLFLOW_BACKEND_STORE_URI": uri}
    note = ui_note.place(uri)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us, and we end it
        )
        watcher = subprocess.Popen(
            [sys.executable, "-c", _WATCHER, str(process.pid), *([] if note is None else [note])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with ui_note.written(uri, port):
                yield Server(process=process, port=port, log=log)
        finally:
            watcher.kill()
            watcher.communicate()
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server and its workers, with force if pages that are open keep it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
