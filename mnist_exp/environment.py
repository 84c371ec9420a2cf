"""What a run ran on: source version, packages, hardware."""

import importlib.metadata
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PACKAGE_DIR = Path(__file__).parent


@dataclass(frozen=True)
class SourceVersion:
    """The git commit of the package's checkout and the uncommitted change to it, as `git diff` prints it."""

    commit: str
    diff: str

    @property
    def dirty(self) -> bool:
        return bool(self.diff)


def source_version() -> SourceVersion | None:
    """None if the package does not run from a git checkout, as when it was installed from a wheel."""
    try:
        _git("ls-files", "--error-unmatch", __file__)
        return SourceVersion(_git("rev-parse", "HEAD").strip(), _git("diff", "--binary", "HEAD"))
    except (OSError, subprocess.CalledProcessError):
        return None


def version(package: str) -> str:
    return importlib.metadata.version(package)


def packages() -> str:
    """Installed packages, one `name==version` a line, sorted."""
    found = {(dist.name or "?", dist.version) for dist in importlib.metadata.distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found, key=lambda p: p[0].lower()))


def hardware() -> dict[str, str | int | None]:
    """Python, operating system and processor; cores are those this process may use."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
    }


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_PACKAGE_DIR), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
