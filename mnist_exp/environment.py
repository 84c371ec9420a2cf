"""What a run ran on: source version, packages, hardware."""

import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE_DIR = Path(__file__).parent

# The modules and packages that decide what a config computes; the others record, compare and show it.
_COMPUTING = (
    "config",
    "data",
    "initializers",
    "losses",
    "models",
    "optimizers",
    "results",
    "seeds",
    "training",
)
_COMPUTING_PACKAGES = ("tensorflow", "keras", "numpy")

# Untracked files beyond these sizes are named instead of kept: somebody's data or results, not code.
_MAX_FILE_BYTES = 5 * 2**20
_MAX_TOTAL_BYTES = 20 * 2**20
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

    `diff` holds every change that is not committed, untracked files too: `git apply` on `commit` gives the same files.
    `note` says in lines for a person what `diff` lacks, if it lacks something.
    """

    commit: str
    diff: bytes = b""
    note: str = ""

    @property
    def dirty(self) -> bool:
        return bool(self.diff or self.note)


def source_version() -> SourceVersion | None:
    """None if the package does not run from a git checkout, as when it was installed from a wheel."""
    try:
        _git(_PACKAGE_DIR, "ls-files", "--error-unmatch", __file__)
        paths = ("--show-toplevel", "--git-path", "index", "--git-path", "objects", "HEAD")
        top, index, objects, commit = os.fsdecode(_git(_PACKAGE_DIR, "rev-parse", *paths)).splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    try:
        # Git's own files are told relative to the folder that git was asked in.
        diff, left_out = _uncommitted(Path(top), _PACKAGE_DIR / index, _PACKAGE_DIR / objects)
    except (OSError, subprocess.SubprocessError) as error:
        return SourceVersion(commit, note=f"git could not tell what is not committed: {_said(error)}\n")
    return SourceVersion(commit, diff, "".join(f"{line}\n" for line in left_out))


def version(package: str) -> str:
    return importlib.metadata.version(package)


@cache
def code_digest() -> str:
    """The same for two runs only if the same code would train them: 16 hex digits of SHA-256.

    Of this package's modules and the versions of other packages that decide what a config computes.
    """
    digest = hashlib.sha256()
    for module in _COMPUTING:
        digest.update((_PACKAGE_DIR / f"{module}.py").read_bytes())
    for package in _COMPUTING_PACKAGES:
        digest.update(f"{package}=={version(package)}\n".encode())
    return digest.hexdigest()[:16]


@cache
def packages() -> str:
    """Installed packages, one `name==version` a line, sorted."""
    found = {_name_and_version(dist) for dist in importlib.metadata.distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found, key=lambda p: p[0].lower()))


def _name_and_version(dist: importlib.metadata.Distribution) -> tuple[str, str]:
    """From the lines at the top: `dist.name` parses all metadata, long descriptions, too: 0.07 s for 167 packages, not 0.03."""
    metadata = dist.read_text("METADATA") or dist.read_text("PKG-INFO") or ""
    fields = dict(re.findall(r"^(Name|Version): *(.*?) *$", metadata.partition("\n\n")[0], re.MULTILINE))
    return fields.get("Name", "?"), fields.get("Version", "?")


def hardware() -> dict[str, str | int | float | None]:
    """Python, operating system, processor and memory; cores are those this process may use, variables None if unset."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_info("model name") or platform.processor() or platform.machine(),
        "instructions": _instructions(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory_gib(),
        **{name: os.environ.get(name) for name in _VARIABLES},
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
        untracked = _git(top, "ls-files", "-z", "--others", "--exclude-standard", environment=scratch)
        kept, left_out = _within_limits(top, (os.fsdecode(name) for name in untracked.split(b"\0") if name))
        _git(top, "add", "--update", environment=scratch)
        names = b"\0".join(os.fsencode(name) for name in kept)
        _git(top, "update-index", "-z", "--add", "--remove", "--stdin", given=names, environment=scratch)
        # A plumbing command, and prefixes by name: nobody's settings make it a diff that `git apply` cannot read.
        form = ("--binary", "--full-index", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv")
        prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
        diff = _git(top, "diff-index", "--cached", "-p", *form, *prefixes, "HEAD", environment=scratch)
    return diff, left_out


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
    return sorted(kept), sorted(left_out)


def _git(
    folder: Path, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None
) -> bytes:
    inherited = {name: value for name, value in os.environ.items() if name not in _GIT_LOCATION}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        input=given,
        env={**inherited, "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", **(environment or {})},
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
