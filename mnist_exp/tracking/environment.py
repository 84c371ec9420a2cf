"""What a run ran on: source version, packages, hardware."""

import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from mnist_exp.outside.foreign_files import read_json
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking import credentials

_PACKAGE_DIR = Path(__file__).parent.parent

# The files and packages that decide what a config computes; the others record, compare and show it.
_COMPUTING = ("config/group_schemas.py", "config/schema.py", "data.py", "training/*.py")
_COMPUTING_PACKAGES = ("tensorflow", "keras", "numpy")

# Untracked files beyond these sizes are named instead of kept: somebody's data or results, not code.
_MAX_FILE_BYTES = 5 * 2**20
_MAX_TOTAL_BYTES = 20 * 2**20
_MOST_LEFT_OUT = 500  # files that are named
# What an untracked file is called that is kept from the checkout's top folder, where anything may lie.
_CODE_SUFFIXES = (".py", ".pyx", ".yaml", ".yml", ".toml", ".cfg", ".sh")
_MOST_PACKAGES = 5000  # that are read from a record
_GIT_SECONDS = 10  # for one git command; a run does not wait longer for its record

# Variables that choose the kernels or the number of threads, and with them the last bits of a sum.
_VARIABLES = (
    "OMP_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_DETERMINISTIC_OPS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "KMP_BLOCKTIME",
    "KMP_AFFINITY",
    "MKL_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_TF32_OVERRIDE",
    "KERAS_BACKEND",
)
# Instruction sets that Eigen and oneDNN choose their kernels by, as Linux names them on x86 and on ARM.
_INSTRUCTIONS = [
    "sse4_1",
    "sse4_2",
    "avx",
    "avx2",
    "avx_vnni",
    "fma",
    "f16c",
    "avx512f",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "asimdhp",
    "bf16",
    "i8mm",
    "sve",
    "sve2",
]
# A git hook, or a shell that works on another repository, points git there with these.
_GIT_LOCATION = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)


@dataclass(frozen=True)
class SourceVersion:
    """The git commit of the package's checkout and what differs from it.

    `diff` holds the changes that are not committed, untracked code too: `git apply` on `commit` gives the same files,
    but for those that `note` names in lines for a person, each with the reason why `diff` lacks it.
    """

    commit: str
    diff: bytes = b""
    note: str = ""

    @property
    def dirty(self) -> bool:
        return bool(self.diff or self.note)


def source_version(recorded: str = "diff") -> SourceVersion | None:
    """The source version as far as the setting `tracking.code` records it: "diff", "commit" or "off".

    None if that is off, or if the package does not run from a git checkout, as when it was installed from a wheel.
    """
    if recorded == "off":
        return None
    source = _source_version()
    if recorded == "commit" and source is not None and source.dirty:
        return replace(
            source, diff=b"", note="tracking.code=commit: what is not committed is not recorded\n"
        )
    return source


def _source_version() -> SourceVersion | None:
    try:
        _git(_PACKAGE_DIR, "ls-files", "--error-unmatch", __file__)
        paths = ("--show-toplevel", "--git-path", "index", "--git-path", "objects", "HEAD")
        top, index, objects, commit = os.fsdecode(
            _git(_PACKAGE_DIR, "rev-parse", *paths)
        ).splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    try:
        # Git's own files are told relative to the folder that git was asked in.
        diff, left_out = _uncommitted(Path(top), _PACKAGE_DIR / index, _PACKAGE_DIR / objects)
    except (OSError, subprocess.SubprocessError) as error:
        return SourceVersion(
            commit, note=f"git could not tell what is not committed: {_said(error)}\n"
        )
    return SourceVersion(commit, diff, "".join(f"{line}\n" for line in left_out))


def version(package: str) -> str:
    return importlib.metadata.version(package)


@cache
def code_digest() -> str:
    """The same for two runs only if the same code would train them: 16 hex digits of SHA-256.

    Of this package's modules and the versions of other packages that decide what a config computes.
    """
    digest = hashlib.sha256()
    for pattern in _COMPUTING:
        for file in sorted(_PACKAGE_DIR.glob(pattern)):
            digest.update(file.read_bytes())
    for package in _COMPUTING_PACKAGES:
        digest.update(f"{package}=={version(package)}\n".encode())
    return digest.hexdigest()[:16]


@cache
def packages() -> str:
    """Installed packages, one `name==version` a line, sorted."""
    found = {_name_and_version(dist) for dist in importlib.metadata.distributions()}
    return "".join(
        f"{name}=={version}\n" for name, version in sorted(found, key=lambda p: p[0].lower())
    )


def _name_and_version(dist: importlib.metadata.Distribution) -> tuple[str, str]:
    """From the lines at the top: `dist.name` parses all metadata, long descriptions, too: 0.07 s for 167 packages, not 0.03."""
    metadata = dist.read_text("METADATA") or dist.read_text("PKG-INFO") or ""
    fields = dict(
        re.findall(r"^(Name|Version): *(.*?) *$", metadata.partition("\n\n")[0], re.MULTILINE)
    )
    return fields.get("Name", "?"), fields.get("Version", "?")


def hardware() -> dict[str, str | int | float | None]:
    """Python, operating system, processor and memory; cores are those this process may use, variables None if unset."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_info("model name") or platform.processor() or platform.machine(),
        "instructions": _instructions(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": _memory_gib(),
        **{name: os.environ.get(name) for name in _VARIABLES},
    }


def read_packages(content: bytes) -> dict[str, str]:
    """Return {name: version} of env/packages.txt, with both versions of a package that has two."""
    versions: dict[str, str] = {}
    for line in content.decode(errors="replace").splitlines()[:_MOST_PACKAGES]:
        name, _, version = clean(line).partition("==")
        if version:
            versions[name] = f"{versions[name]}, {version}" if name in versions else version
    return versions


def read_hardware(content: bytes) -> dict[str, str | None]:
    """Return the facts of env/hardware.json, None for an unset variable; {} if it is damaged."""
    try:
        facts = read_json(content, dict)
    except ValueError:
        return {}
    return {
        clean(name, 100): None if value is None else clean(value) for name, value in facts.items()
    }


def _uncommitted(top: Path, index: Path, objects: Path) -> tuple[bytes, list[str]]:
    """The diff of all that is not committed in the checkout `top`, and a line for each file it leaves out.

    Git works on a copy of the index and writes to a folder of its own, so that the repository stays as it is.
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
        untracked = _git(
            top, "ls-files", "-z", "--others", "--exclude-standard", environment=scratch
        )
        names, elsewhere = _in_place(top, _names(untracked))
        kept, left_out = _within_limits(top, names)
        _git(top, "add", "--update", environment=scratch)
        given = b"\0".join(os.fsencode(name) for name in kept)
        _git(
            top,
            "update-index",
            "-z",
            "--add",
            "--remove",
            "--stdin",
            given=given,
            environment=scratch,
        )
        # A plumbing command, and prefixes by name: nobody's settings make it a diff that `git apply` cannot read.
        form = ("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv")
        prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
        compare = ("diff-index", "--cached", "--no-renames")
        changed = _names(_git(top, *compare, "--name-only", "-z", "HEAD", environment=scratch))
        diff = _git(top, *compare, "-p", *form, *prefixes, "HEAD", environment=scratch)
        harmless, secret = _without_secrets(top, changed, diff, kept)
    return harmless, _shortened(sorted([*elsewhere, *left_out, *secret]))


def _names(output: bytes) -> list[str]:
    """Of files, as git writes them with -z."""
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _in_place(top: Path, untracked: Iterable[str]) -> tuple[list[str], list[str]]:
    """(untracked files where code and configs live that look harmless, a line for each of the others)."""
    tracked = _names(_git(top, "ls-files", "-z", "--", "*.py", "*.yaml", "*.yml"))
    code_folders = {name.partition("/")[0] for name in tracked if "/" in name}
    package = _PACKAGE_DIR.resolve()
    all_files_are_private = _is_private(Path(__file__))
    names, left_out = [], []
    for name in untracked:
        parts = Path(name).parts
        if any(
            part.startswith(".") and part not in (".gitignore", ".gitattributes") for part in parts
        ):
            reason = credentials.by_name(name) or "hidden"
        elif secret := credentials.by_name(name):
            reason = secret
        elif not all_files_are_private and _is_private(top / name):
            reason = "by its mode a secret: nobody but its owner may read it"
        elif package not in (top.resolve(), *top.resolve().parents) and not (
            parts[0] in code_folders or (len(parts) == 1 and name.endswith(_CODE_SUFFIXES))
        ):
            reason = "not where code and configs are"
        else:
            names.append(name)
            continue
        left_out.append(f"{name}: untracked, {reason}")
    return names, left_out


def _is_private(path: Path) -> bool:
    """Whether it is a file that its owner alone may read."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and mode & 0o077 == 0


def _without_secrets(
    top: Path, changed: list[str], diff: bytes, untracked: Iterable[str]
) -> tuple[bytes, list[str]]:
    """(the diff without the files that hold secrets, a line for each of those). `changed` has its files in order."""
    parts = re.split(rb"(?m)^(?=diff --git )", diff)[1:]
    harmless, left_out = [], []
    for name, part in zip(changed, parts, strict=True):
        reason = credentials.by_name(name) or credentials.by_content(
            name, _readable(top, name, part)
        )
        if reason is None:
            harmless.append(part)
        else:
            left_out.append(
                f"{name}: {'untracked' if name in untracked else 'its change'}, {reason}"
            )
    return b"".join(harmless), left_out


def _readable(top: Path, name: str, part: bytes) -> bytes:
    """The lines of a file's part of a diff as they stand in the file; of what git packs as binary, both versions."""
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
    return lines if more <= 0 else [*lines[:_MOST_LEFT_OUT], f"and {more} files more"]


def _within_limits(top: Path, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """(untracked files small enough to keep, a line for each of the others), the smallest kept first."""
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


def _git(
    folder: Path, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None
) -> bytes:
    inherited = {name: value for name, value in os.environ.items() if name not in _GIT_LOCATION}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        input=given,
        env={
            **inherited,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            **(environment or {}),
        },
        timeout=_GIT_SECONDS,
    ).stdout


def _said(error: Exception) -> str:
    said = os.fsdecode(getattr(error, "stderr", None) or b"").strip()
    return said.splitlines()[-1] if said else str(error)


def _cpu_info(name: str) -> str:
    """The first line of that name in Linux' /proc/cpuinfo; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(name))
    except (OSError, StopIteration):
        return ""


def _instructions() -> str | None:
    has = {*_cpu_info("flags").split(), *_cpu_info("Features").split()}
    return " ".join(name for name in _INSTRUCTIONS if name in has) or None


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None
