import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mnist_exp.tracking import source_version as module
from mnist_exp.tracking.source_version import SourceVersion, source_version


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout that the package believes to run from."""
    monkeypatch.setattr(module, "_PACKAGE_DIR", tmp_path)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "code.py"))
    (tmp_path / "code.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    return tmp_path


def test_clean_checkout(checkout: Path) -> None:
    source = source_version()
    assert source is not None
    assert source.commit == git(checkout, "rev-parse", "HEAD").strip()
    assert not source.dirty


def test_uncommitted_change_is_kept(checkout: Path) -> None:
    (checkout / "code.py").write_text("x = 2\n")
    source = source_version()
    assert source is not None
    assert source.dirty
    assert b"+x = 2" in source.diff


def apply(checkout: Path, source: SourceVersion, folder: Path) -> Path:
    """A fresh clone at the recorded commit with the recorded diff applied."""
    git(checkout, "clone", "-q", str(checkout), str(folder))
    git(folder, "checkout", "-q", source.commit)
    patch = folder.with_suffix(".diff")
    patch.write_bytes(source.diff)
    git(folder, "apply", str(patch))
    return folder


def contents(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Return {path: (bytes or a link's target, is executable)} of what git does not ignore."""
    names = git(
        folder, "-c", "core.quotePath=false", "ls-files", "-z", "-co", "--exclude-standard"
    ).split("\0")
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
    (checkout / "becomes_link.py").write_text("a file\n")
    (checkout / "becomes_file.py").symlink_to("code.py")
    (checkout / ".gitignore").write_text("ignored/\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "more")
    (checkout / "deleted.py").unlink()
    for name in ("becomes_link.py", "becomes_file.py"):
        (checkout / name).unlink()
    (checkout / "becomes_link.py").symlink_to("code.py")
    (checkout / "becomes_file.py").write_text("a file\n")
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
    for setting, value in (
        ("color.ui", "always"),
        ("diff.external", "false"),
        ("diff.renames", "copies"),
    ):
        git(checkout, "config", setting, value)
    monkeypatch.setenv("GIT_DIR", "/proc/nope")
    source = source_version()
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
    source = source_version()
    assert source is not None
    assert b"+x = 3" in source.diff
    assert state() == before


def test_large_untracked_files_are_named_instead_of_kept(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(module, "_MAX_TOTAL_BYTES", 1500)
    for name, size in (("big", 1001), ("a", 700), ("b", 800), ("c", 900)):
        (checkout / name).write_bytes(b"x" * size)
    (checkout / "nested").mkdir()
    git(checkout / "nested", "init", "-q")
    (checkout / "nested" / "file").touch()
    source = source_version()
    assert source is not None
    assert source.note.splitlines() == [
        "big: untracked, too large to keep (1,001 bytes)",
        "c: untracked, too large to keep (900 bytes)",
        "nested/: untracked, a git repository of its own",
    ]
    assert b"b/a" in source.diff
    assert b"b/b" in source.diff


def test_a_name_that_is_not_utf_8_is_escaped(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a file that was unpacked from an archive of another system; MLflow takes UTF-8 only."""
    monkeypatch.setattr(module, "_MAX_FILE_BYTES", 0)
    (checkout / os.fsdecode(b"r\xe9.jpg")).write_text("x")
    source = source_version()
    assert source is not None
    assert source.note == "r\\udce9.jpg: untracked, too large to keep (1 bytes)\n"


TOKEN = (
    "ghp" + "_" + "aB3" * 14
)  # put together here, so that no search for secrets finds one in this file


# The files of a checkout before it is changed.
COMMITTED = {
    "lab/code.py": "x = 1\n",
    "conf/a.yaml": "a: 1\n",
    "conf/b.yaml": "b: 1\n",
    "deleted.cfg": f"t={TOKEN}\n",
}
SECRETS = {
    **dict.fromkeys((".env", ".netrc", ".aws/credentials", ".pgpass", "id_rsa"), "canary"),
    **dict.fromkeys(("lab/id_ed25519", "lab/.env", "conf/server.pem", "lab/kubeconfig"), "canary"),
    **dict.fromkeys(("lab/service-account.json", "lab/mode.py"), "canary"),
    "lab/lab.py": f"canary\n{TOKEN}\n",
    "lab/tries.ipynb": f'{{"canary": "{TOKEN}"}}',
    "notebooks/plain.ipynb": "canary",
    "notes.txt": "canary",
    "conf/a.yaml": f"a: 2\ncanary: {TOKEN}\n",
}
HARMLESS = {
    "conf/b.yaml": "b: 2\n",
    "lab/new.py": "y = 1\n",
    "conf/model/new.yaml": "c: 1\n",
    "top.py": "z = 1\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def test_secrets_beside_the_code_stay_on_this_machine(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name, a mode, a place or the content gives them away; each is named with the reason."""
    monkeypatch.setattr(module, "_PACKAGE_DIR", checkout / "lab")
    monkeypatch.setattr(module, "__file__", str(checkout / "lab" / "code.py"))
    write(checkout, COMMITTED)
    (checkout / "conf" / "utf16.txt").write_bytes("a\n".encode("utf-16"))
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "more")
    write(checkout, SECRETS)
    (checkout / "lab" / "mode.py").chmod(0o600)
    (checkout / "deleted.cfg").unlink()
    (checkout / "conf" / "utf16.txt").write_bytes(f"canary {TOKEN}".encode("utf-16"))
    (checkout / "staged.py").write_text(f"canary = '{TOKEN}'\n")
    git(checkout, "add", "staged.py")
    write(checkout, HARMLESS)
    source = source_version()
    assert source is not None
    assert b"canary" not in source.diff
    assert TOKEN.encode() not in source.diff
    lines = dict(line.split(": ", 1) for line in source.note.splitlines())
    assert set(lines) == {*SECRETS, "deleted.cfg", "conf/utf16.txt", "staged.py"}
    by_mode = "untracked, by its mode a secret: nobody but its owner may read it"
    assert lines["lab/mode.py"] == by_mode
    assert lines["lab/lab.py"] == "untracked, holds a token"
    assert lines["conf/a.yaml"] == "its change, holds a token"
    assert lines["id_rsa"] == "untracked, by its name a secret"
    assert lines["notes.txt"] == "untracked, not where code and configs are"
    fresh = apply(checkout, source, tmp_path_factory.mktemp("fresh") / "clone")
    assert {name: (fresh / name).read_text() for name in HARMLESS} == HARMLESS
    assert (fresh / "conf" / "a.yaml").read_text() == "a: 1\n"


RESULTS = ("compare.html", "notes.md", "results-quick/results.csv", "my_conf/mine.yaml")
BESIDE = ("lab/three.png", "conf/notes.md", "lab/.ipynb_checkpoints/a.py")


@pytest.mark.parametrize(
    "changed", ["lab/new.py", "conf/model/new.yaml", "top.py", "lab/page.html"]
)
def test_results_notes_and_pictures_are_no_change_of_the_code(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """A tracked file of any kind is one, and so is a module or a config that is new."""
    monkeypatch.setattr(module, "_PACKAGE_DIR", checkout / "lab")
    committed = ("lab/code.py", "lab/page.html", "conf/a.yaml", "docs/results/results.csv")
    for name in committed:
        (checkout / name).parent.mkdir(exist_ok=True, parents=True)
        (checkout / name).write_text("1\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "more")
    for name in (*RESULTS, *BESIDE, "docs/results/results.csv"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("2\n")
    for recorded in ("diff", "commit"):
        source = source_version(recorded)
        assert source is not None
        assert not source.dirty
        assert source.note
    (checkout / changed).parent.mkdir(exist_ok=True)
    (checkout / changed).write_text("2\n")
    for recorded in ("diff", "commit"):
        source = source_version(recorded)
        assert source is not None
        assert source.dirty


def test_where_all_files_are_private_the_mode_says_nothing(checkout: Path) -> None:
    for name in ("code.py", "new.py"):
        (checkout / name).write_text("x = 3\n")
        (checkout / name).chmod(0o600)
    source = source_version()
    assert source is not None
    assert source.note == ""
    assert b"b/new.py" in source.diff


def test_what_is_recorded_of_the_code_is_a_setting(checkout: Path) -> None:
    clean = source_version("commit")
    assert clean is not None
    assert not clean.dirty
    (checkout / "code.py").write_text("x = 2\n")
    (checkout / "new.py").write_text("x = 2\n")
    source = source_version("commit")
    assert source is not None
    assert source.commit == clean.commit
    assert source.dirty
    assert source.diff == b""
    assert source.note == "tracking.code=commit: what is not committed is not recorded\n"
    assert source_version("off") is None


def test_a_great_number_of_files_is_not_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_LEFT_OUT", 3)
    for i in range(5):
        (checkout / f".hidden{i}").touch()
    source = source_version()
    assert source is not None
    assert source.note.splitlines()[-1] == "and 2 more files"


def test_broken_git_costs_a_note_at_most(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "code.py").write_text("x = 2\n")
    original = module._git

    def broken(folder: Path, command: str, *arguments: str, **options: Any) -> bytes:
        if command == "add":
            raise subprocess.TimeoutExpired("git add", 10)
        return original(folder, command, *arguments, **options)

    monkeypatch.setattr(module, "_git", broken)
    source = source_version()
    assert source is not None
    assert source.commit
    assert source.dirty
    assert "timed out" in source.note
    monkeypatch.undo()
    monkeypatch.setattr(module, "_PACKAGE_DIR", checkout)
    monkeypatch.setattr(module, "__file__", str(checkout / "code.py"))
    (checkout / ".git" / "index").write_bytes(b"garbage")
    assert source_version() is None
    monkeypatch.setenv("PATH", "/proc/nope")
    assert source_version() is None


def test_checkout_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE_DIR", tmp_path)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "code.py"))
    (tmp_path / "code.py").touch()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    assert source_version() is None


def test_installed_without_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE_DIR", tmp_path)
    assert source_version() is None


def test_another_projects_checkout_is_not_ours(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment inside somebody's repository."""
    (checkout / "venv").mkdir()
    monkeypatch.setattr(module, "__file__", str(checkout / "venv" / "untracked.py"))
    assert source_version() is None
