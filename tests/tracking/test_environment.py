import importlib.metadata
import json
import platform
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking import environment


def test_packages_and_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    assert f"numpy=={version('numpy')}\n" in environment.packages()
    expected = {f"{dist.name}=={dist.version}" for dist in distributions()}
    assert set(environment.packages().splitlines()) == expected
    facts = environment.hardware()
    assert facts["cpu"]
    assert facts["cores"] >= 1  # type: ignore[operator]
    assert facts["memory_gib"] > 0  # type: ignore[operator]
    assert facts["OMP_NUM_THREADS"] == "3"
    assert facts["TF_ENABLE_ONEDNN_OPTS"] is None
    json.dumps(facts)


class Twice:
    """A package of which a second version was installed over the first."""

    def __init__(self, number: int, version: str) -> None:
        self.text = f"Name: p{number:02}\nVersion: {version}\n\nwords"

    def read_text(self, _: str) -> str:
        return self.text


def test_packages_that_are_there_twice_have_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a set of texts would be another one in each process."""
    both = [Twice(number, version) for number in range(20) for version in ("1.0", "1.1")]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: both)
    expected = [f"p{number:02}=={version}" for number in range(20) for version in ("1.0", "1.1")]
    assert environment.packages.__wrapped__().splitlines() == expected


def test_what_was_written_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    packages = environment.read_packages(environment.packages().encode())
    assert packages["numpy"] == version("numpy")
    facts = environment.read_hardware(json.dumps(environment.hardware()).encode())
    assert facts["python"] == platform.python_version()
    assert facts["OMP_NUM_THREADS"] == "3"
    assert facts["TF_ENABLE_ONEDNN_OPTS"] is None


def test_records_that_are_damaged_or_foreign() -> None:
    content = b"a==1\nb==2\n\xff\nno version\na==3\n\n"
    assert environment.read_packages(content) == {"a": "1, 3", "b": "2"}
    assert len(environment.read_packages(b"".join(b"p%d==1\n" % n for n in range(6000)))) == 5000
    recorded = b'{"cpu": "x\\u001b[1m", "cores": 2, "unset": null}'
    facts = environment.read_hardware(recorded)
    assert facts == {"cpu": clean("x\x1b[1m"), "cores": "2", "unset": None}
    assert environment.read_hardware(b"{") == environment.read_hardware(b"[]") == {}


def test_packages_with_odd_metadata_have_their_names(tmp_path: Path) -> None:
    """One has an author in Latin-1, one is of distutils, a file; one has no metadata at all."""
    (tmp_path / "latin-2.0.dist-info").mkdir()
    metadata = tmp_path / "latin-2.0.dist-info" / "METADATA"
    metadata.write_bytes("Name: latin\nVersion: 2.0\nAuthor: Jos\xe9\n".encode("latin-1"))
    (tmp_path / "old-1.0.egg-info").write_text("Name: old\nVersion: 1.0\n")
    (tmp_path / "bare-3.1.dist-info").mkdir()
    found = distributions(path=[str(tmp_path)])
    assert {environment._name_and_version(dist) for dist in found} == {
        *(("latin", "2.0"), ("old", "1.0"), ("bare", "3.1"))
    }
