"""A proxy and a certificate that stand in the way are named, with what to set."""

import http.server
import threading
import time

import pytest

from mnist_exp.tracking import routes
from mnist_exp.tracking.routes import advice
from tests.support.servers import dripping

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CERTIFICATE = OSError(
    "Max retries exceeded (SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] self-signed'))"
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variable", "uri"),
    [
        ("http_proxy", "http://127.0.0.1:5000"),
        ("HTTPS_PROXY", "https://mlflow.example:443/mlflow"),
        ("all_proxy", "http://x"),
    ],
)
def test_a_proxy_is_named_without_its_password(
    variable: str, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://me:secret@proxy.example:3128")
    line = advice(uri, OSError("403"))
    assert variable.lower() in line
    assert "proxy.example:3128" in line
    assert "secret" not in line
    host = line.partition("no_proxy=")[2].partition(" ")[0]
    monkeypatch.setenv("no_proxy", host)
    assert advice(uri, OSError("403")) == ""


def test_a_certificate_is_asked_for() -> None:
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH=" in advice("https://localhost:5000", CERTIFICATE)


def test_the_address_of_a_page_in_the_browser() -> None:
    assert advice("http://127.0.0.1:9/#/experiments/0", OSError("405")).endswith(
        "http://127.0.0.1:9/"
    )


@pytest.mark.parametrize(
    ("status", "words"), [(301, "sends requests on to https://mlflow.example/base;"), (404, "")]
)
def test_a_server_that_sends_requests_on(status: int, words: str) -> None:
    """A POST becomes a GET there, and the answer is about something else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", f"https://mlflow.example{self.path}")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer = advice(f"http://127.0.0.1:{server.server_port}/base/", OSError("max_results"))
        server.shutdown()
    assert words in answer
    assert bool(answer) == bool(words)


def test_a_server_that_drips_is_asked_for_no_longer_than_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routes, "_SECONDS", 0.5)
    with dripping(b"HTTP/1.1 301 Moved\r\n") as uri:
        began = time.monotonic()
        assert advice(uri, OSError("no")) == ""
    assert 0.5 <= time.monotonic() - began < 5


@pytest.mark.parametrize(
    "uri", ["sqlite:////a/mlflow.db", "postgresql://h/d", "http://127.0.0.1:9", "databricks", ""]
)
def test_otherwise_nothing_is_added(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert advice(uri, OSError("no")) == ""
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    assert advice(uri, OSError("no")) == ""
