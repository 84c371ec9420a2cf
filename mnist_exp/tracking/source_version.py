"""Which code a run has: the git commit of this package's checkout, and what differs from it.

Nothing that looks like a secret leaves this machine with it (`credentials`).
"""

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import printable
from mnist_exp.tracking import credentials

_PACKAGE_DIR = Path(__file__).parent.parent

# Untracked files beyond these sizes are somebody's data or results: they are named, not kept.
_MAX_FILE_BYTES = 5 * 2**20
_MAX_TOTAL_BYTES = 20 * 2**20
_MOST_LEFT_OUT = 500  # files that are named
# Endings of code and configs: what else lies untracked beside them is somebody's notes or results.
_CODE_SUFFIXES = (".py", ".pyx", ".yaml", ".yml", ".toml", ".cfg", ".sh")
_PAGES = "docs/"  # tracked, and no code: `reproduce` writes its results there
_GIT_SECONDS = 10  # for one git command; a run does not wait longer for its record
# A git hook, or a shell that works on another repository, points git there with these.
_GIT_LOCATION = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
}


@dataclass(frozen=True, kw_only=True)
class SourceVersion:
    """The git commit of the package's checkout and what differs from it.

    `git apply` of `diff` on `commit` gives the same files, except for those that `note` names.
    """

    commit: str
    diff: bytes = b""
    """The changes that are not committed, untracked code included."""
    note: str = ""
    """A line for each changed file that `diff` lacks, with the reason."""
    dirty: bool
    """Whether the code differs from the commit: a tracked file, or untracked code beside it.

    Results, notes and pictures that lie in the checkout are no change of the code.
    """


def source_version(recorded: str = "diff", *, once: bool = False) -> SourceVersion | None:
    """Return the source version, as far as `tracking.code` ("diff", "commit", "off") records it.

    None if that is off, or if the package does not run from a git checkout, as when it was
    installed from a wheel. With `once`, git is asked once in a process: all trials of a worker run
    the code that it loaded for the first one.
    """
    if recorded == "off":
        return None
    source = _source_version_once() if once else _source_version()
    if recorded == "commit" and source is not None and (source.diff or source.note):
        note = "tracking.code=commit: what is not committed is not recorded\n"
        return replace(source, diff=b"", note=note)
    return source


@cache
def _source_version_once() -> SourceVersion | None:
    return _source_version()


def _source_version() -> SourceVersion | None:
    try:
        _git(_PACKAGE_DIR, "ls-files", "--error-unmatch", __file__)
        paths = ("--show-toplevel", "--git-path", "index", "--git-path", "objects", "HEAD")
        answer = os.fsdecode(_git(_PACKAGE_DIR, "rev-parse", *paths))
        top, index, objects, commit = answer.splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    try:
        # Git names its own files relative to the folder in which it was asked.
        return _uncommitted(commit, Path(top), _PACKAGE_DIR / index, _PACKAGE_DIR / objects)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        note = f"git could not tell what is not committed: {_last_line(error)}\n"
        return SourceVersion(commit=commit, note=note, dirty=True)


def _uncommitted(commit: str, top: Path, index: Path, objects: Path) -> SourceVersion:
    """Return the commit with the diff of all that is not committed in `top`.

    Git works on a copy of the index and writes to a folder of its own, so that the repository
    stays as it is.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy2(index, folder / "index")
        (folder / "objects").mkdir()
        scratch = {
            "GIT_INDEX_FILE": str(folder / "index"),
            "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects.absolute()),
        }
        others = ("ls-files", "-z", "--others", "--exclude-standard")
        untracked = _names(_git(top, *others, environment=scratch))
        in_place = _in_place(top, untracked)
        names, elsewhere = _to_keep(top, untracked, in_place)
        kept, left_out = _within_limits(top, names)
        _git(top, "add", "--update", environment=scratch)
        add = ("update-index", "-z", "--add", "--remove", "--stdin")
        _git(top, *add, given=b"\0".join(map(os.fsencode, kept)), environment=scratch)
        changed, diff = _difference(top, scratch)
        harmless, secret = _without_secrets(top, changed, diff, kept)
    lines = _shortened(sorted([*elsewhere, *left_out, *secret]))
    return SourceVersion(
        commit=commit,
        diff=harmless,
        note="".join(f"{printable(line)}\n" for line in lines),
        dirty=_code_changed(set(changed) - set(kept)) or any(map(_is_code, in_place)),
    )


def _code_changed(tracked: Iterable[str]) -> bool:
    """Return whether one of these changed files is more than a page of the documentation."""
    return not all(name.startswith(_PAGES) for name in tracked)


def _difference(top: Path, scratch: Mapping[str, str]) -> tuple[list[str], bytes]:
    """Return (the files that differ between HEAD and the index, their diff in the same order).

    Of a file that became a link, or the reverse, the diff has two parts, and its name is there
    twice.
    """
    # A plumbing command, and prefixes by name: nobody's settings make it a diff that `git apply`
    # cannot read.
    compare = ("diff-index", "--cached", "--no-renames")
    form = ("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
    changed = _names(_git(top, *compare, "--name-status", "-z", "HEAD", environment=scratch))
    diff = _git(top, *compare, "-p", *form, *prefixes, "HEAD", environment=scratch)
    parts = [
        [name] * (2 if status == "T" else 1)
        for status, name in zip(changed[::2], changed[1::2], strict=True)
    ]
    return [name for of_file in parts for name in of_file], diff


def _names(output: bytes) -> list[str]:
    """Return the names of files that git writes with -z."""
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _in_place(top: Path, untracked: Sequence[str]) -> set[str]:
    """Return the untracked files that lie where code and configs are."""
    if _PACKAGE_DIR.resolve() in (top.resolve(), *top.resolve().parents):
        return set(untracked)
    tracked = _names(_git(top, "ls-files", "-z", "--", "*.py", "*.yaml", "*.yml"))
    code_folders = {name.partition("/")[0] for name in tracked if "/" in name}
    return {
        name
        for name in untracked
        if name.partition("/")[0] in code_folders or ("/" not in name and _is_code(name))
    }


def _is_code(name: str) -> bool:
    """Return whether an untracked file is code or a config: by its ending, and not hidden."""
    return name.endswith((*_CODE_SUFFIXES, "/")) and not _is_hidden(Path(name).parts)


def _to_keep(
    top: Path, untracked: Iterable[str], in_place: Container[str]
) -> tuple[list[str], list[str]]:
    """Return (the untracked files in place that hold no secret, a line for each other)."""
    modes_say_nothing = _is_private(Path(__file__))
    names, left_out = [], []
    for name in untracked:
        if _is_hidden(Path(name).parts):
            reason = credentials.by_name(name) or "hidden"
        elif secret := credentials.by_name(name):
            reason = secret
        elif not modes_say_nothing and _is_private(top / name):
            reason = "by its mode a secret: nobody but its owner may read it"
        elif name not in in_place:
            reason = "not where code and configs are"
        else:
            names.append(name)
            continue
        left_out.append(f"{name}: untracked, {reason}")
    return names, left_out


def _is_hidden(parts: Iterable[str]) -> bool:
    """Return whether a path leads through a hidden file that is not one of git's for everybody."""
    return any(
        part.startswith(".") and part not in (".gitignore", ".gitattributes") for part in parts
    )


def _is_private(path: Path) -> bool:
    """Return whether it is a file that its owner alone may read."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and mode & 0o077 == 0


def _within_limits(top: Path, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return (the untracked files small enough to keep, a line for each of the others).

    The smallest are kept first.
    """
    sizes: dict[str, int] = {}
    left_out = []
    for name in names:
        path = top / name
        if name.endswith("/"):
            left_out.append(f"{name}: untracked, a git repository of its own")
        elif path.is_symlink() or (path.is_file() and os.access(path, os.R_OK)):
            sizes[name] = path.lstat().st_size
        elif path.exists():
            left_out.append(f"{name}: untracked, cannot be read")
    kept, total = [], 0
    for name, size in sorted(sizes.items(), key=lambda item: (item[1], item[0])):
        total += size
        if size <= _MAX_FILE_BYTES and total <= _MAX_TOTAL_BYTES:
            kept.append(name)
        else:
            left_out.append(f"{name}: untracked, too large to keep ({size:,} bytes)")
    return sorted(kept), left_out


def _without_secrets(
    top: Path, changed: list[str], diff: bytes, untracked: Iterable[str]
) -> tuple[bytes, list[str]]:
    """Return (the diff without the files that hold secrets, a line for each of those)."""
    parts = re.split(rb"(?m)^(?=diff --git )", diff)[1:]
    harmless, left_out = [], []
    for name, part in zip(changed, parts, strict=True):
        reason = credentials.by_name(name)
        reason = reason or credentials.by_content(name, _readable(top, name, part))
        if reason is None:
            harmless.append(part)
        else:
            what = "untracked" if name in untracked else "its change"
            left_out.append(f"{name}: {what}, {reason}")
    return b"".join(harmless), [*dict.fromkeys(left_out)]


def _readable(top: Path, name: str, part: bytes) -> bytes:
    """Return the lines of a file's part of a diff as they stand in the file.

    For a part that git has packed as binary, return both versions of the file.
    """
    if b"\nGIT binary patch\n" not in part:
        return re.sub(rb"(?m)^[ +-]", b"", part)
    path = top / name
    now = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    try:
        before = _git(top, "cat-file", "blob", f"HEAD:{name}")
    except subprocess.CalledProcessError:  # an untracked file
        before = b""
    return before + b"\n" + now


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LEFT_OUT
    return lines if more <= 0 else [*lines[:_MOST_LEFT_OUT], f"and {plural(more, 'more file')}"]


def _git(
    folder: Path, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None
) -> bytes:
    """Return what a git command prints that is run in the folder, with `given` as its input.

    Raises OSError or SubprocessError if git is missing, fails or takes too long.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _GIT_LOCATION}
    never_ask = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        input=given,
        env={**inherited, **never_ask, **(environment or {})},
        timeout=_GIT_SECONDS,
    ).stdout


def _last_line(error: Exception) -> str:
    """Return the last line that a failed command printed, or the error's own text."""
    printed = os.fsdecode(getattr(error, "stderr", None) or b"").strip()
    return printed.splitlines()[-1] if printed else str(error)
