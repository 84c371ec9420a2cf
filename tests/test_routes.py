"""A proxy and a certificate that stand in the way are named, with what to set."""

import pytest

from mnist_exp.routes import advice

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CERTIFICATE = OSError("Max retries exceeded (SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] self-signed'))")


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
    said = advice(uri, OSError("403"))
    assert variable.lower() in said
    assert "proxy.example:3128" in said
    assert "secret" not in said
    host = said.partition("no_proxy=")[2].partition(" ")[0]
    monkeypatch.setenv("no_proxy", host)
    assert advice(uri, OSError("403")) == ""


def test_a_certificate_is_asked_for() -> None:
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH=" in advice("https://localhost:5000", CERTIFICATE)


@pytest.mark.parametrize("uri", ["sqlite:////a/mlflow.db", "postgresql://h/d", "http://h", "databricks", ""])
def test_otherwise_nothing_is_added(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert advice(uri, OSError("no")) == ""
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    assert advice(uri, OSError("no")) == ""
