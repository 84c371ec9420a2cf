"""Names of processes in records, whether the process of a name lives, and this one's cores."""

import functools
import hashlib
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import psutil

_FIRST_NAMESPACE = 0xEFFFFFFC  # inode of the PID namespace that Linux boots with: no container's
# By how much two start times of one process may differ if they were taken from the clock.
_CLOCK_SECONDS = 10.0
_START = re.compile(r"([0-9a-f-]+)\+(\d+)")  # boot id + ticks
# Seconds since 1970: the start in names from older versions and from other systems than Linux.
_TIME = re.compile(r"\d{1,12}(\.\d{1,9})?")
# What psutil raises in a sandbox that hides parts of /proc.
_UNKNOWN = (psutil.Error, OSError, RuntimeError)


@dataclass(frozen=True)
class _Process:
    state: str  # a letter; Z or X for a process that has ended
    ticks: int  # of the clock, from the boot of the machine to the start of the process


def this_process() -> str:
    """Return the name of this process, MACHINE/PID/START, which no other process ever has.

    The name does not change when the clock is set: on Linux START is the id of the boot and the
    ticks since then.
    """
    return _name(os.getpid())  # a forked child has a name of its own


def cores() -> int | None:
    """Return how many cores this process may use, None if the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def machine() -> str:
    """Return the name of the host or container: of all processes that see each other's numbers."""
    if _namespace("pid") is None:
        return f"{platform.node()}-0"
    return f"{platform.node()}-{_machine_id()}-{_namespace('pid')}.{_namespace('time')}"


def is_alive(text: str) -> bool | None:
    """Return True if the process of that name is alive, False if it has ended, else None.

    None means that this process cannot know it: the name is of another machine or container, or is
    no name. Names that older versions gave are read, too: with a start time by the clock
    (HOST-NAMESPACE/PID/SECONDS), also without a namespace (HOST/PID/SECONDS).
    """
    place, _, rest = text.partition("/")
    number, _, start = rest.partition("/")
    pid = int(number) if re.fullmatch(r"[1-9]\d{0,8}", number, re.ASCII) else None
    if pid is None:
        return None
    if boot := _START.fullmatch(start):
        return _lives_since(pid, boot[1], int(boot[2])) if place == machine() else None
    if not _TIME.fullmatch(start) or place not in _older_names():
        return None
    return _lives_since_time(pid, float(start))


def _lives_since(pid: int, boot: str, ticks: int) -> bool | None:
    if boot != _boot_id():  # the machine was restarted, or another one has the same name
        return False if _is_first_namespace() and _machine_id() else None
    process = _read(str(pid)) if _proc_is_ours() else None
    if process is None:
        return _unseen(pid)
    return process.ticks == ticks and process.state not in "ZX"


def _lives_since_time(pid: int, started: float) -> bool | None:
    """Decide by a start time that was taken from the clock.

    On Linux the start time of a living process changes when the clock is set. So a different start
    time does not prove that the process has ended.
    """
    is_linux = _namespace("pid") is not None
    if is_linux and not _proc_is_ours():
        return _unseen(pid)
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if abs(process.create_time() - started) < _CLOCK_SECONDS:
            return True
    except psutil.NoSuchProcess:
        return _unseen(pid)
    except _UNKNOWN:
        return None
    return None if is_linux else False


def _unseen(pid: int) -> bool | None:
    """Return False if no process has that number, None if one has that /proc does not show."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process
        pass
    return None


def _older_names() -> set[str]:
    """Return the names that older versions gave this machine.

    A name without a namespace may be a container's: then only the host itself can know.
    """
    namespace = _namespace("pid")
    names = {f"{platform.node()}-{namespace or 0}"}
    is_container = namespace is not None and not _is_first_namespace()
    return names if is_container else names | {platform.node()}


@functools.lru_cache(maxsize=8)
def _name(pid: int) -> str:
    process, boot = _read("self"), _boot_id()
    if process is None or not boot:
        try:
            started = psutil.Process(pid).create_time()
        except _UNKNOWN:
            started = 0.0
        return f"{machine()}/{pid}/{started:.2f}"
    return f"{machine()}/{pid}/{boot}+{process.ticks}"


def _read(pid: str) -> _Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()  # the program's name may hold any characters
        return _Process(state=fields[0], ticks=int(fields[19]))
    except (OSError, ValueError, IndexError):
        return None


def _proc_is_ours() -> bool:
    """Return True if /proc shows this process's own namespace.

    After `unshare --pid` alone it shows the outer one.
    """
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def _is_first_namespace() -> bool:
    return _namespace("pid") == _FIRST_NAMESPACE


def _namespace(kind: str) -> int | None:
    """Return a number for this process's namespace; None on a system without such namespaces."""
    try:
        return os.stat(f"/proc/self/ns/{kind}").st_ino
    except OSError:
        return None


@functools.cache
def _boot_id() -> str:
    return _line("/proc/sys/kernel/random/boot_id")


@functools.cache
def _machine_id() -> str:
    """Return a digest of the machine's id, "" if it has none. The id itself must not be shown."""
    line = _line("/etc/machine-id")
    return hashlib.sha256(f"mnist_exp {line}".encode()).hexdigest()[:12] if line else ""


def _line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
