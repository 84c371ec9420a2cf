"""Measurements side by side: processes that take turns, and statistics of their times."""

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
    """The median and the quartiles of one number over the rounds."""

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
    """Return the median over the rounds of value / reference, so that slow rounds cancel."""
    return median(value / other for value, other in zip(values, reference, strict=True))


class Failed(Exception):
    """A process ended instead of answering. The message has the last lines that it wrote."""


class Worker:
    """A process `python -m MODULE ARGUMENTS` that waits for questions and answers each.

    Questions and answers are lines of JSON. The process sends a first answer when it is ready.
    """

    def __init__(self, module: str, arguments: Sequence[str], threads: int) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open while the process runs
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment(threads),
        )

    def ask(self, question: object) -> Any:
        """Send a question and return the answer. Raise Failed if the process has ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{json.dumps(question)}\n")
            self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        """Return the next answer. Raise Failed if the process has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise Failed(
                "".join(self._errors.readlines()[-5:]).strip()
                or f"exit code {self._process.returncode}"
            )
        return json.loads(line)

    def stop(self) -> None:
        """Close the process' standard input, and wait until it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process with that many threads.

    The process finds this checkout and prints nothing about absent GPUs.
    """
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
    """Restrict this process to so many cores, for libraries that do not read the environment."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


@contextmanager
def answers() -> Iterator[Any]:
    """Give a Worker's process a function that sends an answer.

    Everything else that prints is sent to standard error.
    """
    with os.fdopen(os.dup(1), "w") as channel:
        os.dup2(2, 1)

        def send(answer: object) -> None:
            channel.write(f"{json.dumps(answer)}\n")
            channel.flush()

        yield send


def interleaved(
    workers: Mapping[str, Worker], questions: Mapping[str, object], rounds: int
) -> dict[str, list[Any]]:
    """Return the answers of all workers, one a round.

    Each round begins with the next worker, so that its place in the round is not always the same.
    """
    names = list(workers)
    answered: dict[str, list[Any]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            answered[name].append(workers[name].ask(questions[name]))
    return answered


@dataclass(frozen=True)
class Usage:
    """Time and memory of a process, without those it started.

    peak_mb: largest resident memory in MB (10^6 bytes).
    """

    seconds: float
    peak_mb: float


def run(command: Sequence[str], folder: Path, **variables: str) -> Usage:
    """Run a command to its end in a folder. Raise Failed if its exit code is not 0."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment(os.cpu_count() or 1), **variables},
            stdout=output,
            stderr=output,
        )
        with _watched(process.pid) as peaks:
            process.wait()
            seconds = time.perf_counter() - started
        if process.returncode:
            output.seek(0)
            raise Failed("".join(output.readlines()[-5:]).strip())
    return Usage(seconds, max(peaks, default=0.0))


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """Record the peak memory of a process every 20 ms until the block ends.

    It cannot be read any more when the process has ended.
    """
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
    """Return the largest resident memory of a process so far, in MB.

    This is Linux' VmHWM. The number of getrusage includes the parent's memory at the fork.
    """
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
