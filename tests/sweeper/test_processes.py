"""A process has one name for its whole life; only who can know it says whether it is alive."""

import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from mnist_exp.sweeper import processes
from mnist_exp.sweeper.processes import is_alive, machine, this_process

_IMPORT = "import sys; from mnist_exp.sweeper.processes import is_alive, this_process"
_ASK = f"{_IMPORT}; print(*map(is_alive, sys.argv[1:]), this_process())"
_WAIT = f"{_IMPORT}; print(this_process(), flush=True); input()"
_NAMESPACE = os.stat("/proc/self/ns/pid").st_ino if Path("/proc/self/ns/pid").exists() else 0


@contextmanager
def another() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that waits, and its name."""
    with subprocess.Popen(
        [sys.executable, "-c", _WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def ask_within(*wrapper: str, names: list[str]) -> list[str]:
    """What a process that starts there says of these processes; its own name comes last."""
    if shutil.which(wrapper[0]) is None:
        pytest.skip(f"{wrapper[0]} is not installed")
    user = ["--user", "--map-root-user"] if wrapper[0] == "unshare" and os.getuid() else []
    command = [wrapper[0], *user, *wrapper[1:], sys.executable, "-c", _ASK, *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if "Operation not permitted" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_process_lives_until_it_ends() -> None:
    with another() as (process, name):
        assert name.split("/")[:2] == [machine(), str(process.pid)]
        assert is_alive(name)
        process.kill()
        # It becomes a zombie: nobody has asked for its exit code.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_alive(name) is False
        process.wait()
        assert is_alive(name) is False


def test_a_name_stays_and_is_nobody_elses() -> None:
    assert this_process() == this_process()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(this_process()))
    child.start()
    assert receiver.recv() != this_process()
    child.join()


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux")
def test_the_same_number_in_another_life_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    place, pid, start = this_process().split("/")
    boot, ticks = start.split("+")
    assert is_alive(f"{place}/{pid}/{boot}+{int(ticks) + 1}") is False
    assert is_alive(f"{place}/{pid}/{boot}+{int(ticks) - 1}") is False
    monkeypatch.setattr(processes, "_FIRST_NAMESPACE", _NAMESPACE)
    monkeypatch.setattr(processes, "_machine_id", lambda: "id")
    another_boot = f"{machine()}/{pid}/{boot[::-1]}+{ticks}"
    assert is_alive(another_boot) is False  # the machine was started anew
    monkeypatch.setattr(processes, "_machine_id", lambda: "")
    assert is_alive(another_boot.replace("-id-", "--")) is None  # or it is another one of that name


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux")
def test_the_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with another() as (_, name):
        for step in (-86400, -60, 2, 60, 86400):
            monkeypatch.setattr(time, "time", lambda step=step: 1e9 + step)
            monkeypatch.setattr(psutil, "boot_time", lambda step=step: 1e9 + step)
            monkeypatch.setattr(psutil.Process, "create_time", lambda self, step=step: 1e9 + step)
            assert is_alive(name)


def test_a_changed_boot_time_changes_nothing(tmp_path: Path) -> None:
    """psutil reads the time of the boot from /proc/stat; it changes when the clock is set."""
    text = (
        Path("/proc/stat").read_text() if Path("/proc/stat").exists() else pytest.skip("no /proc")
    )
    boot = text.partition("btime ")[2].split()[0]
    (tmp_path / "stat").write_text(text.replace(boot, str(int(boot) + 60)))
    shell = 'mount --bind "$0" /proc/stat && exec "$@"'
    with another() as (process, name):
        started = psutil.Process(process.pid).create_time()
        old = f"{platform.node()}-{_NAMESPACE}/{process.pid}/{started:.2f}"
        command = ("unshare", "--mount", "sh", "-c", shell, str(tmp_path / "stat"))
        assert ask_within(*command, names=[name, old, "x"])[0:3] == ["True", "None", "None"]


@pytest.mark.parametrize(
    "namespace", [["--pid", "--fork", "--mount-proc"], ["--pid", "--fork"], ["--time"]]
)
def test_another_container_knows_nothing(namespace: list[str]) -> None:
    """With the same host name, and with or without a /proc of its own."""
    created = psutil.Process().create_time()
    older = [
        f"{platform.node()}-{_NAMESPACE}/99999999/{created:.2f}",
        f"{platform.node()}/1/{created:.2f}",
    ]
    answers = ask_within("unshare", *namespace, names=[this_process(), *older])
    if "--pid" in namespace:
        assert answers[:3] == ["None"] * 3
    assert answers[0] == "None"
    assert is_alive(answers[3]) is None


def test_the_names_of_older_versions() -> None:
    node, created = platform.node(), psutil.Process().create_time()
    for place in (f"{node}-{_NAMESPACE}", node):  # of a trial's worker, of a run's process
        assert is_alive(f"{place}/{os.getpid()}/{created:.2f}")
        assert is_alive(f"{place}/{os.getpid()}/{created + 2:.2f}")
        # Perhaps the clock was set.
        assert is_alive(f"{place}/{os.getpid()}/{created - 100:.2f}") is None
        with subprocess.Popen([sys.executable, "-c", ""]) as process:
            started = psutil.Process(process.pid).create_time()
        assert is_alive(f"{place}/{process.pid}/{started:.2f}") is False
    assert is_alive(f"elsewhere-{_NAMESPACE}/{os.getpid()}/{created:.2f}") is None
    assert is_alive(f"{node}-1/{os.getpid()}/{created:.2f}") is None


@pytest.mark.parametrize("pid", ["abc", "", "-1", "0", "1.5", "1e3", "٣", "9" * 30, " 1", "1\n"])
def test_what_is_no_name_says_nothing(pid: str) -> None:
    for place in (machine(), platform.node(), f"{platform.node()}-{_NAMESPACE}", ""):
        for start in (
            this_process().rpartition("/")[2],
            "1234.56",
            "nan",
            "inf",
            "-1",
            "",
            "1+1+1",
            "x" * 10000,
        ):
            assert is_alive(f"{place}/{pid}/{start}") is None
    for text in (
        "",
        "/",
        "//",
        "///",
        pid,
        f"{machine()}/{os.getpid()}",
        f"{machine()}/{os.getpid()}/",
    ):
        assert is_alive(text) is None


def test_a_sandbox_that_hides_when_the_machine_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc/stat and the boot id a process still has a name, and does not count as dead."""

    def hidden() -> float:
        raise RuntimeError("line 'btime' not found in /proc/stat")

    monkeypatch.setattr(processes, "_boot_id", lambda: "")
    monkeypatch.setattr(psutil._psplatform, "boot_time", hidden)
    processes._name.cache_clear()
    try:
        name = processes.this_process()
        assert name.split("/")[1] == str(os.getpid())
        assert processes.is_alive(name) is not False
    finally:
        processes._name.cache_clear()
