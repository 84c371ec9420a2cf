"""A task that starts children in every way that Python has, and ends them.

`python -m tests.support.sweeps.children [OVERRIDE] ...` runs it.

How each ended is written to ends.json. Without overrides there is no sweep.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import joblib
from omegaconf import DictConfig

from mnist_exp.sweeper import current, report
from tests.support.sweeps import apps

_CODE = (
    "import signal, time; signal.signal(2, signal.default_int_handler); "
    "print(flush=True); time.sleep(600)"
)


def _sleep() -> None:
    time.sleep(600)


def _catch(ready: Any) -> None:
    try:
        ready.set()
        _sleep()
    except KeyboardInterrupt:
        os._exit(7)


def _nothing() -> None:
    pass


def _report() -> None:
    report(0.5, 1)
    os._exit(0 if current() is None else 1)


def _same(value: int) -> int:
    return value


def ends() -> dict[str, Any]:
    """Exit codes and results by what was done."""
    seen: dict[str, Any] = {}
    for method in ("fork", "spawn", "forkserver"):
        context: Any = multiprocessing.get_context(method)
        for signum in (signal.SIGINT, signal.SIGTERM):
            ready = context.Event()
            process = context.Process(target=_catch, args=(ready,))
            process.start()
            ready.wait()
            os.kill(process.pid, signum)
            process.join()
            seen[f"{method}, {signum.name}"] = process.exitcode
        codes = set()
        for _ in range(20 if method == "fork" else 1):  # before the child has done anything
            process = context.Process(target=_sleep)
            process.start()
            process.terminate()
            process.join()
            codes.add(process.exitcode)
        seen[f"{method}, terminated at once"] = sorted(codes)
        for _ in range(20 if method == "fork" else 1):
            with context.Pool(3) as pool:
                seen[f"{method}, pool"] = pool.map(_same, range(3))
        process = context.Process(target=_report)
        process.start()
        process.join()
        seen[f"{method}, report"] = process.exitcode
    for signum in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen([sys.executable, "-c", _CODE], stdout=-1, stderr=-3) as program:
            assert program.stdout is not None
            program.stdout.readline()
            program.send_signal(signum)
        seen[f"subprocess, {signum.name}"] = program.returncode
        with subprocess.Popen(["sleep", "600"], preexec_fn=_nothing) as program:  # noqa: PLW1509
            program.send_signal(signum)
        seen[f"subprocess after a function, {signum.name}"] = program.returncode
    pid = os.fork()
    if pid == 0:
        _sleep()
    os.kill(pid, signal.SIGTERM)
    seen["os.fork"] = os.waitpid(pid, 0)[1]
    with joblib.parallel_backend("multiprocessing"):
        seen["joblib"] = joblib.Parallel(n_jobs=2)(joblib.delayed(_same)(i) for i in range(4))
    return seen


def task(cfg: DictConfig) -> float:
    Path("ends.json").write_text(json.dumps(ends()))
    return 1.0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have left it ignored
    if sys.argv[1:]:
        apps.run(task, Path.cwd(), list(sys.argv[1:]))
    else:
        task(DictConfig({}))
