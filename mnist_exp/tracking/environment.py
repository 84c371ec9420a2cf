"""What a run ran on, written and read: installed packages, and the machine."""

import importlib.metadata
import os
import platform
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

from mnist_exp.outside.foreign_files import read_json
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.processes import cores

_MOST_PACKAGES = 5000  # that are read from a record

# Variables that choose the kernels or the number of threads, and so the last bits of a sum.
_VARIABLES = """
    OMP_NUM_THREADS TF_NUM_INTRAOP_THREADS TF_NUM_INTEROP_THREADS TF_ENABLE_ONEDNN_OPTS
    TF_DETERMINISTIC_OPS TF_XLA_FLAGS XLA_FLAGS ONEDNN_MAX_CPU_ISA ONEDNN_DEFAULT_FPMATH_MODE
    DNNL_MAX_CPU_ISA KMP_BLOCKTIME KMP_AFFINITY MKL_NUM_THREADS CUDA_VISIBLE_DEVICES
    NVIDIA_TF32_OVERRIDE KERAS_BACKEND
""".split()  # noqa: SIM905
# Instruction sets that Eigen and oneDNN choose their kernels by, as Linux names them on x86 and
# on ARM.
_INSTRUCTIONS = """
    sse4_1 sse4_2 avx avx2 avx_vnni fma f16c avx512f avx512bw avx512dq avx512vl avx512_vnni
    avx512_bf16 avx512_fp16 amx_tile amx_int8 amx_bf16 asimd asimddp asimdhp bf16 i8mm sve sve2
""".split()  # noqa: SIM905


@cache
def packages() -> str:
    """Return the installed packages, one `name==version` a line, sorted by name and version."""
    installed = {_name_and_version(dist) for dist in importlib.metadata.distributions()}
    in_order = sorted(installed, key=lambda pair: (pair[0].lower(), pair))
    return "".join(f"{name}=={version}\n" for name, version in in_order)


def _name_and_version(dist: importlib.metadata.Distribution) -> tuple[str, str]:
    """Return both from the top of the metadata.

    `dist.name` parses all of it, with the long description, which takes twice the time for all
    packages together.
    """
    fields: dict[str, str] = {}
    for file in ("METADATA", "PKG-INFO", ""):  # "" is an egg-info that is a file, of distutils
        with suppress(UnicodeDecodeError):  # a name of an author in another encoding
            top = (dist.read_text(file) or "").partition("\n\n")[0]
            fields |= dict(re.findall(r"^(Name|Version): *(.*?) *$", top, re.MULTILINE))
        if fields:
            break
    else:
        stem = re.match(r"([^-]+)-([^-]+)", getattr(getattr(dist, "_path", None), "stem", ""))
        fields = dict(zip(("Name", "Version"), stem.groups() if stem else (), strict=False))
    return fields.get("Name", "?"), fields.get("Version", "?")


def read_packages(content: bytes) -> dict[str, str]:
    """Return {name: version} of env/packages.txt, with both versions of a package that has two."""
    versions: dict[str, str] = {}
    for line in content.decode(errors="replace").splitlines()[:_MOST_PACKAGES]:
        name, _, version = clean(line).partition("==")
        if version:
            versions[name] = f"{versions[name]}, {version}" if name in versions else version
    return versions


def hardware() -> dict[str, str | int | float | None]:
    """Return facts about Python, the operating system, the processor and the memory.

    `cores` are those that this process may use. An unset variable is None.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_info("model name") or platform.processor() or platform.machine(),
        "instructions": _instructions(),
        "cores": cores(),
        "memory_gib": _memory_gib(),
        **{name: os.environ.get(name) for name in _VARIABLES},
    }


def read_hardware(content: bytes) -> dict[str, str | None]:
    """Return the facts of env/hardware.json, None for an unset variable; {} if it is damaged."""
    try:
        facts = read_json(content, dict)
    except ValueError:
        return {}
    return {
        clean(name, 100): None if value is None else clean(value) for name, value in facts.items()
    }


def _cpu_info(name: str) -> str:
    """Return the first value of that name in Linux' /proc/cpuinfo, or an empty text."""
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
