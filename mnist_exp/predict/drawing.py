"""Serve a page on this machine on which a person draws a digit and sees it classified.

It consists of http.server, drawing.html and drawing.js; nothing is sent over the network.
"""

import base64
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_exp.errors import UserError
from mnist_exp.predict.cards import card

if TYPE_CHECKING:
    from mnist_exp.predict.trained_models import TrainedModel

MOST_BYTES = 1_000_000  # of a request; the page's drawings have a few thousand
_FILES = {
    "/": ("drawing.html", "text/html; charset=utf-8"),
    "/drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
}
_SECONDS = 10.0  # that a request may take to arrive
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'unsafe-inline'; img-src data:; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingHTTPServer):
    """A server on a free port that answers only this machine."""

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, models: "Sequence[TrainedModel]", roles: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models = models
        self.cards = [card(model, roles) for model in models]
        self.one_at_a_time = threading.Lock()
        # An attacker may point the name of a site to 127.0.0.1; its page still sends that name (DNS
        # rebinding).
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless a page was closed before its answer came."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


@contextmanager
def serving(
    models: "Sequence[TrainedModel]", roles: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Yield a server that is bound but not started, and close it at the end.

    `roles` are the ids of the runs that are `latest` and `best`, by these words. The server's
    `serve_forever` ends with KeyboardInterrupt.
    """
    server = Server(models, roles or {})
    try:
        yield server
    finally:
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """GET / is the page, /models describes the runs, and POST /classify reads a PNG with each."""

    server: Server
    timeout = _SECONDS
    server_version, sys_version = "mnist_exp", ""

    def do_GET(self) -> None:
        """Answer with the page, its script, or the runs' cards."""
        if self._refused():
            return
        if self.path in _FILES:
            name, kind = _FILES[self.path]
            self._answer(HTTPStatus.OK, Path(__file__).with_name(name).read_bytes(), kind)
        elif self.path == "/models":
            self._json(HTTPStatus.OK, self.server.cards)
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": "no such page"})

    def do_POST(self) -> None:
        """Classify the PNG in the request, or answer what is wrong with it."""
        if self._refused():
            return
        if self.path != "/classify":
            self._json(HTTPStatus.NOT_FOUND, {"error": "no such page"})
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._json(HTTPStatus.LENGTH_REQUIRED, {"error": "expected a Content-Length"})
        elif len(length) > 12 or int(length) > MOST_BYTES:
            reason = f"expected at most {MOST_BYTES:,} bytes"
            self._json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": reason})
        elif self.headers.get("Content-Type") != "image/png":
            self._json(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"error": "expected image/png"})
        else:
            self._classify(self.rfile.read(int(length)))

    def _classify(self, content: bytes) -> None:
        """Answer with each run's prediction for a picture's file, or with what is wrong with it."""
        picture = base64.b64encode(content).decode()
        try:
            with self.server.one_at_a_time:
                predictions = [model.predict(picture) for model in self.server.models]
        except UserError as error:
            # That is an answer, too: with another status the browser would report an error.
            self._json(HTTPStatus.OK, {"error": str(error)})
            return
        answers = [
            {
                "digit": prediction.label,
                "doubt": prediction.doubt,
                "probabilities": prediction.probabilities.tolist(),
                "pixels": prediction.pixels.ravel().tolist(),
            }
            for prediction in predictions
        ]
        self._json(HTTPStatus.OK, answers)

    def _refused(self) -> bool:
        """Answer a request with 403 if it comes from another site's page or through another name.

        Return whether it did.
        """
        origin = self.headers.get("Origin")
        ours = {f"http://{host}" for host in self.server.hosts}
        if self.headers.get("Host") in self.server.hosts and (origin is None or origin in ours):
            return False
        self._json(HTTPStatus.FORBIDDEN, {"error": f"this server answers {self.server.url} only"})
        return True

    def _json(self, status: HTTPStatus, content: Any) -> None:
        self._answer(status, json.dumps(content).encode(), "application/json")

    def _answer(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.close_connection = True  # what was refused may have a body, which is not read
        self.send_response(status)
        headers = _HEADERS | {"Content-Type": kind, "Content-Length": str(len(content))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, so that the URL stays visible in the terminal."""
