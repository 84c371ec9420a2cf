"""Measurements side by side: processes that wait for their turn, and what to make of their times."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of one number over the rounds."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: Sequence[float]) -> "Spread":
        if len(values) == 1:
            return Spread(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return Spread(median(values), low, high)


def ratio(values: Sequence[float], reference: Sequence[float]) -> float:
    """Median over the rounds of value / reference: what slows a whole round down cancels."""
    return median(value / other for value, other in zip(values, reference, strict=True))


class Failed(Exception):
    """A process ended instead of answering; the message ends with the last lines it wrote."""


class Worker:
    """A process of `python -m MODULE ARGUMENTS` that answers each line on its standard input with one of JSON.

    It says something once it is ready; between its turns it waits.
    """

    def __init__(self, module: str, arguments: Sequence[str], threads: int) -> None:
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open for as long as the process is
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=environment(threads),
        )

    def ask(self, question: object) -> Any:
        """The answer. Raises Failed."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{json.dumps(question)}\n")
            self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            raise Failed(
                "".join(self._said.readlines()[-5:]).strip()
                or f"exit code {self._process.returncode}"
            )
        return json.loads(line)

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._said.close()


def environment(threads: int) -> dict[str, str]:
    """Of a process with that many threads, which finds this checkout and says nothing of absent GPUs."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    count = str(threads)
    return {
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": count,
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def keep_to_cores(threads: int) -> None:
    """Libraries that do not ask the environment count the cores that the process may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


@contextmanager
def answers() -> Iterator[Any]:
    """In a Worker's process: a function that sends an answer; whatever else prints goes to standard error."""
    with os.fdopen(os.dup(1), "w") as channel:
        os.dup2(2, 1)

        def send(answer: object) -> None:
            channel.write(f"{json.dumps(answer)}\n")
            channel.flush()

        yield send


def interleaved(
    workers: Mapping[str, Worker], questions: Mapping[str, object], rounds: int
) -> dict[str, list[Any]]:
    """Everybody's answers, one a round. The order turns by one a round, so that nobody always follows the same other."""
    names = list(workers)
    answered: dict[str, list[Any]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            answered[name].append(workers[name].ask(questions[name]))
    return answered


@dataclass(frozen=True)
class Usage:
    """Of a process, without those it started. `peak_mb` is resident memory in MB (10^6 bytes)."""

    seconds: float
    peak_mb: float


def run(command: Sequence[str], folder: Path, **variables: str) -> Usage:
    """Run to the end in a folder. Raises Failed."""
    with tempfile.TemporaryFile("w+") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment(os.cpu_count() or 1), **variables},
            stdout=said,
            stderr=said,
        )
        with _watched(process.pid) as peaks:
            process.wait()
            seconds = time.perf_counter() - started
        if process.returncode:
            said.seek(0)
            raise Failed("".join(said.readlines()[-5:]).strip())
    return Usage(seconds, max(peaks, default=0.0))


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """Looks at the peak of a process' memory until the block ends, every 20 ms: when it has died, nobody can."""
    peaks: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            with contextlib.suppress(OSError, IndexError):
                peaks.append(peak_mb(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def peak_mb(pid: int | str = "self") -> float:
    """Largest resident memory so far, in MB. Linux' VmHWM, since getrusage's counts what the parent had at the fork."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
