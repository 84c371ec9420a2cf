"""Measure how long a sweep waits for its slowest trial.

    python -m benchmarks.sweeper

One slow trial (SLOW seconds) and ten fast ones (FAST seconds), which only sleep, run on two joblib
workers: first by `optuna_study`, then by the official hydra-optuna-sweeper if it is installed. The
cost of a trial is measured by `benchmarks.trials`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.arguments import is_installed
from benchmarks.trials import OFFICIAL

APP = """
import time
import hydra

@hydra.main(config_path=".", config_name="config")
def app(cfg):
    time.sleep(cfg.seconds)
    return cfg.seconds

if __name__ == "__main__":
    app()
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--slow", type=float, default=20.0, help="seconds of the slow trial")
    parser.add_argument(
        "--fast", type=float, default=2.0, help="seconds of each of the ten fast trials"
    )
    arguments = parser.parse_args()

    seconds = [arguments.slow] + [arguments.fast] * 10
    start_up = _start_up()
    print(f"one trial of {arguments.slow:g} s and ten of {arguments.fast:g} s on 2 workers")
    print(f"{'sweeper':<14}{'wall time':>10}{'over slow trial + start-up':>29}")
    bound = arguments.slow + start_up
    print(f"{'(bound)':<14}{bound:>8.1f} s{'':>29}")
    for sweeper in ("optuna_study", "optuna"):
        if sweeper == "optuna" and not is_installed(OFFICIAL):
            print(f"{sweeper:<14}not installed: pip install hydra-optuna-sweeper==1.4.0rc3")
            continue
        wall = _sweep(sweeper, seconds, workers=2)
        print(f"{sweeper:<14}{wall:>8.1f} s{(wall / bound - 1) * 100:>27.0f} %")
    print(f"start-up: {start_up:.1f} s, a sweep of two trials that take no time")


def _start_up() -> float:
    """Return the seconds of a sweep of two trials that take no time."""
    return _sweep("optuna_study", [0.0, 0.0], workers=2)


def _sweep(sweeper: str, seconds: list[float], workers: int) -> float:
    """Run a sweep in a process of its own, and return its seconds.

    Both sweepers use a grid, of which every cell is a trial, in a fresh SQLite study.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(APP)
        overrides = [f"{{seconds:{value},trial:{i}}}" for i, value in enumerate(seconds)]
        (folder / "config.yaml").write_text(
            "cell: {seconds: 0.0, trial: 0}\nseconds: ${cell.seconds}\n"
        )
        command = [
            sys.executable,
            "app.py",
            "-m",
            f"hydra/sweeper={sweeper}",
            "hydra/sweeper/sampler=grid",
            "hydra/launcher=joblib",
            f"hydra.launcher.n_jobs={max(workers, 2)}",
            f"hydra.sweeper.n_jobs={workers}",
            f"hydra.sweeper.n_trials={len(seconds)}",
            "hydra.sweeper.storage='sqlite:///study.db'",
            "hydra.sweeper.study_name=benchmark",
            f"cell=choice({','.join(overrides)})",
        ]
        path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
        started = time.monotonic()
        subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.monotonic() - started


if __name__ == "__main__":
    main()
