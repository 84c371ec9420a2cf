import json
import os
import subprocess
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

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
    assert b"+x = 2" in source.diff


def apply(checkout: Path, source: environment.SourceVersion, folder: Path) -> Path:
    """A fresh clone at the recorded commit with the recorded diff applied."""
    git(checkout, "clone", "-q", str(checkout), str(folder))
    git(folder, "checkout", "-q", source.commit)
    patch = folder.with_suffix(".diff")
    patch.write_bytes(source.diff)
    git(folder, "apply", str(patch))
    return folder


def contents(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Every file outside .git that is not ignored: its bytes (a link's target) and whether it can be executed."""
    names = git(folder, "-c", "core.quotePath=false", "ls-files", "-z", "-co", "--exclude-standard").split(
        "\0"
    )
    paths = [folder / name for name in {*names} if name and os.path.lexists(folder / name)]
    return {
        str(path.relative_to(folder)): (
            os.readlink(path).encode() if path.is_symlink() else path.read_bytes(),
            os.access(path, os.X_OK),
        )
        for path in paths
    }


def test_the_diff_on_the_commit_gives_the_same_files(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the user's git settings say, and whatever is staged."""
    for name in ("deleted.py", "moved.py", "mode.sh", "staged.py", "windows.txt"):
        (checkout / name).write_bytes(b"one\r\ntwo\r\n" * 20)
    (checkout / "pixels.bin").write_bytes(bytes(range(256)))
    (checkout / ".gitignore").write_text("ignored/\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "more")
    (checkout / "deleted.py").unlink()
    (checkout / "moved.py").rename(checkout / "moved to.py")
    (checkout / "mode.sh").chmod(0o755)
    (checkout / "staged.py").write_text("staged\n")
    (checkout / "staged new.py").write_text("staged, then changed\n")
    git(checkout, "add", "staged.py", "staged new.py")
    (checkout / "staged new.py").write_text("changed\n")
    (checkout / "windows.txt").write_bytes(b"one\r\nthree\r\n\xff\xfe latin\r\nno end")
    (checkout / "pixels.bin").write_bytes(bytes(range(255, -1, -1)))
    (checkout / "new folder").mkdir()
    (checkout / "new folder" / "Größe\t'\".py").write_text("untracked = 1\n")
    (checkout / "new.bin").write_bytes(os.urandom(5000))
    (checkout / "empty.py").touch()
    (checkout / "link").symlink_to("code.py")
    (checkout / "ignored").mkdir()
    (checkout / "ignored" / "x.py").touch()
    for setting in ("diff.noprefix", "diff.mnemonicPrefix", "core.quotePath"):
        git(checkout, "config", setting, "true")
    for setting, value in (("color.ui", "always"), ("diff.external", "false"), ("diff.renames", "copies")):
        git(checkout, "config", setting, value)
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    source = environment.source_version()
    monkeypatch.delenv("GIT_DIR")
    assert source is not None
    assert source.note == ""
    git(checkout, "config", "diff.external", "")
    fresh = apply(checkout, source, tmp_path_factory.mktemp("fresh") / "clone")
    assert contents(fresh) == contents(checkout)
    assert not (fresh / "ignored").exists()


def test_the_record_leaves_the_repository_as_it_is(checkout: Path) -> None:
    (checkout / "new.py").write_text("x = 3\n")
    (checkout / "code.py").write_text("x = 2\n")

    def state() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in (checkout / ".git").rglob("*") if p.is_file()}

    before = state()
    source = environment.source_version()
    assert source is not None
    assert b"+x = 3" in source.diff
    assert state() == before


def test_large_untracked_files_are_named_instead_of_kept(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(environment, "_MAX_TOTAL_BYTES", 1500)
    for name, size in (("big", 1001), ("a", 700), ("b", 800), ("c", 900)):
        (checkout / name).write_bytes(b"x" * size)
    (checkout / "nested").mkdir()
    git(checkout / "nested", "init", "-q")
    (checkout / "nested" / "file").touch()
    source = environment.source_version()
    assert source is not None
    assert source.dirty
    assert source.note.splitlines() == [
        "big: untracked, too large to keep (1,001 bytes)",
        "c: untracked, too large to keep (900 bytes)",
        "nested/: untracked, a git repository of its own",
    ]
    assert b"b/a" in source.diff
    assert b"b/b" in source.diff


def test_broken_git_costs_a_note_at_most(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "code.py").write_text("x = 2\n")
    original = environment._git

    def broken(folder: Path, command: str, *arguments: str, **options: Any) -> bytes:
        if command == "add":
            raise subprocess.TimeoutExpired("git add", 10)
        return original(folder, command, *arguments, **options)

    monkeypatch.setattr(environment, "_git", broken)
    source = environment.source_version()
    assert source is not None
    assert source.commit
    assert source.dirty
    assert "timed out" in source.note
    monkeypatch.undo()
    monkeypatch.setattr(environment, "_PACKAGE_DIR", checkout)
    monkeypatch.setattr(environment, "__file__", str(checkout / "code.py"))
    (checkout / ".git" / "index").write_bytes(b"garbage")
    assert environment.source_version() is None
    monkeypatch.setenv("PATH", "/nonexistent")
    assert environment.source_version() is None


def test_checkout_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_PACKAGE_DIR", tmp_path)
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "code.py"))
    (tmp_path / "code.py").touch()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    assert environment.source_version() is None


def test_installed_without_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_PACKAGE_DIR", tmp_path)
    assert environment.source_version() is None


def test_another_projects_checkout_is_not_ours(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment inside somebody's repository."""
    (checkout / "venv").mkdir()
    monkeypatch.setattr(environment, "__file__", str(checkout / "venv" / "untracked.py"))
    assert environment.source_version() is None


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


def test_code_digest_tells_what_computes_from_what_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in Path(environment.__file__).parent.glob("*.py"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(environment, "_PACKAGE_DIR", tmp_path)

    def digest() -> str:
        environment.code_digest.cache_clear()
        return environment.code_digest()

    before = digest()
    (tmp_path / "figures.py").write_text("")
    assert digest() == before
    (tmp_path / "losses.py").write_text("")
    assert digest() != before
    environment.code_digest.cache_clear()
