"""Measure the processor time of a trial that does nothing: `python -m benchmarks.trials`.

The same task is swept by this project's sweeper, by the official hydra-optuna-sweeper, if it is
installed, and by Optuna alone, each in a fresh SQLite study with a random sampler. The processor
time is that of all processes of a command. That of a command with few trials is subtracted, so that
starting the processes does not count.

    python -m benchmarks.trials --beside FOLDER

measures the checkout in FOLDER, too, with the Python of its environment FOLDER/.venv, in turn.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.arguments import check_positive, command_line, is_installed
from benchmarks.rounds import ROOT
from mnist_exp.command import answered
from mnist_exp.errors import UserError

_APP = """
import hydra

@hydra.main(config_path=".", config_name="config")
def app(config):
    return config.x

if __name__ == "__main__":
    app()
"""
_ALONE = """
import sys
import joblib, optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
workers, trials = map(int, sys.argv[1:])
optuna.create_study(study_name="s", storage="sqlite:///study.db")

def work(count):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name="s", storage="sqlite:///study.db", sampler=sampler)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=count)

counts = [trials // workers] * workers
if workers == 1:
    work(trials)
else:
    joblib.Parallel(n_jobs=workers)(joblib.delayed(work)(count) for count in counts)
"""
_PR_SET_CHILD_SUBREAPER = 36  # of Linux' sys/prctl.h
OFFICIAL = "hydra_plugins.hydra_optuna_sweeper"


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to sweep: its title, its sweeper ("" for Optuna alone), and the checkout it runs in."""

    title: str
    sweeper: str
    root: Path = ROOT
    python: str = sys.executable

    def command(self, workers: int, trials: int) -> list[str]:
        """Return the arguments of the sweep."""
        if not self.sweeper:
            return [self.python, "alone.py", str(workers), str(trials)]
        several = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={workers}"]
        return [
            *(self.python, "app.py", "-m", "x=interval(0.0,1.0)"),
            *(f"hydra/sweeper={self.sweeper}", "hydra/sweeper/sampler=random"),
            *("hydra.sweeper.study_name=s", "hydra.sweeper.storage='sqlite:///study.db'"),
            *(f"hydra.sweeper.n_trials={trials}", f"hydra.sweeper.n_jobs={workers}"),
            *(several if workers > 1 else ()),
        ]

    def seconds(self, workers: int, trials: int) -> float:
        """Return the processor time of a sweep, all its processes together."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "app.py").write_text(_APP)
            (folder / "alone.py").write_text(_ALONE)
            (folder / "config.yaml").write_text("x: 0.0\n")
            with open(folder / "errors.txt", "w") as errors:
                process = subprocess.Popen(
                    self.command(workers, trials),
                    cwd=folder,
                    env={**os.environ, "PYTHONPATH": str(self.root)},
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                )
            seconds, status = _waited_for(process.pid)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                words = (folder / "errors.txt").read_text().strip()[-300:]
                raise UserError(f"{self.title}: exit code {process.returncode}: {words}")
            return seconds

    def of_a_trial(self, workers: int, trials: int) -> float:
        """Return the seconds of a trial."""
        few = 2 * workers
        return (self.seconds(workers, trials) - self.seconds(workers, few)) / (trials - few)


def _waited_for(pid: int) -> tuple[float, int]:
    """Wait for a process and all that it leaves behind; return their processor time, its status.

    joblib's workers end after the process that started them, and become this process' children.
    """
    seconds, status = 0.0, 0
    while True:
        try:
            ended, code, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return seconds, status
        seconds += usage.ru_utime + usage.ru_stime
        if ended == pid:
            status = code


def _adopt_orphans() -> None:
    """Make this process the parent of its descendants that lose theirs. Linux only."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise UserError(f"prctl: {os.strerror(ctypes.get_errno())}")


def ways(beside: str | None) -> list[Way]:
    """Return the ways that can be measured here."""
    found = [Way(title="this project", sweeper="optuna_study")]
    if beside is not None:
        root = Path(beside).resolve()
        python = str(root / ".venv" / "bin" / "python")
        found.append(Way(title=root.name, sweeper="optuna_study", root=root, python=python))
    if is_installed(OFFICIAL):
        found.append(Way(title="hydra-optuna-sweeper", sweeper="optuna"))
    else:
        print(f"not measured: {OFFICIAL} is not installed", file=sys.stderr)
    return [*found, Way(title="Optuna alone", sweeper="")]


def run(arguments: Sequence[str]) -> None:
    """Measure and print. Raise UserError for a mistake in the arguments."""
    parser = command_line("trials", __doc__, writes=False)
    parser.add_argument("--trials", type=int, default=50, help="of a sweep; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument(
        "--workers", type=int, nargs="+", default=[1, 2, 4], metavar="N", help="default: 1 2 4"
    )
    parser.add_argument("--beside", metavar="FOLDER", help="another checkout to measure, too")
    given = parser.parse_args(arguments)
    check_positive(given, "trials", "rounds")
    if min(given.workers) < 1:
        raise UserError(f"--workers {min(given.workers)}: expected a number > 0")
    if given.trials <= (few := 2 * max(given.workers)):
        raise UserError(f"--trials {given.trials}: expected more than {few}, two of each worker")
    measured = ways(given.beside)
    _adopt_orphans()
    print(f"| ms of processor a trial, {given.trials} trials, workers: | {_cells(given.workers)} |")
    print(f"|---|{'---:|' * len(given.workers)}", flush=True)
    times: dict[tuple[Way, int], list[float]] = {}
    for _ in range(given.rounds):
        for workers in given.workers:
            for way in measured:
                seconds = way.of_a_trial(workers, given.trials)
                times.setdefault((way, workers), []).append(1e3 * seconds)
    for way in measured:
        found = [times[way, workers] for workers in given.workers]
        texts = [f"{median(ms):.0f} ({min(ms):.0f} to {max(ms):.0f})" for ms in found]
        print(f"| {way.title} | {_cells(texts)} |")


def _cells(values: Sequence[object]) -> str:
    return " | ".join(map(str, values))


if __name__ == "__main__":
    with answered(UserError):
        run(sys.argv[1:])
