import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from mnist_exp import environment


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout that the package believes to run from."""
    monkeypatch.setattr(environment, "_PACKAGE_DIR", tmp_path)
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "code.py"))
    (tmp_path / "code.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    return tmp_path


def test_clean_checkout(checkout: Path) -> None:
    source = environment.source_version()
    assert source is not None
    assert source.commit == git(checkout, "rev-parse", "HEAD").strip()
    assert not source.dirty


def test_uncommitted_change_is_kept(checkout: Path) -> None:
    (checkout / "code.py").write_text("x = 2\n")
    source = environment.source_version()
    assert source is not None
    assert source.dirty
    assert "+x = 2" in source.diff


def test_installed_without_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_PACKAGE_DIR", tmp_path)
    assert environment.source_version() is None


def test_another_projects_checkout_is_not_ours(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment inside somebody's repository."""
    (checkout / "venv").mkdir()
    monkeypatch.setattr(environment, "__file__", str(checkout / "venv" / "untracked.py"))
    assert environment.source_version() is None


def test_packages_and_hardware() -> None:
    assert f"numpy=={version('numpy')}\n" in environment.packages()
    facts = environment.hardware()
    assert facts["cpu"]
    assert facts["cores"] >= 1  # type: ignore[operator]
